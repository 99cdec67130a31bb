"""What the interface takes and gives about bookings.

A list shows no PIN; one's own booking shows it while this process has it in memory. Above: `showing`, `routes`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from uhi.api.fields import IdText
from uhi.api.routes import Answer, Body
from uhi.booking.reasons import PatientReason


class Standing(StrEnum):
    """How a booking stands for whose it is: an order's state, and PENDING while the hospital was asked to confirm and
    has not answered."""

    HELD = "HELD"
    EXPIRED = "EXPIRED"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    APPOINTMENT_STARTED = "APPOINTMENT_STARTED"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"
    DOCTOR_NO_SHOW = "DOCTOR_NO_SHOW"
    CANCELLED = "CANCELLED"


RefText = Annotated[str, Field(min_length=1, max_length=255, pattern="^[!-~]+$")]
Reasons = Annotated[dict[str, Annotated[str, Field(max_length=500)]], Field(max_length=20)]


class HoldBody(Body):
    """Which slot, by the reference that a search gave, for which member of the family."""

    slot: RefText
    member_id: IdText = Field(min_length=1)


class AgreedBody(Body):
    """Every term of the offer by its type, with the patient's reason where one is asked for, else an empty text."""

    agreed: Reasons


class MoveBody(AgreedBody):
    """The booking that holds the new slot, and its terms, agreed."""

    to: IdText = Field(min_length=1)


class CancelBody(Body):
    """Why, by a code of `GET /v1/reasons`; PATIENT_OTHER takes the patient's own words too."""

    reason: Annotated[PatientReason, Field(strict=False)]
    text: str = Field(default="", max_length=500)


class RatingBody(Body):
    """What one thinks of it."""

    stars: int = Field(ge=1, le=5)
    text: str = Field(default="", max_length=500)


class BookingQuery(Body):
    """Which bookings: those not over (`upcoming`, soonest first), those over (`past`, latest first), or all; `after` is
    the `next` of the page before."""

    when: Literal["upcoming", "past", "all"] = "all"
    state: Standing | Literal[""] = ""
    after: str = Field(default="", max_length=200)
    most: int = Field(default=20, ge=1, le=50)


class LineAnswer(Answer):
    """A part of the price, in rupees."""

    title: str
    amount: str


class BookedQuote(Answer):
    """What it costs in all, in rupees, and how that is made up."""

    total: str
    lines: tuple[LineAnswer, ...]


class TermAnswer(Answer):
    """A term to show. `needs_reason`: agreeing to it takes a reason in the patient's words."""

    type: str
    title: str
    summary: str
    text: str
    needs_reason: bool
    text_hash: str


class BookedDoctor(Answer):
    """Who is seen, and where."""

    id: str
    name: str
    facility: str
    address: str


class PinAnswer(Answer):
    """What to show at the desk. `digits` are empty where they are not in memory: ask for the status."""

    digits: str = Field(repr=False)
    status: str
    valid_from: datetime | None
    valid_until: datetime | None


class BookedReach(Answer):
    """How to reach the facility. `join_url` is the link to a consultation online, empty unless it is about time for it;
    `grievance_contact` is who hears complaints about one."""

    helpline_number: str
    deep_link: str
    chatbot_link: str
    messaging: bool
    join_url: str = Field(repr=False)
    grievance_contact: str


class CancellationAnswer(Answer):
    """Who cancelled, and why; `offered_slot` is what the hospital offers instead, by its own id."""

    by: str
    reason: str
    offered_slot: str


class RatingAnswer(Answer):
    """What one thought of it; kept by this application and sent nowhere."""

    stars: int
    text: str
    rated_at: float


class BookingLine(Answer):
    """A booking in a list."""

    id: str
    member_id: str
    state: Standing
    doctor: BookedDoctor
    fulfilment: str
    start: datetime
    end: datetime
    total: str
    waits_for: str


class BookingAnswer(BookingLine):
    """A booking. `terms` are there while they are to be agreed; `held_until` is when the hold ends at the latest.
    `replaces` is the booking whose place it takes; `next_step` says what helps where something is awaited."""

    hospital_id: str
    order_id: str
    transaction_id: str
    consent_id: str
    replaces: str
    quote: BookedQuote
    held_until: datetime | None
    terms: tuple[TermAnswer, ...]
    pin: PinAnswer | None
    cancellation: CancellationAnswer | None
    reach: BookedReach
    rating: RatingAnswer | None
    price_mismatch: bool
    next_step: str

    def to_keep(self) -> Self:
        """See `Answer`: without the digits of a PIN and the link to a call, which are written nowhere."""
        kept = self.model_copy(update={"reach": self.reach.model_copy(update={"join_url": ""})})
        return kept.model_copy(update={"pin": self.pin.model_copy(update={"digits": ""})}) if self.pin else kept


class BookingList(Answer):
    """A page; `next` is empty on the last one."""

    bookings: tuple[BookingLine, ...]
    next: str


class ReasonAnswer(Answer):
    """Why a patient cancels. `takes_text`: the patient's own words are needed too."""

    code: str
    label: str
    takes_text: bool


class ReasonList(Answer):
    """Every reason there is."""

    reasons: tuple[ReasonAnswer, ...]


REASONS = ReasonList(
    reasons=tuple(
        ReasonAnswer(
            code=reason.value,
            label=reason.value.replace("_", " ").capitalize(),
            takes_text=reason is PatientReason.PATIENT_OTHER,
        )
        for reason in PatientReason
    )
)

"""What a provider may set about its own bookings; the rules of UHI are not among it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from uhi.booking.holds import HOLD, HoldLimits
from uhi.booking.hospital import Slot
from uhi.booking.join_links import JoinLinks
from uhi.booking.terms import default_terms
from uhi.messages.required import CONSULTATION
from uhi.messages.values import PHYSICAL, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings of a `ConsultationProvider`.

    `name` stands over its catalogues, its subscriber id where empty. `fulfilments` are the kinds of consultation it
    takes (`Physical`, `Online`). `select` answers quotes without a hold; NHA's networks have it off. `answers_empty`
    sends an empty catalogue where nothing fits, instead of silence. `terms` makes the five terms of an offer.
    `messaging_support`, `deep_link` and `chatbot_link` tell the patient how to reach the facility. `free_text_tag` is
    the tag for a reason in somebody's own words (no name is published for it; none is sent where it is empty).

    `hold` is how long an init keeps a slot, its start at the latest. A patient may cancel until `patient_notice` before
    the start (more than four hours have to stand in the terms: `default_terms` takes them); the facility may later than
    `facility_notice`, and that is recorded. A slot that the facility offers instead of the one it calls off is kept for
    the patient for `offer_hold`. `rescheduled_to_tag` names, in a cancellation, the order booked instead,
    `offered_slot_tag` the slot kept instead: neither is published, where empty nothing is read or sent.

    Of consultations online: `join_links` makes the links to calls (without it none are sent, and a call is set up by
    signals), `grievance_contact` is who hears complaints.
    """

    name: str = ""
    domain: str = CONSULTATION
    fulfilments: tuple[str, ...] = (PHYSICAL,)
    select: bool = False
    answers_empty: bool = True
    holds: HoldLimits = field(default_factory=HoldLimits)
    terms: Callable[[Slot], Sequence[Term]] = default_terms
    messaging_support: bool = False
    deep_link: str = ""
    chatbot_link: str = ""
    free_text_tag: str = ""
    hold: timedelta = HOLD
    patient_notice: timedelta = timedelta(0)
    facility_notice: timedelta = timedelta(hours=2)
    offer_hold: timedelta = timedelta(hours=24)
    rescheduled_to_tag: str = ""
    join_links: JoinLinks | None = None
    grievance_contact: str = ""
    offered_slot_tag: str = ""

"""What a patient's app reads of searches: how far one is, the doctors, the slots, and what to do about nothing.

Below: `merging`, `fitting`. Above: `routes`, `flowing`. Money is text with two decimals, in rupees; times are India's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from participants.patient.search.fitting import distance_of, years_of
from participants.patient.search.kept import Search
from participants.patient.search.merging import Board, Entry, FoundOffer
from participants.patient.search.searches import NOBODY_THERE
from participants.patient.search.wanted import Wanted
from uhi.api.routes import Answer
from uhi.booking.found import FoundSlot
from uhi.booking.hospital import Facility
from uhi.booking.quotes import Quote
from uhi.messages.values import IST, Place

_HINTS = {
    "urgent": "If this is sudden or severe, do not wait for an appointment: call 112 or go to the nearest emergency.",
    "symptom_unknown": "We have no word for this, so these are general physicians. Search for a speciality instead.",
    "no_result": "Nobody was found. Widen the search: more days, more kilometres, another place, fewer filters.",
    "no_answer": "No hospital has answered yet. Try again in a moment.",
    "not_sent": "The search could not be sent. Try again in a moment.",
    "nobody_there": "No hospital of this network offers that.",
    "left_out": "There are more doctors than can be shown. Narrow the search.",
}


class Hint(Answer):
    """A word to the patient: `code` for programs, `text` to show."""

    code: str
    text: str


class Progress(Answer):
    """How far a search is: `searching` while answers are waited for, `late` while late ones are still told, `over`.

    `answered` and `late` count hospitals' systems, `doctors` those found so far.
    """

    state: Literal["searching", "late", "over"]
    answered: int
    late: int
    doctors: int
    hints: tuple[Hint, ...] = ()


class FacilityAnswer(Answer):
    """Where a doctor sees patients."""

    name: str
    address: str
    city: str
    district: str
    state: str
    pincode: str
    hfr_id: str
    latitude: float | None
    longitude: float | None


class OfferAnswer(Answer):
    """A doctor as one hospital's system offers them; ask for slots with `ref`. `cached`: told `age` seconds ago to an
    earlier search, and the hospital may say otherwise now. `late`: it came when nobody waited any more."""

    ref: str
    provider_id: str
    provider_name: str
    fee: str
    cached: bool
    late: bool
    age: int = Field(ge=0)


class DoctorAnswer(Answer):
    """A doctor at one facility, in one kind of consultation. `ref`, `fee` and the rest are of the first offer."""

    id: str
    ref: str
    name: str
    hpr_address: str
    hpr_id: str
    gender: str
    kind: str
    speciality_code: str
    speciality: str
    education: str
    experience: str
    experience_years: float | None
    languages: str
    fee: str
    distance_km: float | None
    available_from: datetime | None
    available_until: datetime | None
    facility: FacilityAnswer
    cached: bool
    late: bool
    offers: tuple[OfferAnswer, ...]


class SearchNews(Answer):
    """One event of a search. `doctors` are new or changed, take the place of those with their id; those in `gone` are
    no longer there. `more` tells that there was no room for all: read the search."""

    progress: Progress
    provider_id: str = ""
    doctors: tuple[DoctorAnswer, ...] = ()
    gone: tuple[str, ...] = ()
    more: bool = False


class SearchPage(Answer):
    """A search, and a page of what it has found. `next` is the `cursor` of the following page, empty where there is
    none; a cursor shows the search as it was when its first page was read."""

    id: str
    progress: Progress
    doctors: tuple[DoctorAnswer, ...]
    next: str


class SearchBegun(Answer):
    """A search on its way."""

    id: str
    until: datetime


class SlotAnswer(Answer):
    """A free slot; book it with `ref`, by which it is known for an hour."""

    ref: str
    start: datetime
    end: datetime
    kind: str
    fee: str


class SlotList(Answer):
    """The free slots from one day to another. `next` is the `from` of what follows, none where that was all."""

    slots: tuple[SlotAnswer, ...]
    next: date | None


class QuoteLineAnswer(Answer):
    """One line of a price."""

    title: str
    amount: str


class QuoteAnswer(Answer):
    """What a slot costs."""

    total: str
    lines: tuple[QuoteLineAnswer, ...]


def progress_of(search: Search, board: Board, *, now: float) -> Progress:
    """How far a search is."""
    state: Literal["searching", "late", "over"] = "searching"
    if now >= search.until:
        state = "over" if now >= search.over_at else "late"
    return Progress(
        state=state,
        answered=board.answered,
        late=board.late,
        doctors=board.size,
        hints=tuple(Hint(code=code, text=_HINTS[code]) for code in _hints(search, board, state)),
    )


def _hints(search: Search, board: Board, state: str) -> Iterator[str]:
    if search.wanted.urgent:
        yield "urgent"
    if not search.wanted.symptom_known:
        yield "symptom_unknown"
    if board.left_out:
        yield "left_out"
    if search.failed:
        yield "nobody_there" if search.failed == NOBODY_THERE else "not_sent"
    elif state != "searching" and not board.answered:
        yield "no_answer"
    elif state != "searching" and not board.size:
        yield "no_result"


def doctor_answer(entry: Entry, wanted: Wanted, *, now: float) -> DoctorAnswer:
    """A doctor as a patient sees them."""
    doctor, best = entry.doctor, entry.offers[0]
    distance = distance_of(wanted, doctor)
    speciality, times = doctor.speciality, doctor.available
    return DoctorAnswer(
        id=entry.id,
        ref=best.ref,
        name=doctor.name,
        hpr_address=doctor.id,
        hpr_id=doctor.hpr_id,
        gender=doctor.gender,
        kind=wanted.kind,
        speciality_code=speciality.code if speciality else "",
        speciality=speciality.name if speciality else "",
        education=doctor.education,
        experience=doctor.experience,
        experience_years=years_of(doctor),
        languages=doctor.languages,
        fee=_money(doctor.price),
        distance_km=None if distance is None else round(distance, 1),
        available_from=times.start.astimezone(IST) if times else None,
        available_until=times.end.astimezone(IST) if times else None,
        facility=_facility(doctor.facility),
        cached=best.by.cached,
        late=best.by.late,
        offers=tuple(_offer(offer, now) for offer in entry.offers),
    )


def slot_answer(ref: str, found: FoundSlot) -> SlotAnswer:
    """A slot as a patient sees it."""
    slot = found.slot
    return SlotAnswer(
        ref=ref,
        start=slot.start.astimezone(IST),
        end=slot.end.astimezone(IST),
        kind=slot.fulfilment,
        fee=_money(slot.price),
    )


def quote_answer(quote: Quote) -> QuoteAnswer:
    """A price as a patient sees it."""
    lines = tuple(QuoteLineAnswer(title=line.title, amount=_money(line.amount)) for line in quote.lines)
    return QuoteAnswer(total=_money(quote.total), lines=lines)


def _offer(offer: FoundOffer, now: float) -> OfferAnswer:
    return OfferAnswer(
        ref=offer.ref,
        provider_id=offer.by.provider_id,
        provider_name=offer.by.provider_name,
        fee=_money(offer.found.doctor.price),
        cached=offer.by.cached,
        late=offer.by.late,
        age=max(0, int(now - offer.by.at)),
    )


def _facility(facility: Facility) -> FacilityAnswer:
    return FacilityAnswer(
        name=facility.name,
        address=facility.address,
        city=_place(facility.city),
        district=_place(facility.district),
        state=_place(facility.state),
        pincode=facility.pincode,
        hfr_id=facility.hfr_id,
        latitude=facility.point.latitude if facility.point else None,
        longitude=facility.point.longitude if facility.point else None,
    )


def _place(place: Place | None) -> str:
    return (place.name or place.code or "") if place else ""


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"

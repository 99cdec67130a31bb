"""Bookings as they are shown to whose they are, and where a page ended.

Above: `routes`; below: `answers`, `desk`.
"""

from __future__ import annotations

from participants.patient.bookings.answers import (
    BookedDoctor,
    BookedQuote,
    BookedReach,
    BookingAnswer,
    BookingLine,
    CancellationAnswer,
    LineAnswer,
    PinAnswer,
    RatingAnswer,
    Standing,
    TermAnswer,
)
from participants.patient.bookings.desk import Shown
from participants.patient.bookings.rows import CONFIRM, text_hash
from uhi.booking.appointments import Booking
from uhi.booking.hospital import Doctor
from uhi.booking.quotes import Quote
from uhi.booking.states import OrderState
from uhi.messages.values import Term


def state_of(shown: Shown, *, now: float) -> Standing:
    """How a booking stands for whose it is."""
    booking = shown.booking
    if booking.state is not OrderState.HELD:
        return Standing(booking.state.value)
    if shown.ours.waits_for == CONFIRM:
        return Standing.PENDING
    until = booking.held_until
    return Standing.EXPIRED if until is not None and until.timestamp() <= now else Standing.HELD


def line_answer(shown: Shown, *, now: float) -> BookingLine:
    """A booking as a list shows it."""
    ours, booking = shown.ours, shown.booking
    slot = booking.slot
    return BookingLine(
        id=ours.id,
        member_id=ours.member_id,
        state=state_of(shown, now=now),
        doctor=_doctor(slot.doctor),
        fulfilment=slot.fulfilment,
        start=slot.start,
        end=slot.end,
        total=str(booking.quote.total),
        waits_for=ours.waits_for,
    )


def booking_answer(shown: Shown, *, now: float) -> BookingAnswer:
    """A booking as it is shown to whose it is."""
    ours, booking = shown.ours, shown.booking
    line = line_answer(shown, now=now)
    state = line.state
    return BookingAnswer(
        **dict(line),
        hospital_id=ours.key.provider_id,
        order_id=ours.key.order_id,
        transaction_id=booking.thread.transaction_id,
        consent_id=ours.consent_id,
        replaces=ours.replaces_id,
        quote=_quote(booking.quote),
        held_until=booking.held_until,
        terms=tuple(map(_term, ours.offer.terms)) if state in {Standing.HELD, Standing.PENDING} else (),
        pin=_pin(booking),
        cancellation=_cancellation(booking),
        reach=BookedReach(
            helpline_number=booking.reach.helpline_number,
            deep_link=booking.reach.deep_link,
            chatbot_link=booking.reach.chatbot_link,
            messaging=booking.reach.messaging,
            join_url=booking.reach.join_url if _is_about_time(shown, now) else "",
            grievance_contact=booking.reach.grievance_contact,
        ),
        rating=_rating(shown),
        price_mismatch=booking.price_mismatch,
        next_step=_next_step(shown, state),
    )


def _is_about_time(shown: Shown, now: float) -> bool:
    slot, around = shown.booking.slot, shown.around
    return (slot.start - around.before).timestamp() <= now <= (slot.end + around.after).timestamp()


def _doctor(doctor: Doctor) -> BookedDoctor:
    facility = doctor.facility
    return BookedDoctor(id=doctor.id, name=doctor.name, facility=facility.name, address=facility.address)


def _quote(quote: Quote) -> BookedQuote:
    lines = tuple(LineAnswer(title=line.title, amount=str(line.amount)) for line in quote.lines)
    return BookedQuote(total=str(quote.total), lines=lines)


def _term(term: Term) -> TermAnswer:
    told = term.descriptor
    return TermAnswer(
        type=term.type or "",
        title=(told and told.name) or "",
        summary=(told and told.short_desc) or "",
        text=(told and told.long_desc) or "",
        needs_reason=term.needs_reason,
        text_hash=text_hash(term),
    )


def _pin(booking: Booking) -> PinAnswer | None:
    if not booking.pin_status and not booking.pin:
        return None
    valid = booking.pin_valid
    return PinAnswer(
        digits=booking.pin,
        status=booking.pin_status,
        valid_from=valid.start if valid else None,
        valid_until=valid.end if valid else None,
    )


def _cancellation(booking: Booking) -> CancellationAnswer | None:
    if booking.cancellation is None:
        return None
    told = booking.cancellation
    return CancellationAnswer(by=told.by.value, reason=told.reason, offered_slot=booking.offered_slot)


def _rating(shown: Shown) -> RatingAnswer | None:
    given = shown.rating
    return RatingAnswer(stars=given.stars, text=given.text, rated_at=given.rated_at) if given else None


def _next_step(shown: Shown, state: Standing) -> str:
    if shown.booking.price_mismatch:
        return "The hospital named another price and the booking is being called off; choose another slot."
    if state is Standing.PENDING:
        return "The hospital has not answered yet; it may still confirm. POST its status later."
    if shown.ours.waits_for and state is Standing.CONFIRMED:
        return "The hospital has not answered to the cancellation yet. POST its status later."
    if shown.booking.offered_slot:
        return "The hospital keeps another slot: POST its offered-slot, and confirm that booking."
    return ""

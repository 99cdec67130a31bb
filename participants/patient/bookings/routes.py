"""One's bookings over HTTP. Everything is one's own; what is another's is answered as missing.

Above: the program; below: `desk`, `calendar`. Source: security rules "IAM" (case IAM-01), decisions 30 and 38.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from participants.patient.bookings.answers import (
    REASONS,
    AgreedBody,
    BookingAnswer,
    BookingList,
    BookingQuery,
    CancelBody,
    HoldBody,
    MoveBody,
    RatingBody,
    ReasonList,
    Standing,
)
from participants.patient.bookings.calendar import MEDIA, write_calendar
from participants.patient.bookings.desk import BookingDesk, Shown
from participants.patient.bookings.rows import Ours, Wish
from participants.patient.bookings.showing import booking_answer, line_answer
from participants.patient.people.members import Members
from participants.patient.people.routes import OWN, OWN_READ
from uhi.api.routes import Body, Call, Nothing, Raw, Routes, Sent
from uhi.booking.cursors import read_cursor, write_cursor
from uhi.faults import (
    ALREADY_TAKEN,
    CONSENT_REQUIRED,
    HOSPITAL_AWAY,
    HOSPITAL_DECLINED,
    HOSPITAL_SILENT,
    RECORD_MISSING,
    STATE_REFUSED,
)
from uhi.identity.rules import PUBLIC, Target

_ONE = "/v1/bookings/{id}"
_ASKS = (HOSPITAL_DECLINED, HOSPITAL_AWAY, HOSPITAL_SILENT, STATE_REFUSED, RECORD_MISSING)
_MOST_IN_A_CALENDAR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRoutes:
    """`host` is the application's, for calendars."""

    desk: BookingDesk
    members: Members
    host: str

    def routes(self) -> tuple[Routes, ...]:
        """The groups of routes."""
        return (self._reading(), self._booking())

    def _reading(self) -> Routes:
        group = Routes("bookings")
        calendar = partial(group.route, "GET", rule=OWN_READ, body=Nothing, answer=Raw, media=MEDIA)
        group.route("GET", "/v1/reasons", PUBLIC, body=Nothing, answer=ReasonList, kept_seconds=300)(self.list_reasons)
        group.route("GET", "/v1/bookings", OWN_READ, body=BookingQuery, answer=BookingList)(self.list_bookings)
        calendar(path="/v1/bookings/calendar.ics")(self.get_calendar)
        group.route("GET", _ONE, OWN_READ, body=Nothing, answer=BookingAnswer)(self.get_booking)
        calendar(path=f"{_ONE}/calendar.ics")(self.get_booking_calendar)
        return group

    def _booking(self) -> Routes:
        group = Routes("booking")
        post = partial(group.route, "POST", rule=OWN, answer=BookingAnswer, key="required")
        asks, consented = partial(post, refuses=_ASKS), (*_ASKS, CONSENT_REQUIRED, ALREADY_TAKEN)
        post(path="/v1/bookings", body=HoldBody, status=201, refuses=consented)(self.hold_slot)
        post(path=f"{_ONE}/offered-slot", body=Nothing, status=201, refuses=consented)(self.hold_offered_slot)
        post(path=f"{_ONE}/confirm", body=AgreedBody, others=(202,), refuses=consented)(self.confirm_booking)
        post(path=f"{_ONE}/reschedule", body=MoveBody, others=(202,), refuses=consented)(self.move_booking)
        asks(path=f"{_ONE}/cancel", body=CancelBody, others=(202,))(self.cancel_booking)
        asks(path=f"{_ONE}/status", rule=OWN_READ, body=Nothing)(self.ask_status)
        asks(path=f"{_ONE}/doctor-no-show", body=Nothing)(self.report_doctor_no_show)
        post(path=f"{_ONE}/rating", body=RatingBody, refuses=(STATE_REFUSED,))(self.rate_booking)
        return group

    async def list_reasons(self, _: Call[Nothing]) -> ReasonList:
        """The reasons a patient may cancel for."""
        return REASONS

    async def list_bookings(self, call: Call[BookingQuery]) -> BookingList:
        """One's bookings, a page at a time."""
        call.permit(Target(account_id=call.principal.id))
        asked = call.body
        wish = Wish(
            account_id=call.principal.id,
            since=call.now if asked.when == "upcoming" else None,
            until=call.now if asked.when == "past" else None,
            standings=frozenset({asked.state}) if asked.state else frozenset(),
            now=call.now,
            after=read_cursor(asked.after) if asked.after else None,
            newest=asked.when == "past",
            most=asked.most + 1,
        )
        found = await self.desk.page(wish)
        page = found[: asked.most]
        lines = tuple(line_answer(shown, now=call.now) for _, shown in page)
        is_last = len(found) <= asked.most
        return BookingList(bookings=lines, next="" if is_last else write_cursor(page[-1][0], page[-1][1].ours.id))

    async def get_calendar(self, call: Call[Nothing]) -> Raw:
        """One's upcoming appointments as a calendar."""
        call.permit(Target(account_id=call.principal.id))
        booked = frozenset({Standing.CONFIRMED, Standing.APPOINTMENT_STARTED})
        wish = Wish(account_id=call.principal.id, since=call.now, standings=booked, most=_MOST_IN_A_CALENDAR)
        found = await self.desk.page(wish)
        return Raw(content=write_calendar([shown for _, shown in found], host=self.host, at=call.now))

    async def get_booking(self, call: Call[Nothing]) -> BookingAnswer:
        """One booking, with the PIN while it is in memory."""
        return booking_answer(await self.desk.show(await self._own(call)), now=call.now)

    async def get_booking_calendar(self, call: Call[Nothing]) -> Raw:
        """One appointment as a calendar."""
        shown = await self.desk.show(await self._own(call))
        return Raw(content=write_calendar([shown], host=self.host, at=call.now))

    async def hold_slot(self, call: Call[HoldBody]) -> BookingAnswer:
        """Hold a slot for a member for 15 minutes; show the price and every term before confirming."""
        member = await self.members.get(call.body.member_id)
        call.permit(Target(account_id=member.account_id))
        return booking_answer(await self.desk.hold(member, call.body.slot, acting=call.acting), now=call.now)

    async def hold_offered_slot(self, call: Call[Nothing]) -> BookingAnswer:
        """Hold the slot that the hospital offers in the place of this booking, which it called off."""
        ours = await self._own(call)
        member = await self.members.get(ours.member_id)
        call.permit(Target(account_id=member.account_id))
        return booking_answer(await self.desk.hold_offered(ours, member, acting=call.acting), now=call.now)

    async def confirm_booking(self, call: Call[AgreedBody]) -> Sent[BookingAnswer]:
        """Book what is held; 202 where the hospital has not answered yet."""
        shown = await self.desk.confirm(await self._own(call), call.body.agreed, acting=call.acting)
        return _sent(shown, call.now)

    async def move_booking(self, call: Call[MoveBody]) -> Sent[BookingAnswer]:
        """Confirm another held slot in the place of this booking, which is cancelled then."""
        old, new = await self._own(call), await self.desk.get(call.body.to)
        call.permit(Target(account_id=new.account_id))
        return _sent(await self.desk.move(old, new, call.body.agreed, acting=call.acting), call.now)

    async def cancel_booking(self, call: Call[CancelBody]) -> Sent[BookingAnswer]:
        """Cancel a booking; 202 where the hospital has not answered yet."""
        body = call.body
        shown = await self.desk.cancel(await self._own(call), body.reason.value, body.text, acting=call.acting)
        return _sent(shown, call.now)

    async def ask_status(self, call: Call[Nothing]) -> BookingAnswer:
        """Ask the hospital how a booking stands; brings the PIN back."""
        return booking_answer(await self.desk.ask(await self._own(call)), now=call.now)

    async def report_doctor_no_show(self, call: Call[Nothing]) -> BookingAnswer:
        """Tell the hospital that the doctor did not come."""
        return booking_answer(await self.desk.report(await self._own(call), acting=call.acting), now=call.now)

    async def rate_booking(self, call: Call[RatingBody]) -> BookingAnswer:
        """Rate an appointment; kept here and sent nowhere."""
        body = call.body
        shown = await self.desk.rate(await self._own(call), body.stars, body.text, acting=call.acting)
        return booking_answer(shown, now=call.now)

    async def _own(self, call: Call[Body]) -> Ours:
        ours = await self.desk.get(call.path["id"])
        call.permit(Target(account_id=ours.account_id))
        return ours


def _sent(shown: Shown, now: float) -> Sent[BookingAnswer]:
    return Sent(booking_answer(shown, now=now), status=202 if shown.ours.waits_for else None)

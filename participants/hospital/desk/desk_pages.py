"""The front desk over HTTP: the appointments of one's own organisation, and every step the desk may take.

Each call is an audited look at patients' data. Above: the hospital's program; below: `counter`. Source: security rules
"IAM", NHA Physical Consultation v2.0 (PIN authorization, reason codes).
"""

from __future__ import annotations

from dataclasses import replace

from participants.hospital.desk.answers import AppointmentDetail, AppointmentList, PinChecked
from participants.hospital.desk.asked import (
    CancellationBody,
    CompletionBody,
    DeskQuery,
    MoveBody,
    OverrideBody,
    PinBody,
)
from participants.hospital.desk.counter import PERMISSIONS, Counter, days_of, steps_of
from participants.hospital.desk.refusing import TOLD
from uhi.api.routes import Call, Nothing, Routes
from uhi.booking.agenda import OrderFilter, OrderPage
from uhi.booking.states import Party
from uhi.faults import RECORD_MISSING
from uhi.identity.rules import Relation, Rule, Target

DESK = Rule(PERMISSIONS[Party.DESK], Relation.OWN_TENANT, reads_patients=True)
ALL = "/v1/appointments"
ONE = f"{ALL}/{{id}}"


class DeskPages:
    """What the front desk sees and does."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._provider = counter.provider

    def routes(self) -> Routes:
        """The group of routes, with each step that the desk may take."""
        group, answer, may = Routes("desk", explains=True), AppointmentDetail, steps_of(Party.DESK)
        group.route("GET", ALL, DESK, body=DeskQuery, answer=AppointmentList, refuses=(RECORD_MISSING,))(
            self.list_appointments
        )
        group.route("GET", ONE, DESK, body=Nothing, answer=answer)(self.get_appointment)
        if "pin" in may:
            group.route("POST", f"{ONE}/pin", DESK, body=PinBody, answer=PinChecked, refuses=TOLD)(self.check_pin)
        if "override" in may:
            path = f"{ONE}/override"
            group.route("POST", path, DESK, body=OverrideBody, answer=answer, refuses=TOLD)(self.override_pin)
        if "start" in may:
            group.route("POST", f"{ONE}/start", DESK, body=Nothing, answer=answer, refuses=TOLD)(self.start_appointment)
        if "complete" in may:
            path = f"{ONE}/complete"
            group.route("POST", path, DESK, body=CompletionBody, answer=answer, refuses=TOLD)(self.complete_appointment)
        if "no-show" in may:
            path = f"{ONE}/no-show"
            group.route("POST", path, DESK, body=Nothing, answer=answer, refuses=TOLD)(self.report_no_show)
        if "cancel" in may:
            path = f"{ONE}/cancel"
            group.route("POST", path, DESK, body=CancellationBody, answer=answer, refuses=TOLD)(self.cancel_appointment)
        if "move" in may:
            group.route("POST", f"{ONE}/move", DESK, body=MoveBody, answer=answer, refuses=TOLD)(self.move_appointment)
        return group

    async def list_appointments(self, call: Call[DeskQuery]) -> AppointmentList:
        """Appointments of one's own organisation, by when they start; the present day's where no days are named."""
        asked = call.body
        if asked.q:
            return self._counter.listed(OrderPage((await self._counter.own(call, asked.q),)))
        return await self._counter.page(self._filter(call))

    async def get_appointment(self, call: Call[Nothing]) -> AppointmentDetail:
        """Everything about one appointment, and what happened to it."""
        return await self._counter.detail(call)

    async def check_pin(self, call: Call[PinBody]) -> PinChecked:
        """Check the PIN that the patient shows; there are three tries."""
        return await self._counter.check_pin(call, call.body.pin)

    async def override_pin(self, call: Call[OverrideBody]) -> AppointmentDetail:
        """Let the consultation start without the PIN, for a reason."""
        asked = call.body
        return await self._counter.take(
            call,
            lambda visit, who: self._provider.override_pin(visit, asked.reason.value, text=asked.text, by=who),
        )

    async def start_appointment(self, call: Call[Nothing]) -> AppointmentDetail:
        """Say that the consultation has begun; the patient's application is told."""
        return await self._counter.take(call, lambda visit, who: self._provider.started(visit, by=who))

    async def complete_appointment(self, call: Call[CompletionBody]) -> AppointmentDetail:
        """Say that the consultation is over; once more when the id of its records is known."""
        records = call.body.care_context_id
        return await self._counter.take(
            call, lambda visit, who: self._provider.completed(visit, care_context_id=records, by=who)
        )

    async def report_no_show(self, call: Call[Nothing]) -> AppointmentDetail:
        """Say that the patient did not come."""
        return await self._counter.take(call, lambda visit, who: self._provider.no_show(visit, by=who))

    async def cancel_appointment(self, call: Call[CancellationBody]) -> AppointmentDetail:
        """Call an appointment off, for a reason; the patient's application is told."""
        return await self._counter.cancel(call, call.body)

    async def move_appointment(self, call: Call[MoveBody]) -> AppointmentDetail:
        """Call an appointment off and offer the patient another slot, which is kept for them meanwhile."""
        return await self._counter.move(call, call.body)

    def _filter(self, call: Call[DeskQuery]) -> OrderFilter:
        asked, places = call.body, self._counter.places
        wanted = days_of(asked, now=call.now)
        own = places.locations_of(call.principal.tenants_with(PERMISSIONS[Party.DESK]))
        if asked.location_id:
            call.permit(Target(tenant=places.organisation_at(asked.location_id) or None), path="location_id")
            own &= {asked.location_id}
        if asked.practitioner_id:
            address = places.address_of(asked.practitioner_id)
            wanted = replace(wanted, practitioner_ids=frozenset(filter(None, (address,))))
        return replace(wanted, facility_ids=own)

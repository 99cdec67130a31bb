"""The consulting room over HTTP: a clinician's own patients, and the steps that the clinician may take.

Each call is an audited look at patients' data. Above: the hospital's program; below: `counter`. Source: security rules
"IAM" (clinician: own patients).
"""

from __future__ import annotations

from dataclasses import replace

from participants.hospital.desk.answers import AppointmentDetail, AppointmentList
from participants.hospital.desk.asked import CompletionBody, OwnQuery
from participants.hospital.desk.counter import PERMISSIONS, Counter, days_of, steps_of
from participants.hospital.desk.refusing import TOLD
from uhi.api.routes import Call, Nothing, Routes
from uhi.booking.states import Party
from uhi.identity.rules import Relation, Rule

CLINIC = Rule(PERMISSIONS[Party.CLINICIAN], Relation.OWN_PATIENTS, reads_patients=True)
ALL = "/v1/clinic/appointments"
ONE = f"{ALL}/{{id}}"


class ClinicPages:
    """What a clinician sees and does."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._provider = counter.provider

    def routes(self) -> Routes:
        """The group of routes, with each step that the clinician may take."""
        group, answer, may = Routes("clinic", explains=True), AppointmentDetail, steps_of(Party.CLINICIAN)
        group.route("GET", ALL, CLINIC, body=OwnQuery, answer=AppointmentList)(self.list_own_appointments)
        group.route("GET", ONE, CLINIC, body=Nothing, answer=answer)(self.get_own_appointment)
        if "start" in may:
            path = f"{ONE}/start"
            group.route("POST", path, CLINIC, body=Nothing, answer=answer, refuses=TOLD)(self.start_own_appointment)
        if "complete" in may:
            path = f"{ONE}/complete"
            group.route("POST", path, CLINIC, body=CompletionBody, answer=answer, refuses=TOLD)(
                self.complete_own_appointment
            )
        return group

    async def list_own_appointments(self, call: Call[OwnQuery]) -> AppointmentList:
        """One's own appointments, by when they start; the present day's where no days are named."""
        places, principal = self._counter.places, call.principal
        wanted = replace(
            days_of(call.body, now=call.now),
            # Whoever is tied to nobody, or to somebody who is not known, has no patients.
            practitioner_ids=frozenset(filter(None, (places.address_of(principal.practitioner_id),))),
            facility_ids=places.locations_of(principal.tenants_with(PERMISSIONS[Party.CLINICIAN])),
        )
        return await self._counter.page(wanted)

    async def get_own_appointment(self, call: Call[Nothing]) -> AppointmentDetail:
        """Everything about one of one's own appointments, and what happened to it."""
        return await self._counter.detail(call)

    async def start_own_appointment(self, call: Call[Nothing]) -> AppointmentDetail:
        """Say that one's own consultation has begun; the patient's application is told."""
        return await self._counter.take(call, lambda visit, who: self._provider.started(visit, by=who))

    async def complete_own_appointment(self, call: Call[CompletionBody]) -> AppointmentDetail:
        """Say that one's own consultation is over; once more when the id of its records is known."""
        records = call.body.care_context_id
        return await self._counter.take(
            call, lambda visit, who: self._provider.completed(visit, care_context_id=records, by=who)
        )

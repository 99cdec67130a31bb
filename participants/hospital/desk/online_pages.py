"""Consultations online over HTTP: consent taken down, who came to the call and left it, the link by which one joins.

Both for the front desk's own organisation and a clinician's own patients. Above: the hospital's program; below:
`counter`. Source: privacy rules "Teleconsultation".
"""

from __future__ import annotations

from participants.hospital.desk.answers import AppointmentDetail, JoinAnswer
from participants.hospital.desk.asked import ConsentBody, PresenceBody
from participants.hospital.desk.clinic_pages import CLINIC
from participants.hospital.desk.clinic_pages import ONE as OWN
from participants.hospital.desk.counter import Counter, steps_of
from participants.hospital.desk.desk_pages import DESK, ONE
from participants.hospital.desk.refusing import TOLD
from uhi.api.routes import Call, Nothing, Routes
from uhi.booking.consulting import CallStep
from uhi.booking.states import Party
from uhi.booking.telemedicine import Attendance


class OnlinePages:
    """What the staff do around a call."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._provider = counter.provider

    def routes(self) -> tuple[Routes, Routes]:
        """The groups of the desk and of clinicians, with each step that they may take."""
        desk, clinic, answer = (
            Routes("desk calls", explains=True),
            Routes("clinic calls", explains=True),
            AppointmentDetail,
        )
        for group, rule, path, party, steps in (
            (desk, DESK, ONE, Party.DESK, (self.record_consent, self.note_presence)),
            (clinic, CLINIC, OWN, Party.CLINICIAN, (self.record_own_consent, self.note_own_presence)),
        ):
            may = steps_of(party)
            consented, came = steps
            if "consent" in may:
                group.route("POST", f"{path}/consent", rule, body=ConsentBody, answer=answer, refuses=TOLD)(consented)
            if "presence" in may:
                group.route("POST", f"{path}/presence", rule, body=PresenceBody, answer=answer, refuses=TOLD)(came)
        clinic.route("GET", f"{OWN}/join", CLINIC, body=Nothing, answer=JoinAnswer, refuses=TOLD)(self.get_join_link)
        return desk, clinic

    async def record_consent(self, call: Call[ConsentBody]) -> AppointmentDetail:
        """Put down that the patient was asked, and agreed to be consulted online."""
        return await self._consented(call)

    async def note_presence(self, call: Call[PresenceBody]) -> AppointmentDetail:
        """Put down who joined the call, left it, or, being one of several doctors, did not come."""
        return await self._came(call)

    async def record_own_consent(self, call: Call[ConsentBody]) -> AppointmentDetail:
        """Put down that one's own patient was asked, and agreed to be consulted online."""
        return await self._consented(call)

    async def note_own_presence(self, call: Call[PresenceBody]) -> AppointmentDetail:
        """Put down who joined the call with one's own patient, left it, or did not come."""
        return await self._came(call)

    async def get_join_link(self, call: Call[Nothing]) -> JoinAnswer:
        """The link by which one joins the call with one's own patient; empty where calls are set up by signals."""
        return await self._counter.join_link(call)

    async def _consented(self, call: Call[ConsentBody]) -> AppointmentDetail:
        asked = call.body
        return await self._counter.take(
            call, lambda visit, who: self._provider.record_consent(visit, asked.mode, text=asked.text, by=who)
        )

    async def _came(self, call: Call[PresenceBody]) -> AppointmentDetail:
        asked = call.body
        is_calling = asked.what is Attendance.JOINED
        seen = CallStep(asked.who, asked.what, asked.mode, is_calling)
        return await self._counter.take(call, lambda visit, who: self._provider.attended(visit, seen, by=who))

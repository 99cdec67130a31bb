"""Consultations online at a hospital that runs on the library, with one doctor and with two, on both databases."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from participants.hospital.bootstrap import policy_of
from participants.hospital.loading import load_hospital_file
from tests.api.hall import OPERATOR
from tests.booking.ward import REGISTERED as DOCTOR
from tests.booking.ward import THREAD, Front, slot
from tests.conversation.scene import PDF, chat
from tests.participants.hospital.house import ASHA, CLINIC, MEENA, NAIR, RAVI, WAIT, House
from tests.participants.hospital.premises import settings_in
from tests.participants.hospital.test_flow import storage_of
from tests.participants.hospital.towns import CITY
from uhi.actions import TO_CONSUMER, TO_PROVIDER, Decline
from uhi.booking import Booking, DoctorQuery, FoundSlot, OrderState
from uhi.booking.intents import write_search
from uhi.booking.rebuilding import check
from uhi.conversation import Prescription, Why
from uhi.errors import BookingDeclined, ContentRefused
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.messages.conversation import ChatContent, MessageToConsumer, MessageToProvider
from uhi.messages.values import ONLINE
from uhi.network import NETWORKS
from uhi.testing.network import GATEWAY_ID
from uhi.verified import Verified

REGISTERED = "        registration_number: MMC/1\n        council: Maharashtra Medical Council\n"
TOWN = CITY.replace("        fee:", f"{REGISTERED}        fulfilments: [Physical, Online]\n        fee:")
SIGNAL = "video_call_signalling"


@dataclass
class Clinic:
    """The hospital, its doctors' headers, and what the patient's application was told."""

    house: House
    asha: dict[str, str] = field(default_factory=dict)
    nair: dict[str, str] = field(default_factory=dict)
    told: list[ChatContent] = field(default_factory=list)

    async def slots(self, doctor: str = ASHA) -> tuple[FoundSlot, ...]:
        """The free slots online of a doctor."""
        query = DoctorQuery(hpr=doctor, fulfilment=ONLINE)
        async for found in self.house.bookings.find(query, wait=WAIT):
            return await self.house.bookings.slots(found, wait=WAIT)
        return ()

    async def book(self, number: int = 0) -> Booking:
        """A confirmed consultation online; it is time for it."""
        house, slots = self.house, await self.slots()
        offer = await house.bookings.hold(slots[number], RAVI, wait=WAIT)
        agreed = {term.type or "": "" for term in offer.terms}
        booking = await house.bookings.confirm(offer, agreed=agreed, wait=WAIT)
        house.be(booking.slot.start - timedelta(minutes=5))
        self.asha, self.nair = await house.clinician(ASHA), await house.clinician(NAIR)
        return booking

    async def says(self, booking: Booking, content: ChatContent) -> None:
        """The patient's application sends something about a booking."""
        message = MessageToProvider(intent=chat(content, sender=RAVI.id, receiver=ASHA))
        await self.house.app.tell(TO_PROVIDER, message, booking.thread)
        await self.house.network.settle()

    async def step(self, booking: Booking, name: str, header: dict[str, str], /, **body: object) -> dict:
        """A step of a doctor; how the appointment is then."""
        path = f"/v1/clinic/appointments/{booking.order_id}/{name}"
        got = await self.house.ask("POST", path, headers=header, json=body)
        assert got.status == 200, got.text
        await self.house.network.settle()
        return got.json

    async def see(self, booking: Booking, name: str, header: dict[str, str]) -> tuple[int, dict]:
        """What a doctor is shown."""
        got = await self.house.ask("GET", f"/v1/clinic/appointments/{booking.order_id}{name}", headers=header)
        return got.status, got.json


@pytest.fixture
async def clinic(database_url: str, tmp_path: Path) -> AsyncIterator[Clinic]:
    """Two registered doctors who see patients online and in person."""
    more = {"meetings_url": "https://meet.example", "grievance_contact": "1800 000 0999"}
    async with House.open(database_url, tmp_path, **more) as house:
        file = tmp_path / "hospital.yaml"
        file.write_text(TOWN, "utf-8")
        loaded = await load_hospital_file(house.database, file, acting=OPERATOR)
        house.organisations.append(loaded.organisation_id)
        await house.program.look_up()
        opened = Clinic(house)

        @house.app.on(TO_CONSUMER)
        async def hear(message: Verified[MessageToConsumer]) -> None:
            opened.told.append(message.message.intent.chat.content)

        yield opened


async def together(clinic: Clinic) -> None:
    """Have Dr. Nair take part in what Dr. Verma offers online."""
    house = clinic.house
    admin = await house.person(Grant(AccessRole.HOSPITAL_ADMIN, house.city))
    query = {"kind": ONLINE, "practitioner_id": house.record_of(ASHA)}
    (offer,) = (await house.ask("GET", "/v1/services", headers=admin, params=query)).json["services"]
    change = {"version": offer["version"], "group": [house.record_of(NAIR)]}
    done = await house.ask("PATCH", f"/v1/services/{offer['id']}", headers=admin, json=change)
    assert done.status == 200, done.text
    await house.program.look_up()


async def test_whole_consultation_online(clinic):
    """Issue 5: search, slots, init, confirm, chat, call, consent, start, prescription, complete; the stream has it."""
    booking = await clinic.book()
    await clinic.says(booking, ChatContent(content_id="c-1", content_value="SGVsbG8=", content_type="text"))
    await clinic.step(booking, "messages", clinic.asha, text="Good morning")
    offer = ChatContent(content_id="c-2", content_value='{"type":"OFFER","data":{}}', content_type=SIGNAL)
    await clinic.says(booking, offer)
    await clinic.step(booking, "start", clinic.asha)
    paper = {"name": "p.pdf", "media_type": "application/pdf", "content": base64.b64encode(PDF).decode()}
    await clinic.step(booking, "documents", clinic.asha, **paper, hi_type="prescription", medicines=["Paracetamol"])

    done = await clinic.step(booking, "complete", clinic.asha, care_context_id="visit-1")

    kinds = [each["kind"] for each in done["history"]]
    assert kinds[2:] == ["CONFIRMED", "CONSENT_GIVEN", "JOINED", "STARTED", "COMPLETED"]
    assert done["online"]["consents"][0] | {"at": ""} == {
        "initiator": "patient",
        "is_explicit": False,
        "mode": "video",
        "text": "",
        "at": "",
    }
    assert (done["online"]["mode"], done["appointment"]["pin"]) == ("video", None)
    assert [each.content_type for each in clinic.told] == ["text", "media"]
    assert await check(storage_of(clinic.house), CLINIC, clinic.house.clock.now()) == []


async def test_patient_has_the_link_while_there_is_a_call(clinic):
    """UHI teleconsultation: from on_confirm on, and no more when it is over."""
    booking = await clinic.book()
    status, joins = await clinic.see(booking, "/join", clinic.asha)
    await clinic.step(booking, "consent", clinic.asha, mode="audio", text="yes")
    await clinic.step(booking, "start", clinic.asha)
    begun = await clinic.house.bookings.status(booking, wait=WAIT)
    await clinic.step(booking, "complete", clinic.asha)

    over = await clinic.house.bookings.status(booking, wait=WAIT)

    assert booking.reach.join_url.startswith("https://meet.example/uhi-")
    assert (status, joins) == (200, {"url": booking.reach.join_url})
    assert (begun.reach.join_url, over.reach.join_url) == (booking.reach.join_url, "")
    assert over.reach.grievance_contact == "1800 000 0999"
    assert (await clinic.see(booking, "/join", clinic.asha))[0] == 409


async def test_start_of_the_doctor_needs_consent(clinic):
    """Telemedicine guidelines: where the doctor begins, consent is recorded first."""
    booking = await clinic.book()

    path = f"/v1/clinic/appointments/{booking.order_id}/start"
    got = await clinic.house.ask("POST", path, headers=clinic.asha, json={})

    assert (got.status, "consent" in got.text) == (409, True)


async def test_link_is_not_copied_to_the_gateway(clinic):
    """UHI reference 9.17: audit copies are of consultations at a facility; whoever has the link may join."""
    booking = await clinic.book()
    await clinic.house.network.settle()

    copied = [hop.action for hop in clinic.house.network.calls if hop.receiver == GATEWAY_ID and "audit" in hop.action]

    assert (booking.state, copied) == (OrderState.CONFIRMED, [])


async def test_slot_of_two_is_free_where_both_are(clinic):
    """Issue 5: group consultation with two doctors; each is taken by it, and it by each."""
    house = clinic.house
    before = [each.slot.start for each in await clinic.slots()]
    await house.book(NAIR, patient=MEENA)
    await together(clinic)

    both = [each.slot for each in await clinic.slots()]
    booking = await clinic.book()

    assert [each.start for each in both] == [start for start in before if start in {slot.start for slot in both}]
    assert len(both) < len(before)
    assert booking.slot.start not in {each.slot.start for each in await house.slots(NAIR)}
    assert [each.id for each in booking.slot.others] == [NAIR]


async def test_leave_of_either_doctor_closes_the_slots_of_both(clinic):
    """Issue 5: leave, and group consultation; what is booked already needs attention, and one's own slots stay."""
    house = clinic.house
    await together(clinic)
    before = [each.slot.start for each in await clinic.slots()]
    booking, end = await clinic.book(), before[0] + timedelta(hours=1)
    headers = await house.person(Grant(AccessRole.HOSPITAL_ADMIN, house.city))
    away = {"organisation_id": house.city, "practitioner_id": house.record_of(NAIR)}
    away |= {"starts_at": before[0].isoformat(), "ends_at": end.isoformat()}
    assert (await house.ask("POST", "/v1/leave", headers=headers, json=away)).status == 201

    left, alone = await clinic.slots(), await house.slots(ASHA)
    listed = await house.ask("GET", f"/v1/attention?organisation_id={house.city}", headers=await house.desk())

    assert [each.slot.start for each in left] == [start for start in before if start >= end]
    assert any(each.slot.start < end for each in alone)
    assert [(each["id"], each["why"]) for each in listed.json["appointments"]] == [(booking.order_id, "leave")]


async def test_either_of_two_doctors_sees_joins_starts_and_completes(clinic):
    """Issue 5: group consultation; both have a link, either may start and complete, one may not come."""
    await together(clinic)
    booking = await clinic.book()
    listed = await clinic.house.ask(
        "GET", "/v1/clinic/appointments", headers=clinic.nair, params={"since": booking.slot.start.date().isoformat()}
    )
    _, joins = await clinic.see(booking, "/join", clinic.nair)
    await clinic.step(booking, "consent", clinic.nair)
    await clinic.step(booking, "presence", clinic.nair, who=ASHA, what="absent")
    await clinic.step(booking, "start", clinic.nair)

    done = await clinic.step(booking, "complete", clinic.asha)

    assert [each["id"] for each in listed.json["appointments"]] == [booking.order_id]
    assert joins == {"url": booking.reach.join_url}
    assert [each["kind"] for each in done["history"]][3:] == ["CONSENT_GIVEN", "DOCTOR_ABSENT", "STARTED", "COMPLETED"]
    assert await check(storage_of(clinic.house), CLINIC, clinic.house.clock.now()) == []


async def test_prescription_of_what_is_not_prescribed_online_is_not_sent(clinic):
    """Telemedicine guidelines: nothing of Schedule X or the NDPS Act; which medicines, the formulary knows."""

    class Strict:
        async def check(self, prescription: Prescription) -> None:
            if "Morphine" in prescription.medicines:
                raise ContentRefused("a medicine is not prescribed online", reason=Why.MEDICINE_NOT_TAKEN)

    talk = clinic.house.program.conversations
    talk.rules = replace(talk.rules, formulary=Strict())
    booking = await clinic.book()
    paper = {"name": "p.pdf", "media_type": "application/pdf", "content": base64.b64encode(PDF).decode()}

    path = f"/v1/clinic/appointments/{booking.order_id}/documents"
    body = {**paper, "hi_type": "prescription", "medicines": ["Morphine"]}
    got = await clinic.house.ask("POST", path, headers=clinic.asha, json=body)
    await clinic.house.network.settle()

    assert (got.status, [each["path"] for each in got.json["errors"]], clinic.told) == (400, ["medicines"], [])


async def test_minor_without_an_adult_is_declined(clinic):
    """Telemedicine guidelines: a minor is identified with an adult; the outcome says so, and nobody is named."""
    child = replace(RAVI, born=RAVI.born.replace(year=2015))

    with pytest.raises(BookingDeclined) as stopped:
        await clinic.house.bookings.hold((await clinic.slots())[0], child, wait=WAIT)

    assert stopped.value.code == "30000"
    assert RAVI.name not in str(stopped.value)


@pytest.mark.parametrize("preset", ["nha-sandbox", "nha"])
async def test_nothing_is_online_on_nhas_networks(tmp_path, preset):
    """Decision 38: off until NHA opens it: a search is met with silence, an init is declined."""
    settings = settings_in(tmp_path, "sqlite:///x.db")
    front = Front(policy=policy_of(settings, NETWORKS[preset]))
    online = replace(slot(0, doctor=DOCTOR), fulfilment=ONLINE)
    front.ward.offer(online)

    search = write_search(DoctorQuery(fulfilment=ONLINE), online.window).intent
    found = await front.discovery.doctors(search, THREAD)
    answer = await front.init(online)

    assert found is None
    assert isinstance(answer, Decline)
    assert front.ward.released == ["hold-1"]

"""Who is identified, who may be offered online, and what the patient is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.booking.ward import ASHA, MEENA, RAVI, REGISTERED, THREAD, Front, found, slot
from uhi.actions import Decline
from uhi.booking.hospital import DoctorQuery, Guardian
from uhi.booking.intents import write_search
from uhi.booking.offers import write_init
from uhi.booking.policy import Policy
from uhi.booking.telemedicine import age_on, is_offered, lacking, may_consult_online
from uhi.faults import PATIENT_UNIDENTIFIED, SLOT_UNAVAILABLE
from uhi.messages import OnInit
from uhi.messages.values import Address

ONLINE = replace(slot(0, doctor=REGISTERED), fulfilment="Online")
MOTHER = Guardian(name="Sita Kumar", relation="mother", phone="9000000009")
CHILD = replace(RAVI, born=date(2015, 5, 15))


def online_front(*slots) -> Front:
    """A desk that takes both kinds."""
    front = Front(policy=Policy(fulfilments=("Physical", "Online")))
    front.ward.offer(*(slots or (ONLINE,)))
    return front


@pytest.mark.parametrize(
    ("number", "council", "may"), [("MCI/1", "DMC", True), ("MCI/1", " ", False), ("", "DMC", False), ("", "", False)]
)
def test_doctor_without_registration_and_council_may_not_consult_online(number, council, may):
    """Telemedicine guidelines: the registration number is shown, so it has to be known."""
    doctor = replace(ASHA, registration_number=number, council=council)

    assert may_consult_online(doctor) is may
    assert is_offered(replace(ONLINE, doctor=doctor)) is may
    assert is_offered(slot(0, doctor=doctor))


@pytest.mark.parametrize(
    ("born", "year", "age"),
    [
        (date(2008, 9, 23), None, 18),
        (date(2008, 9, 24), None, 17),
        (None, 2008, 17),
        (None, 2007, 18),
        (None, None, None),
    ],
)
def test_age_is_what_it_is_for_certain_on_the_day(born, year, age):
    """Telemedicine guidelines: age check; of whom only the year is known, the last day of it counts."""
    assert age_on(date(2026, 9, 23), replace(RAVI, born=born, birth_year=year)) == age


@pytest.mark.parametrize(
    ("patient", "word"),
    [
        (replace(RAVI, name=" "), "name"),
        (replace(RAVI, born=None), "birth"),
        (replace(RAVI, address=Address(state="Delhi")), "address"),
        (replace(RAVI, phone=""), "phone"),
        (CHILD, "adult"),
        (replace(CHILD, guardian=replace(MOTHER, phone="")), "adult"),
        (replace(CHILD, guardian=replace(MOTHER, relation="")), "adult"),
    ],
)
async def test_init_online_without_who_the_patient_is_is_declined(patient, word):
    """Telemedicine guidelines: name, age, address, phone or e-mail; a minor with an identified adult."""
    front = online_front()

    answer = await front.init(ONLINE, patient)

    assert isinstance(answer, Decline)
    assert answer.outcome is PATIENT_UNIDENTIFIED
    assert word in str(answer)
    assert front.ward.released
    assert lacking(patient, ONLINE)


@pytest.mark.parametrize(
    "patient",
    [
        replace(RAVI, born=None, birth_year=1990),
        replace(RAVI, phone="", email="ravi@example.org"),
        replace(CHILD, guardian=MOTHER),
        replace(CHILD, guardian=replace(MOTHER, phone="", abha_address="sita.kumar@sbx")),
    ],
)
async def test_identified_patient_is_taken_online_as_told(patient):
    """Telemedicine guidelines: what identifies the patient arrives, the adult of a minor too."""
    front = online_front()

    answer = await front.init(ONLINE, patient)

    assert isinstance(answer, OnInit)
    kept = await front.store.get(answer.order.id)
    assert (kept.patient.guardian, kept.patient.birth_year) == (patient.guardian, patient.birth_year)


async def test_guardian_is_not_told_to_a_facility():
    """Ours: tags of our own travel with consultations online only."""
    there = write_init(found(slot(0)), replace(CHILD, guardian=MOTHER))

    assert "guardian" not in there.model_dump_json()
    assert "guardian_name" in write_init(found(ONLINE), replace(CHILD, guardian=MOTHER)).model_dump_json()


async def test_nothing_of_it_is_asked_for_at_the_facility():
    """NHA Physical Consultation: date of birth is optional there."""
    front = online_front(slot(0))

    assert isinstance(await front.init(slot(0), replace(RAVI, born=None, phone="")), OnInit)


async def test_doctor_without_registration_is_not_found_online_and_init_is_declined():
    """Telemedicine guidelines: no offer online without registration number and council."""
    doctor = replace(REGISTERED, council="")
    front = online_front(replace(ONLINE, doctor=doctor))

    catalog = await front.discovery.doctors(
        write_search(DoctorQuery(fulfilment="Online"), ONLINE.window).intent, THREAD
    )
    answer = await front.init(replace(ONLINE, doctor=doctor), MEENA)

    assert catalog is not None
    assert catalog.catalog.readable == []
    assert isinstance(answer, Decline)
    assert answer.outcome is SLOT_UNAVAILABLE


async def test_registration_is_shown_before_it_is_agreed():
    """Telemedicine guidelines: registration number in electronic communication; in the terms, and on the doctor."""
    offer = await online_front().offered(ONLINE)

    terms = " ".join(term.descriptor.long_desc for term in offer.terms)
    agent = offer.received.fulfillment.agent
    assert "registration MCI/1 of the Delhi Medical Council" in terms
    assert agent.tags["@uhi-network/registration_number"] == "MCI/1"


async def test_nothing_of_our_own_is_sent_for_a_visit():
    """Ours: a message about a visit has UHI's names only."""
    front = online_front(slot(0, doctor=REGISTERED))

    order = await front.booked(slot(0, doctor=REGISTERED))

    assert "@uhi-network/" not in order.model_dump_json()
    assert "teleconsultation" not in order.model_dump_json()

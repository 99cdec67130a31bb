"""What a provider answers without binding itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.ward import ASHA, DAY, FACILITY, RAVI, THREAD, Front, found, slot
from uhi.actions import Decline
from uhi.booking.catalog import write_doctors
from uhi.booking.found import read_doctors, read_slots
from uhi.booking.hospital import DoctorQuery, Window
from uhi.booking.intents import write_search, write_slots
from uhi.booking.offers import write_init
from uhi.booking.policy import Policy
from uhi.faults import QUOTE_UNAVAILABLE, SLOT_UNAVAILABLE
from uhi.messages import Intent, OnSelect
from uhi.messages.values import Agent, Item, rupees

WEEK = Window(DAY - timedelta(days=1), DAY + timedelta(days=6))


def asked(query: DoctorQuery | None = None) -> Intent:
    return write_search(query or DoctorQuery(), WEEK).intent


def slots_of(doctor_id: str, window: Window = WEEK, facility_id: str = "1") -> Intent:
    doctor = replace(ASHA, id=doctor_id, facility=replace(FACILITY, id=facility_id))
    catalog = write_doctors("Demo", [doctor], fulfilment="Physical", window=window)
    return write_slots(next(iter(read_doctors(catalog, THREAD))).offered, window).intent


async def test_doctors_that_fit_are_told(front):
    """UHI on_search first."""
    answer = await front.discovery.doctors(asked(DoctorQuery(speciality="CARDIOLOGY")), THREAD)

    assert [one.doctor.id for one in read_doctors(answer.catalog, THREAD)] == [ASHA.id]
    assert answer.catalog.descriptor.name == "Demo"


@pytest.mark.parametrize(
    ("intent", "thread"),
    [
        (Intent(), THREAD),
        (asked(DoctorQuery(fulfilment="Online")), THREAD),
        (asked(), replace(THREAD, domain="nic2008:86909")),
    ],
)
async def test_a_search_for_another_service_gets_silence(front, intent, thread):
    """UHI services: a wrong domain, type or item code gets no answer at all."""
    assert await front.discovery.doctors(intent, thread) is None


@pytest.mark.parametrize("answers_empty", [True, False])
async def test_nothing_found_is_an_empty_catalogue_or_silence(answers_empty):
    """UHI on_search first: empty providers, or silence where that is set."""
    front = Front(policy=Policy(answers_empty=answers_empty))

    first = await front.discovery.doctors(asked(), THREAD)
    second = await front.discovery.slots(slots_of(ASHA.id), THREAD)

    assert [answer.catalog.providers for answer in (first, second) if answer] == ([[], []] if answers_empty else [])


async def test_free_slots_of_the_window_are_told(front):
    """UHI on_search second: one doctor, free slots only, in the window."""
    await front.offered(slot(0))
    front.ward.offer(replace(slot(5), id="next-month", start=DAY + timedelta(days=30), end=DAY + timedelta(days=31)))

    answer = await front.discovery.slots(slots_of(ASHA.id), THREAD)

    assert [one.slot.id for one in read_slots(answer.catalog, THREAD)] == ["slot-1", "slot-2"]


@pytest.mark.parametrize("intent", [slots_of("b@hpr.ndhm"), slots_of(ASHA.id, facility_id="2")])
async def test_another_doctor_or_facility_has_no_slots(front, intent):
    """UHI on_search second: of the facility and doctor asked for."""
    answer = await front.discovery.slots(intent, THREAD)

    assert answer.catalog.providers == []


async def test_a_second_search_without_a_doctor_or_in_the_past_tells_nothing(front):
    """Ours: silence for what cannot be read, nothing for what is over."""
    past = Window(DAY - timedelta(days=60), DAY - timedelta(days=50))

    answer = await front.discovery.slots(slots_of(ASHA.id, past), THREAD)

    assert await front.discovery.slots(Intent(), THREAD) is None
    assert answer.catalog.providers == []


async def test_select_quotes_without_holding(front):
    """Decision 32: a quote without a hold."""
    answer = await front.discovery.select(write_init(found(slot(0)), RAVI))

    assert isinstance(answer, OnSelect)
    assert answer.order.quote.price.value == "500.00"
    assert answer.order.id is None
    assert front.ward.taken == {}


async def test_select_of_what_cannot_be_had_is_declined(front):
    """Decision 10: outcomes 40002 and 40003."""
    order = write_init(found(slot(0)), RAVI)
    nobody = order.fulfillment.model_copy(update={"agent": Agent()})
    cheaper = Item(id="slot-0", fulfillment_id="slot-0", price=rupees(slot(0).price - 1))

    answers = [
        await front.discovery.select(write_init(found(slot(9)), RAVI)),
        await front.discovery.select(order.model_copy(update={"fulfillment": nobody})),
        await front.discovery.select(order.model_copy(update={"item": cheaper})),
    ]

    assert [answer.outcome for answer in answers if isinstance(answer, Decline)] == [
        SLOT_UNAVAILABLE,
        SLOT_UNAVAILABLE,
        QUOTE_UNAVAILABLE,
    ]

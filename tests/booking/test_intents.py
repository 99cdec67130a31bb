"""Both searches as they travel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.ward import ASHA, DAY, THREAD
from uhi.booking.catalog import write_doctors
from uhi.booking.found import read_doctors
from uhi.booking.hospital import DoctorQuery, Window
from uhi.booking.intents import read_search, read_slots, write_search, write_slots
from uhi.messages import Intent, Search
from uhi.messages.required import missing
from uhi.messages.values import (
    Agent,
    Circle,
    Descriptor,
    Fulfillment,
    Item,
    Location,
    Place,
    Point,
    Provider,
    Radius,
    when,
)
from uhi.messages.wire import emit

WINDOW = Window(DAY, DAY + timedelta(days=3))
EVERYTHING = DoctorQuery(
    doctor="Asha",
    hpr="asha.verma@hpr.ndhm",
    speciality="CARDIOLOGY",
    facility="Example",
    city=Place(name="Delhi", code="011"),
    district=Place(name="PUNE", code="490"),
    state=Place(name="MAHARASHTRA", code="27"),
    pincode="110001",
    near=Circle(Point(28.6, 77.2), 12.5),
    window=WINDOW,
)


def lacks(action: str, message: dict[str, object]) -> list[str]:
    paths = missing(action, {"context": {"domain": "nic2004:85111"}, "message": message})
    return [path for path in paths if path.startswith("$.message")]


@pytest.mark.parametrize("query", [EVERYTHING, DoctorQuery(window=WINDOW)], ids=["every filter", "none"])
def test_a_search_is_read_as_it_was_meant(query):
    """UHI search first: what a consumer writes is what a provider reads."""
    written = write_search(query, WINDOW)

    assert read_search(Search.model_validate(emit(written)).intent) == query
    assert lacks("search", emit(written)) == []


def test_a_search_says_the_consultation_and_nothing_it_was_not_told():
    """UHI accept and emit: absent filters are left out; the item's code in an intent is `Consultation`."""
    written = emit(write_search(DoctorQuery(), WINDOW))

    assert written == {
        "intent": {
            "fulfillment": {
                "type": "Physical",
                "start": {"time": {"timestamp": "2026-09-23T10:00:00"}},
                "end": {"time": {"timestamp": "2026-09-26T10:00:00"}},
            },
            "item": {"descriptor": {"code": "Consultation", "name": "Consultation"}},
        }
    }


@pytest.mark.parametrize("radius", [None, Radius(value="5", unit="km"), Radius(type="CONSTANT", value="5")])
def test_an_incomplete_circle_is_ignored(radius):
    """UHI geo filter: position, type, value and unit, or nothing."""
    location = Location(gps="28.6, 77.2", radius=radius)

    query = read_search(Intent(fulfillment=Fulfillment(type="Physical"), location=location))

    assert query is not None
    assert query.near is None


@pytest.mark.parametrize(
    "intent",
    [
        Intent(),
        Intent(fulfillment=Fulfillment(type="EMERGENCY"), item=Item(descriptor=Descriptor(code="AMBULANCE"))),
        Intent(fulfillment=Fulfillment(type=""), item=Item(descriptor=Descriptor(code="Consultation"))),
    ],
)
def test_a_search_for_something_else_is_none_of_ours(intent):
    """UHI services: a wrong type or item code gets no answer."""
    assert read_search(intent) is None


@pytest.mark.parametrize(
    "change",
    [{name: "a" * 201} for name in ("doctor", "hpr", "speciality", "facility", "pincode")]
    + [{name: Place(name="a" * 201)} for name in ("city", "district", "state")],
    ids=str,
)
def test_a_filter_that_is_too_long_fits_nobody(change):
    """Ours: a stranger's text is bounded before it is compared with every doctor."""
    written = write_search(replace(EVERYTHING, **change), WINDOW)

    assert read_search(written.intent) is None


def test_a_second_search_asks_for_one_doctor_at_one_facility():
    """UHI search second: the entry of the first is echoed, with the window."""
    catalog = write_doctors("Demo", [ASHA, replace(ASHA, id="other@hpr.ndhm")], fulfilment="Physical", window=WINDOW)
    chosen = next(iter(read_doctors(catalog, THREAD)))

    written = write_slots(chosen.offered, WINDOW)
    query = read_slots(written.intent, now=DAY)

    assert query is not None
    assert (query.doctor_id, query.facility_id, query.window) == (ASHA.id, "1", WINDOW)
    assert [item.fulfillment_id for item in written.intent.provider.items] == ["0"]
    assert lacks("slots", emit(written)) == []


def test_a_second_search_without_a_fulfilment_of_its_own_is_read_from_the_echo():
    """UHI search second: the published example of the description has neither fulfilment nor item."""
    asked = Fulfillment(type="Physical", agent=Agent(id=ASHA.id), start=when(WINDOW.start), end=when(WINDOW.end))

    query = read_slots(Intent(provider=Provider(id="1", fulfillments=[asked])), now=DAY)

    assert query is not None
    assert (query.doctor_id, query.window) == (ASHA.id, WINDOW)


@pytest.mark.parametrize(("days", "length"), [(3, 3), (60, 14)])
def test_a_window_is_cut_to_fourteen_days_from_now(days, length):
    """Decision 22: a second search is paged by window."""
    asked = Fulfillment(agent=Agent(id=ASHA.id), start=when(DAY - timedelta(days=9)), end=when(DAY + timedelta(days)))

    query = read_slots(Intent(fulfillment=asked), now=DAY)

    assert query is not None
    assert query.window == Window(DAY, DAY + timedelta(days=length))


def test_a_second_search_without_a_window_means_the_next_fourteen_days():
    """Ours: a window that cannot be read is none."""
    asked = Fulfillment(agent=Agent(id=ASHA.id), start=when(DAY), end=when(DAY))

    query = read_slots(Intent(fulfillment=asked), now=DAY)

    assert query is not None
    assert query.window == Window(DAY, DAY + timedelta(days=14))


@pytest.mark.parametrize("agent", [None, Agent(), Agent(name="Asha")])
def test_a_second_search_that_names_no_doctor_is_none_of_ours(agent):
    """UHI search second: agent.id is required."""
    assert read_slots(Intent(fulfillment=Fulfillment(agent=agent)), now=DAY) is None

"""Catalogues, written by a provider and read by a consumer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.booking.ward import ASHA, DAY, FACILITY, THREAD, slot
from uhi.booking.catalog import write_doctors, write_slots
from uhi.booking.found import read_doctors, read_slots
from uhi.booking.hospital import Speciality, Window
from uhi.messages import Catalog
from uhi.messages.required import missing
from uhi.messages.wire import emit

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"
WINDOW = Window(DAY, DAY + timedelta(days=1))
SKIN = replace(
    ASHA, id="b@hpr.ndhm", name="Dr. B", price=Decimal("750.50"), speciality=Speciality("DERMATOLOGY", "Skin")
)
ELSEWHERE = replace(ASHA, id="c@hpr.ndhm", speciality=None, facility=replace(FACILITY, id="2", name="Other Clinic"))


def told(catalog: Catalog) -> Catalog:
    """The catalogue as it arrives."""
    return Catalog.model_validate(emit(catalog))


def lacks(action: str, catalog: Catalog) -> list[str]:
    body = {"context": {"domain": "nic2004:85111"}, "message": {"catalog": emit(catalog)}}
    return [path for path in missing(action, body) if path.startswith("$.message")]


def sample(name: str) -> Catalog:
    return Catalog.model_validate(json.loads((SAMPLES / name).read_text("utf-8"))["message"]["catalog"])


def test_doctors_are_read_as_they_were_written():
    """UHI on_search first: a consumer sees what the provider has."""
    doctors = [ASHA, SKIN, ELSEWHERE]

    catalog = told(write_doctors("Demo", doctors, fulfilment="Physical", window=WINDOW))
    seen = [found.doctor for found in read_doctors(catalog, THREAD)]

    # A pincode and a helpline have no place in a catalogue.
    facilities = [replace(one.facility, pincode="", helpline_number="") for one in doctors]
    assert seen == [replace(one, facility=at, available=WINDOW) for one, at in zip(doctors, facilities, strict=True)]


def test_a_catalogue_of_doctors_lacks_nothing():
    """UHI on_search first: every required field, hip_id with each doctor."""
    catalog = write_doctors("Demo", [ASHA, SKIN, ELSEWHERE], fulfilment="Physical", window=WINDOW)

    agents = [entry.agent for provider in catalog.readable for entry in provider.fulfillments or []]
    assert lacks("on_search", catalog) == []
    assert [agent.hip_id for agent in agents] == ["IN2990000001"] * 3


def test_doctors_are_grouped_by_facility_with_the_tree_of_their_specialities():
    """UHI categories: speciality, then system of medicine by parent_category_id, in a flat list."""
    catalog = write_doctors("Demo", [ASHA, ELSEWHERE, SKIN], fulfilment="Physical", window=WINDOW)

    first, second = catalog.readable
    tree = [(one.id, one.parent_category_id) for one in first.categories]
    assert tree == [("CARDIOLOGY", "ALLOPATHY"), ("ALLOPATHY", None), ("DERMATOLOGY", "ALLOPATHY")]
    assert [item.category_id for item in first.items] == ["CARDIOLOGY", "DERMATOLOGY"]
    assert (second.id, second.categories) == ("2", None)


def test_no_doctors_make_an_empty_list():
    """UHI on_search first: no match, empty providers."""
    assert emit(write_doctors("Demo", [], fulfilment="Physical", window=WINDOW))["providers"] == []


def test_slots_are_read_as_they_were_written():
    """UHI on_search second: one fulfilment and one item per free slot."""
    slots = [slot(0), slot(1, price="0"), slot(2, price="650.25")]

    catalog = told(write_slots("Demo", slots))
    seen = [found.slot for found in read_slots(catalog, THREAD)]

    assert [(one.id, one.start, one.end, one.price) for one in seen] == [
        (one.id, one.start, one.end, one.price) for one in slots
    ]
    assert lacks("slots_found", catalog) == []


def test_an_entry_that_cannot_be_booked_is_left_out():
    """Decision 8: one bad entry does not spoil the others."""
    raw = emit(write_slots("Demo", [slot(0), slot(1), slot(2)]))
    first, second, third = raw["providers"][0]["fulfillments"]
    del first["agent"]["id"]
    second["end"] = second["start"]
    raw["providers"][0]["fulfillments"].append({"id": "slot-9", "type": "Physical"})
    raw["providers"].append({"id": "", "fulfillments": [third]})
    raw["providers"].append({"id": 5, "fulfillments": "none"})

    assert [found.slot.id for found in read_slots(Catalog.model_validate(raw), THREAD)] == ["slot-2"]


def test_a_doctor_is_shown_once_though_every_slot_is_listed():
    """UHI on_search first: some providers list one fulfilment per slot already here."""
    catalog = write_slots("Demo", [slot(0), slot(1)])

    assert [found.doctor.id for found in read_doctors(catalog, THREAD)] == [ASHA.id]


@pytest.mark.parametrize(
    ("name", "doctors", "price", "speciality"),
    [
        ("physical-02-on_search.first.json", 1, "500.0", "CARDIOLOGY"),
        ("physical-04-on_search.second.json", 1, "300.0", "CARDIOLOGY"),
    ],
)
def test_published_catalogues_are_read(name, doctors, price, speciality):
    """NHA's samples: what its own hospitals send can be booked."""
    found = list(read_doctors(sample(name), THREAD))

    assert len(found) == doctors
    assert found[0].doctor.price == Decimal(price)
    assert found[0].doctor.speciality.code == speciality


def test_a_published_list_of_slots_is_read():
    """NHA's samples: three slots of one doctor."""
    found = list(read_slots(sample("physical-19-on_search.second.many-slots.json"), THREAD))

    assert len({one.slot.id for one in found}) == 3
    assert all(one.slot.start < one.slot.end for one in found)

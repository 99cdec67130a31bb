"""NHA's published messages of the services: every answer is read, every search is understood."""

from __future__ import annotations

import json
from pathlib import Path

from uhi.listing import Area
from uhi.listing.ambulance_calls import read_ambulances, read_offer
from uhi.listing.ambulances import SUBJECT as AMBULANCES
from uhi.listing.ambulances import read_call
from uhi.listing.blood import SUBJECT as BLOOD
from uhi.listing.blood import read_query as read_blood
from uhi.listing.blood import read_stock
from uhi.listing.medicines import SUBJECT as MEDICINES
from uhi.listing.medicines import read_kendras, read_medicines
from uhi.listing.medicines import read_query as read_kendra_query
from uhi.listing.pmjay import SUBJECT as HOSPITALS
from uhi.listing.pmjay import read_hospitals
from uhi.listing.pmjay import read_query as read_hospital_query
from uhi.messages import OnInit, OnSearch, Search
from uhi.messages.values import Point
from uhi.verified import Thread

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"


def body(name: str) -> dict:
    """A published message."""
    return json.loads((SAMPLES / name).read_text())


def answer(name: str) -> OnSearch:
    """A published answer to a search."""
    return OnSearch.model_validate(body(name)["message"])


def test_every_published_search_concerns_its_list_alone():
    """NHA's table of services: domain, type and item code."""
    subjects = {"ambulance": AMBULANCES, "blood": BLOOD, "janaushadhi": MEDICINES, "pmjay": HOSPITALS}
    for file in sorted(SAMPLES.glob("*-search.*.json")):
        sample = body(file.name)
        intent = Search.model_validate(sample["message"]).intent
        thread = Thread(sample["context"]["domain"], "t", "app.example")

        concerned = {name for name, subject in subjects.items() if subject.concerns(intent, thread)}

        assert concerned == {file.name.split("-")[0]} & subjects.keys()


def test_published_searches_for_blood_are_understood():
    """NHA's Blood Bank document, both examples."""
    near = read_blood(Search.model_validate(body("blood-01-search.gps.json")["message"]).intent)
    there = read_blood(Search.model_validate(body("blood-02-search.state-district.json")["message"]).intent)

    assert (near.group, near.component, near.area.near.kilometres) == ("17", "11", 5)
    assert (there.area.state.code, there.area.district.name) == ("311", "Pune")


def test_published_stock_is_read_with_its_availability():
    """NHA's Blood Bank document: a group that is not available may have a count; names of components vary."""
    one, every = answer("blood-03-on_search.one-group.json"), answer("blood-04-on_search.all-groups.json")

    assert {(found.group, found.count, found.is_available) for found in read_stock(one)} >= {("17", 88, False)}
    assert {(found.group, found.component, found.is_available) for found in read_stock(every)} == {
        ("15", "11", True),
        ("17", "11", False),
        ("18", "11", True),
    }


def test_published_call_for_an_ambulance_is_understood_and_its_answers_are_read():
    """NHA's Ambulance document, its four examples."""
    call = read_call(Search.model_validate(body("ambulance-01-search.source-destination.json")["message"]).intent)
    found = list(read_ambulances(answer("ambulance-02-on_search.json")))
    offer = read_offer(OnInit.model_validate(body("ambulance-04-on_init.json")["message"]).order)

    assert (call.kind, call.category, call.source) == ("EMERGENCY", "", Point(28.60000000000001, 77.20000000000002))
    assert [(one.category, one.needs_payment) for one in found] == [("ALS", True), ("BLS", False)]
    assert found[0].price.maximum_Value == "1500"
    assert (offer.order_id, str(offer.quote.total), len(offer.terms)) == ("1001-200005-3005", "100.0", 5)


def test_published_kendras_medicines_and_stock_are_read():
    """NHA's Jan Aushadhi requirements, flows A, B and C."""
    kendra = next(read_kendras(answer("janaushadhi-02-on_search.kendra.json")))
    medicine = next(read_medicines(answer("janaushadhi-04-on_search.medicine.json")))
    stock = {one.kendra.id: one.is_in_stock for one in read_kendras(answer("janaushadhi-06-on_search.stock.json"))}
    asked = read_kendra_query(Search.model_validate(body("janaushadhi-01-search.kendra.gps.json")["message"]).intent)

    assert (kendra.person, kendra.is_in_stock) == ("Meera Joshi", None)
    assert (medicine.id, str(medicine.price), medicine.unit) == ("77041", "21.000", "10's")
    assert stock == {"PMBJK90003": False, "PMBJK90004": True}
    assert asked.area.near.kilometres == 5


def test_published_hospitals_are_read_with_numbers_as_text():
    """NHA's PM-JAY document: codes and telephones come as numbers there."""
    found = list(read_hospitals(answer("pmjay-05-on_search.json")))
    asked = read_hospital_query(
        Search.model_validate(body("pmjay-02-search.state-district-speciality.json")["message"]).intent
    )

    assert [(one.reached.phone, one.nodal_officer) for one in found] == [
        ("9000000021", "9000000023"),
        ("9000000024", "9000000026"),
    ]
    assert (found[0].established, found[0].cares) == ("1915", ("Cardiology", "General Medicine"))
    assert (asked.speciality, asked.area.district.code) == ("100002", "744")
    assert asked.area != Area()

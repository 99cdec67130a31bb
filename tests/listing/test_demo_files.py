"""The data files of the participants: what they may not hold is told by line and place."""

from __future__ import annotations

from importlib import resources

import pytest

from participants.ambulance.fleet import OPERATORS, VEHICLES
from participants.blood_bank.stock import BANKS, STOCK
from participants.diagnostics.labs import COLLECTIONS, LABS, TESTS
from participants.pharmacy.kendras import KENDRAS, MEDICINES, SHELVES
from participants.pmjay.hospitals import HOSPITALS
from uhi.errors import SetupError
from uhi.listing import read_data

TABLES = {
    "ambulance": (OPERATORS, VEHICLES),
    "blood_bank": (BANKS, STOCK),
    "diagnostics": (LABS, COLLECTIONS, TESTS),
    "pharmacy": (KENDRAS, MEDICINES, SHELVES),
    "pmjay": (HOSPITALS,),
}


def demo(name: str) -> str:
    """The demo file of a participant."""
    return (resources.files(f"participants.{name}") / "demo" / f"{name}.yaml").read_text()


def read(path, name: str) -> list[int]:
    """How many entries each list of a file has."""
    data = read_data(path, *(table.name for table in TABLES[name]))
    return [len(data.entries(table)) for table in TABLES[name]]


@pytest.mark.parametrize("name", TABLES)
def test_demo_file_has_entries_in_every_list(tmp_path, name):
    """Ours: the demo files show the whole form."""
    path = tmp_path / "demo.yaml"
    path.write_text(demo(name))

    assert all(read(path, name))


@pytest.mark.parametrize(
    ("name", "was", "becomes", "told"),
    [
        ("ambulance", "category: ALS", "category: TAXI", "category.*none of the codes"),
        ("ambulance", "latest_minutes: 20", "latest_minutes: 2", "latest_minutes.*before the earliest"),
        ("ambulance", "gps: 18.530000,73.850000", "gps: nowhere", "gps.*not a position"),
        ("ambulance", "operator_id: shivaji", "operator_id: unknown", "operator_id.*no entry of this id"),
        ("blood_bank", "group_code: 17", "group_code: 99", "group_code.*none of the codes"),
        ("blood_bank", "count: 88", "count: -1", "count.*whole number"),
        ("blood_bank", "pincode: 411005", "pincode: 5", "pincode.*six digits"),
        ("diagnostics", 'closes: "10:30"', 'closes: "06:00"', "closes.*not after the opening"),
        ("diagnostics", "slot_minutes: 30", "slot_minutes: 3", "slot_minutes.*out of range"),
        ("diagnostics", "seats: 2", "seats: 0", "seats.*out of range"),
        ("diagnostics", "days: mon tue wed thu fri sat,", "days: daily,", "days.*required form"),
        ("diagnostics", "kind: HOME_COLLECTION", "kind: HOME", "kind.*none of the codes"),
        ("diagnostics", "reach_km: 8", "reach_km: far", "reach_km.*a number"),
        ("pharmacy", "enrolled_on: 2023-06-30", "enrolled_on: 2023-06-31", "enrolled_on.*no day"),
        ("pharmacy", "in_stock: no", "in_stock: 0", "in_stock.*yes nor no"),
        ("pmjay", "kind: G", "kind: Government", "kind.*one capital letter"),
        ("pmjay", "specialities: 100002 Cardiology;", "specialities: Cardiology;", "specialities.*required form"),
        ("pmjay", "phone: 9000000021", "phone: +91 9000000021", "phone.*digits alone"),
        ("pmjay", "    nodal_officer: 9000000023\n", "", "nodal_officer is missing"),
    ],
)
def test_mistake_in_a_data_file_is_told_by_line_and_place(tmp_path, name, was, becomes, told):
    """Ours: every mistake is a SetupError before the first request."""
    path, content = tmp_path / "data.yaml", demo(name)
    assert was in content
    path.write_text(content.replace(was, becomes, 1))

    with pytest.raises(SetupError, match=rf"data\.yaml, line [0-9]+ \(.*{told}"):
        read(path, name)

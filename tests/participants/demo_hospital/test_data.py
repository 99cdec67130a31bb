"""A hospital's file: what it says is read, and every mistake in it is told with its line and place."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from participants.demo_hospital.data import DEMOS, HospitalData, demo_hospital, load_hospital
from uhi.booking.hospital import Window
from uhi.errors import SetupError
from uhi.messages.values import IST, PHYSICAL, Place, Point

FILE = """\
name: Village Clinic
facilities:
  - id: village
    name: Village Clinic
    pincode: 411005
    gps: 18.5, 73.8
    city: { name: PUNE, code: 020 }
    holidays: [01-26]
    doctors:
      - id: asha.verma@hpr.ndhm
        name: Dr. Asha Verma
        gender: F
        speciality: { code: CARDIOLOGY, name: Cardiology }
        experience: 8.0
        fee: 500
        slot_minutes: 20
        hours:
          monday: [10:00-12:00]
"""


def load(folder: Path, text: str) -> HospitalData:
    file = folder / "clinic.yaml"
    file.write_text(text, encoding="utf-8")
    return load_hospital(file)


def test_file_is_read_with_its_defaults(tmp_path):
    """Ours: what most hospitals have in common need not be written."""
    [practice] = load(tmp_path, FILE).practices

    assert (practice.doctor.id, practice.doctor.price) == ("asha.verma@hpr.ndhm", Decimal("500.00"))
    assert practice.doctor.fulfilments == (PHYSICAL,)
    assert practice.doctor.speciality.system_code == "ALLOPATHY"
    assert practice.schedule.holidays == {"01-26"}
    assert practice.schedule.slot_minutes == 20


def test_texts_that_plain_yaml_would_change_stay_texts(tmp_path):
    """Ours: 020 is a dialling code, 411005 a postal code and 8.0 a text of UHI's."""
    [practice] = load(tmp_path, FILE).practices

    facility = practice.doctor.facility
    assert facility.city == Place(name="PUNE", code="020")
    assert (facility.pincode, facility.point) == ("411005", Point(18.5, 73.8))
    assert practice.doctor.experience == "8.0"


def test_price_is_the_total_of_the_quote(tmp_path):
    """NHA, payment and quote: the item's price is what is payable, GST and registration included."""
    text = FILE.replace("fee: 500", "fee: 499.90\n        registration_fee: 50\n        taxed: yes")

    [practice] = load(tmp_path, text).practices

    assert practice.doctor.price == practice.quote.total == Decimal("599.90")


def test_practice_has_the_same_name_in_every_process(tmp_path):
    """Ours: the ids of slots outlive a restart."""
    [practice] = load(tmp_path, FILE).practices

    assert practice.ref == "f33c46f655d27a0b"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("fee: 500", "fee: 500.005", "line 15 (facilities[0].doctors[0].fee): "),
        ("fee: 500", "fee: -1", "got '-1', expected rupees"),
        ("fee: 500", "fees: 500", "there is no such field"),
        ("        fee: 500\n", "", "line 10 (facilities[0].doctors[0]): fee is missing"),
        ("slot_minutes: 20", "slot_minutes: 4", "expected a whole number from 5 to 240"),
        ("slot_minutes: 20", "slot_minutes: 1e1", "expected a whole number"),
        ("slot_minutes: 20", "slot_minutes: 150", "no slot fits into these hours"),
        ("[10:00-12:00]", "[10:00-9:00]", "(facilities[0].doctors[0].hours.monday[0]): not of the form"),
        ("[10:00-12:00]", "[10:00-12:00, 11:00-13:00]", "these hours overlap others"),
        ("monday", "mondays", "expected monday tuesday"),
        ("monday: [10:00-12:00]", "{}", "no slot fits"),
        ("[01-26]", "[02-30]", "no such date in the calendar"),
        ("[01-26]", "[1-26]", "expected 2027-01-14, or 01-26 for every year"),
        ("gender: F", "gender: female", "expected M, F, O, T or U"),
        ("gender: F", "fulfilments: [Telepathic]", "expected Physical or Online"),
        ("gender: F", "fulfilments: [Online, Online]", "this is there twice"),
        ("gender: F", "taxed: true", "expected yes or no"),
        ("CARDIOLOGY", "Cardiology", "expected capitals"),
        ("18.5, 73.8", "73.8", "this is not a position"),
        ("411005", "41105", "expected six digits"),
        ("name: PUNE, ", "", "(facilities[0].city): name is missing"),
        ("id: asha.verma@hpr.ndhm", "id: asha verma", "printable characters without blanks"),
        ("name: Village Clinic\nfac", "name: Village Clinic\nhorizon_days: 0\nfac", "(horizon_days): "),
    ],
)
def test_every_mistake_is_told_with_its_place(tmp_path, old, new, told):
    """Ours: an operator's mistake is found before the first request, and says where it is and what is expected."""
    assert old in FILE

    with pytest.raises(SetupError) as caught:
        load(tmp_path, FILE.replace(old, new))

    assert str(caught.value).startswith(f"{tmp_path / 'clinic.yaml'}, line ")
    assert told in str(caught.value)


def test_doctor_may_not_stand_twice_at_one_facility(tmp_path):
    """Ours: an id of a slot names one practice."""
    doctor = FILE[FILE.index("      - id: asha") :]

    with pytest.raises(SetupError, match=r"doctors\[1\].id.*this is there twice"):
        load(tmp_path, FILE + doctor)


def test_facility_may_not_stand_twice(tmp_path):
    """NHA, on_search: a facility's id is unique within its provider."""
    facility = FILE[FILE.index("  - id: village") :]

    with pytest.raises(SetupError, match=r"facilities\[1\].id.*this is there twice"):
        load(tmp_path, FILE + facility)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("- a list", "not a set of fields"),
        ("{", "this is not YAML"),
        ("name: &a [*a]", "facilities is missing"),
    ],
)
def test_file_of_another_form_is_refused(tmp_path, text, told):
    """Ours: no traceback reaches an operator."""
    with pytest.raises(SetupError, match=told):
        load(tmp_path, text)


def test_file_that_is_not_there_is_told(tmp_path):
    """Ours: no traceback reaches an operator."""
    with pytest.raises(SetupError, match="cannot be read"):
        load_hospital(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", DEMOS)
def test_demo_hospital_has_free_days_in_every_week(name):
    """Ours: whoever tries the demo finds slots of every doctor within the seven days that a search covers."""
    hospital = demo_hospital(name)

    for start in (datetime(2026, 11, day, 23, tzinfo=IST) for day in range(20, 27)):
        week = Window(start, start + timedelta(days=7))
        assert all(next(practice.schedule.within(week), None) for practice in hospital.practices)


def test_cardiologists_are_found_at_both_demo_hospitals():
    """Ours: the demo's search has answers from two hospitals, in one city, several doctors at each."""
    hospitals = [demo_hospital(name) for name in DEMOS]

    for hospital in hospitals:
        codes = [practice.doctor.speciality.code for practice in hospital.practices]
        assert "CARDIOLOGY" in codes
        assert len(codes) >= 4
        assert {practice.doctor.facility.city.name for practice in hospital.practices} == {"PUNE"}


def test_unknown_demo_hospital_is_told():
    """Ours: the error names the ones there are."""
    with pytest.raises(SetupError, match="city-hospital or lakeside-clinic"):
        demo_hospital("../secrets")

"""A hospital's file becomes rows: the same doctors, places and quotes, again without effect."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from participants.demo_hospital.data import demo_hospital, load_hospital
from participants.hospital.organisations.directory import Directory
from participants.hospital.organisations.loading import load_hospital_data
from tests.participants.hospital.organisations.scene import MACHINE
from uhi.audit import Acting, ActorKind
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal, SetupError

PERSON = Acting(actor="ada", kind=ActorKind.PERSON)
DEMOS = resources.files("participants.demo_hospital") / "demo"


async def test_a_file_can_be_booked(database):
    """Issue 5: the demo hospital's form loads into the database."""
    with resources.as_file(DEMOS / "city-hospital.yaml") as path:
        loaded = await load_hospital_data(database, load_hospital(path), acting=MACHINE)
    directory = Directory(database)

    found = (await directory.refresh()).practices

    assert set(found) == set(loaded.practices)
    for practice_id, written in loaded.practices.items():
        practice = found[practice_id]
        assert practice.quotes["Physical"] == written.quote
        assert practice.doctor.name == written.doctor.name
        assert practice.doctor.speciality.code == written.doctor.speciality.code
        assert practice.doctor.facility.point == written.doctor.facility.point
        assert practice.doctor.facility.hfr_id == written.doctor.facility.hfr_id


async def test_a_file_again_changes_nothing(database):
    """Ours: `uhi dev` loads it at every start."""
    data = demo_hospital("lakeside-clinic")
    first = await load_hospital_data(database, data, acting=MACHINE)
    rows = len(await AuditTrail(database).rows())

    second = await load_hospital_data(database, data, acting=MACHINE)

    assert (second.organisation_id, set(second.practices)) == (first.organisation_id, set(first.practices))
    assert len(await AuditTrail(database).rows()) == rows


async def test_who_has_no_registration_is_not_offered_online(database):
    """Telemedicine rules: where the file names no registration number, the doctor is named instead."""
    city = demo_hospital("city-hospital")
    bare = tuple(replace(each, doctor=replace(each.doctor, registration_number="")) for each in city.practices)
    loaded = await load_hospital_data(database, replace(city, practices=bare), acting=MACHINE)

    snapshot = await Directory(database).refresh()

    assert "imran.shaikh@hpr.ndhm" in loaded.without_registration
    (practice,) = snapshot.by_doctor["imran.shaikh@hpr.ndhm"]
    assert set(practice.quotes) == {"Physical"}


async def test_both_demos_stand_beside_each_other(database):
    """Issue 5: a program serves several hospitals."""
    both = [demo_hospital(name) for name in ("city-hospital", "lakeside-clinic")]
    loaded = [await load_hospital_data(database, data, acting=MACHINE) for data in both]

    snapshot = await Directory(database).refresh()

    assert {site.organisation_id for site in snapshot.sites.values()} == {each.organisation_id for each in loaded}
    assert len({each.organisation_id for each in loaded}) == 2


async def test_only_the_command_line_vouches_by_itself(database):
    """Ours: a person has somebody else verify."""
    with pytest.raises(Refusal):
        await load_hospital_data(database, demo_hospital("city-hospital"), acting=PERSON)


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("1800 000 0101", ""),
        ("asha.verma@hpr.ndhm", "asha.verma"),
        ("hfr_id: IN2710000101", "hfr_id: HFR-1"),
        ("id: city-hospital-pune", "id: a/b"),
    ],
)
async def test_what_cannot_be_used_is_named(database, tmp_path, of, to):
    """Architecture section 7: the operator's mistake is a SetupError that says what to do."""
    written = (DEMOS / "city-hospital.yaml").read_text()
    text = written.replace(f"helpline_number: {of}", "") if not to else written.replace(of, to)
    (tmp_path / "hospital.yaml").write_text(text)

    with pytest.raises(SetupError):
        await load_hospital_data(database, load_hospital(tmp_path / "hospital.yaml"), acting=MACHINE)
    assert (await Directory(database).refresh()).sites == {}

"""The clinic with tables of its own keeps the contract, also when two of its programs give away times at once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from examples.own_hospital_system import clinic_tables as clinic
from examples.own_hospital_system.hospital import SeasideClinic
from uhi.booking.hospital import Window
from uhi.errors import SlotUnavailable
from uhi.messages.values import IST
from uhi.testing.hospital_contract import RULES, Trial, patient

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=IST)


class Time:
    """The clinic's clock."""

    def __init__(self):
        self.now = NOW

    async def pass_by(self, length):
        self.now += length


@pytest.fixture
def place(tmp_path):
    tables = clinic.open_tables(tmp_path / "clinic.db")
    clinic.plan(tables, doctor_no=17, day=NOW.date() + timedelta(days=1))
    tables.close()
    return tmp_path / "clinic.db"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_the_clinic_keeps_the_contract(rule, place):
    """The Hospital protocol, on a schema that is not ours."""
    time, tables = Time(), clinic.open_tables(place)
    trial = Trial(
        hospital=SeasideClinic(tables, now=lambda: time.now),
        doctor_id="leela.menon@hpr.ndhm",
        window=Window(NOW, NOW + timedelta(days=3)),
        now=lambda: time.now,
        pass_time=time.pass_by,
    )

    await rule(trial)

    tables.close()


async def test_of_two_programs_of_the_clinic_one_gets_the_time(place):
    """The Hospital protocol: the index decides, whichever connection asks."""
    tables = [clinic.open_tables(place) for _ in range(2)]
    one, other = (SeasideClinic(each, now=lambda: NOW) for each in tables)
    (slot, *_) = await one.find_slots("leela.menon@hpr.ndhm", window=Window(NOW, NOW + timedelta(days=3)))
    until = NOW + timedelta(minutes=15)

    outcomes = await asyncio.gather(
        one.hold(slot.id, patient=patient(1), until=until),
        other.hold(slot.id, patient=patient(2), until=until),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes].count(SlotUnavailable) == 1
    for each in tables:
        each.close()

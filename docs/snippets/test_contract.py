"""The contract of `uhi.booking.Hospital`, run against ours."""

from datetime import datetime, timedelta

import pytest

from examples.own_hospital_system import clinic_tables
from examples.own_hospital_system.hospital import SeasideClinic
from uhi.booking import Window
from uhi.messages.values import IST
from uhi.testing.hospital_contract import RULES, Rule, Trial


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_our_hospital_keeps_the_contract(rule: Rule) -> None:
    """`uhi.booking.Hospital`, promise by promise."""
    now = datetime.now(IST)
    tables = clinic_tables.open_tables(":memory:")
    clinic_tables.plan(tables, doctor_no=17, day=now.date() + timedelta(days=1))
    trial = Trial(
        hospital=SeasideClinic(tables, now=lambda: datetime.now(IST)),
        doctor_id="leela.menon@hpr.ndhm",
        window=Window(now, now + timedelta(days=3)),
        now=lambda: datetime.now(IST),
    )
    await rule(trial)
    tables.close()

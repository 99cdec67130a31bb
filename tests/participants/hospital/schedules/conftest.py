"""A city hospital with two locations and two doctors, and a clinic by the lake; on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.participants.hospital.schedules.clinic import CITY_PRACTICES, LAKE_PRACTICES, Clinic
from tests.participants.hospital.schedules.reception import Reception


@pytest.fixture
async def clinic(database_url: str) -> AsyncIterator[Clinic]:
    """A process of the program: Asha sees patients in the north from 10:00 and in the south from 10:15."""
    async with Clinic.open(database_url) as clinic:
        await clinic.load("City Hospital", CITY_PRACTICES)
        await clinic.load("Lake Clinic", LAKE_PRACTICES)
        yield clinic


@pytest.fixture
async def reception(clinic: Clinic) -> AsyncIterator[Reception]:
    """Its interface."""
    async with Reception.open(clinic) as reception:
        yield reception

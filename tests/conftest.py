"""Settings of the whole suite: how Hypothesis searches here, and how it repeats itself on a build machine."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

from gateway.network_registry.settings import RegistrySettings
from gateway.settings import GatewaySettings
from participants.demo_hospital.settings import HospitalSettings as DemoSettings
from participants.hospital.settings import HospitalSettings
from participants.patient.settings import PatientSettings
from uhi.listing.settings import ListingSettings

pytest_plugins = ["tests.made_once", "tests.service_fixtures"]

_PROGRAMS = (GatewaySettings, RegistrySettings, HospitalSettings, PatientSettings)
_LISTINGS = ("AMBULANCE", "BLOOD_BANK", "DIAGNOSTICS", "PHARMACY", "PMJAY")
_SETTINGS = {
    *(f"UHI_{name.upper()}" for program in _PROGRAMS for name in program.model_fields),
    *(f"UHI_HOSPITAL_{name.upper()}" for name in DemoSettings.model_fields),
    *(f"UHI_{listing}_{name.upper()}" for listing in _LISTINGS for name in ListingSettings.model_fields),
}

gc.set_threshold(50_000, 20, 100)

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_finish() -> None:
    """What was collected stays to the end: looking for garbage among it took half a second each time."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside():
    """Whoever has a participant of their own set up here gets the same results as everybody else."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name in _SETTINGS}
    yield
    os.environ.update(kept)

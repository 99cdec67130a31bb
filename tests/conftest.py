"""Settings of the whole suite: how Hypothesis searches here, and how it repeats itself on a build machine."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.service_fixtures"]

_SETTINGS = {
    *("UHI_SUBSCRIBER_ID", "UHI_KEY_ID", "UHI_KEY_FILE", "UHI_URL", "UHI_REGISTRY_URL", "UHI_GATEWAY_URL"),
    *("UHI_DOMAINS", "UHI_CITY", "UHI_NETWORK", "UHI_SIGNATURE_FUTURE", "UHI_SIGNATURE_LIFETIME", "UHI_HOSPITAL_FILE"),
    *("UHI_MATCH_CITY", "UHI_MATCH_FULFILMENT_TYPE", "UHI_FAN_OUT_LIMIT", "UHI_OPEN_SECONDS"),
    *("UHI_DATABASE_URL", "UHI_BODY_KEY_FILE", "UHI_REDIS_URL", "UHI_EVENTS_URL", "UHI_INSTANCE"),
    *("UHI_KEEP_BODIES_DAYS", "UHI_KEEP_CALLS_DAYS", "UHI_FULL_MIB"),
    *("UHI_SEARCHES_PER_SECOND", "UHI_ANSWERS_PER_SECOND", "UHI_MESSAGES_PER_SECOND", "UHI_REQUESTS_PER_SECOND"),
    *("UHI_BAD_SIGNATURES_PER_MINUTE", "UHI_CONNECTIONS_PER_ADDRESS", "UHI_TRUSTED_PROXIES", "UHI_GATEWAY_ONLY"),
    *(
        f"UHI_{name}_{what}"
        for name in ("AMBULANCE", "BLOOD_BANK", "DIAGNOSTICS", "PHARMACY", "PMJAY")
        for what in ("FILE", "DATABASE_URL", "HEADING", "DOMAIN", "REFRESH_SECONDS")
    ),
}

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside():
    """Whoever has a participant of their own set up here gets the same results as everybody else."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name in _SETTINGS}
    yield
    os.environ.update(kept)

"""Settings of participants that answer from a list, and their programs as `uhi serve` starts them."""

from __future__ import annotations

import importlib
from importlib import resources

import pytest

from uhi.errors import SetupError
from uhi.listing import ListingSettings
from uhi.listing.origin import SqlOrigin, origin_of
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file
from uhi.testing import FakeClock

PROGRAMS = [
    ("ambulance", "nic2008:86909", {"search", "init"}),
    ("blood_bank", "nic2008:86906", {"search"}),
    ("diagnostics", "nic2008:86905", {"search", "slots", "init", "confirm", "status", "cancel"}),
    ("pharmacy", "nic2008:47721", {"search"}),
    ("pmjay", "nic2004:85112", {"search"}),
]


class Host:
    """What a participant is to its lists."""

    clock = FakeClock()

    def __init__(self):
        self.works = []
        self.at_start = self.works.append
        self.meanwhile = self.works.append


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Everything a participant's settings need, and a key."""
    key = tmp_path / "list.key"
    write_private_key_file(key, PrivateKey.new())
    values = {
        "SUBSCRIBER_ID": "list.example",
        "KEY_ID": "k1",
        "KEY_FILE": str(key),
        "URL": "https://list.example/uhi",
        "REGISTRY_URL": "https://registry.example",
        "DATABASE_URL": "memory:",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"UHI_{name}", value)
    return monkeypatch


@pytest.mark.parametrize(("name", "domain", "legs"), PROGRAMS)
def test_program_comes_from_settings_and_its_demo_file(settings, name, domain, legs):
    """Ours: `uhi serve` needs settings and a file, and no code."""
    program = importlib.import_module(f"participants.{name}.app")
    demo = resources.files(f"participants.{name}") / "demo" / f"{name}.yaml"
    settings.setenv("UHI_DOMAINS", domain)
    settings.setenv(f"UHI_{name.upper()}_FILE", str(demo))

    participant = program.app()

    assert {handler.leg.name for handler in participant.handlers} == legs


@pytest.mark.parametrize("name", [name for name, _, _ in PROGRAMS])
def test_program_of_another_domain_says_what_to_set(settings, name):
    """Ours: no gateway would bring it a search, so it is told at the start."""
    demo = resources.files(f"participants.{name}") / "demo" / f"{name}.yaml"
    settings.setenv(f"UHI_{name.upper()}_FILE", str(demo))

    with pytest.raises(SetupError, match="set UHI_DOMAINS="):
        importlib.import_module(f"participants.{name}.app").app()


@pytest.mark.parametrize("name", [name for name, _, _ in PROGRAMS])
def test_a_program_without_a_list_names_the_file_to_begin_with(name):
    """Ours: who starts from an empty folder is told what to copy, wherever the package is installed."""
    with pytest.raises(SetupError) as raised:
        importlib.import_module(f"participants.{name}.app").app()

    demo = resources.files(f"participants.{name}") / "demo" / f"{name}.yaml"
    assert f"copy {demo} and name the copy there" in str(raised.value)


@pytest.mark.parametrize("given", [{}, {"FILE": "a.yaml", "DATABASE_URL": "sqlite:///a.db"}])
def test_a_list_has_one_place(monkeypatch, given):
    """Ours: a file or a database, and never both."""
    for name, value in given.items():
        monkeypatch.setenv(f"UHI_PMJAY_{name}", value)

    with pytest.raises(SetupError, match="UHI_PMJAY_FILE or UHI_PMJAY_DATABASE_URL"):
        ListingSettings.read("PMJAY")


def test_a_setting_that_cannot_be_read_is_named(monkeypatch):
    """Ours: what is wrong is said without its value."""
    monkeypatch.setenv("UHI_PMJAY_REFRESH_SECONDS", "soon")

    with pytest.raises(SetupError, match="UHI_PMJAY_REFRESH_SECONDS cannot be read"):
        ListingSettings.read("PMJAY")


def test_a_database_is_opened_by_who_runs_the_list(monkeypatch, sqlite_url):
    """Ours: nothing is touched before the participant starts, and the heading comes from the settings."""
    monkeypatch.setenv("UHI_PMJAY_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("UHI_PMJAY_HEADING", "Hospitals")
    host = Host()

    origin = origin_of(ListingSettings.read("PMJAY"), host, lists=(), heading="PM-JAY")

    assert isinstance(origin, SqlOrigin)
    assert origin.heading.name == "Hospitals"
    assert len(host.works) == 2

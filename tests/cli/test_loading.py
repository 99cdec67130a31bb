"""Finding the participant that `uhi serve` is to run: the ways to name it, and the ways to name it wrong."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from cli import loading
from cli.loading import load_participant
from uhi.errors import SetupError
from uhi.participant import Participant

CLINIC = """
from uhi.participant import Participant
from uhi.signing import UHI, PrivateKey, Signer
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock, MemoryTransport
from uhi.registry import MemoryRegistry
from uhi.world import Identity, World

def made():
    me = Subscriber("clinic.example", Role.PROVIDER, "https://clinic.example/uhi")
    clock = FakeClock()
    world = World(registry=MemoryRegistry(), transport=MemoryTransport(clock), clock=clock)
    return Participant(Identity(me, Signer(me.id, "k1", PrivateKey(bytes(32)), UHI)), world=world)

class Apps:
    main = made()

app = Apps.main
number = 3

def needs(something): ...
def nothing(): ...
async def later(): ...
"""


@pytest.fixture
def clinic(folder):
    """A module of the current folder that somebody wrote."""
    (folder / "clinic_module.py").write_text(CLINIC)
    return folder


@pytest.mark.parametrize("name", ["app", "made", "Apps.main"])
def test_participant_is_found_by_module_and_name(clinic, name):
    """Issue section 4: `uhi serve MODULE:APP`, an object or a function that returns one."""
    found = load_participant(f"clinic_module:{name}")

    assert isinstance(found, Participant)
    assert found.subscriber_id == "clinic.example"


def test_installed_participant_is_found_by_its_short_name(clinic, monkeypatch):
    """Architecture section 2: the entry-point group `uhi.participants` is the plug-in system."""
    installed = EntryPoints([EntryPoint("clinic", "clinic_module:app", loading.GROUP)])
    monkeypatch.setattr(loading, "entry_points", lambda group: installed.select(group=group))

    found = load_participant("clinic")
    with pytest.raises(SetupError, match="no participant called hospital, got installed are: clinic"):
        load_participant("hospital")

    assert isinstance(found, Participant)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere:app", "there is no module nowhere"),
        ("clinic_module.deeper:app", "there is no module"),
        ("clinic_module:ap", "has no ap, got participants called app"),
        ("clinic_module:number", "got an object of type int"),
        ("clinic_module:needs", "needs arguments"),
        ("clinic_module:nothing", "got a value of type NoneType"),
        ("clinic_module:later", "got a value of type coroutine"),
        ("clinic_module:", "names nothing to serve"),
        (":app", "names nothing to serve"),
        ("clinic/module.py:app", "write clinic.module:app"),
    ],
)
def test_wrong_name_is_told(clinic, target, said):
    """Errors say what, got, expected, next step."""
    with pytest.raises(SetupError) as caught:
        load_participant(target)

    assert said in str(caught.value)


def test_module_that_lacks_another_names_that_one(folder):
    """Ours: the missing package is not the one that was asked for."""
    (folder / "clinic_lacking.py").write_text("import nosuchpackage")

    with pytest.raises(SetupError, match="clinic_lacking needs nosuchpackage"):
        load_participant("clinic_lacking:app")


def test_module_with_a_syntax_error_names_its_line(folder):
    """Ours: the line is what its author needs."""
    (folder / "clinic_broken.py").write_text("x = 1\ndef (")

    with pytest.raises(SetupError, match=r"a syntax error in .*clinic_broken\.py, line 2"):
        load_participant("clinic_broken:app")

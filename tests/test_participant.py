"""A participant's own edges: settings, handlers of the wrong role, and who it says it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.network.messages import A_BOOKING, A_STATUS, A_WISH, AN_AGREEMENT, AN_OFFER, PATIENT_WRITES
from tests.network.scene import A_THREAD, Scene
from tests.stores import Away, Shelves, Stored, keeping
from uhi.actions import CONFIRM, INIT, SEARCH, STATUS_NEWS, TO_PROVIDER
from uhi.errors import DeliveryError, SetupError
from uhi.handlers import Handlers
from uhi.participant import Participant
from uhi.ports import Change, Clock
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.memory import MemoryStorage
from uhi.storage.sealing import new_body_key
from uhi.subscribers import Role
from uhi.testing import Network, Options

NEEDED = ("UHI_SUBSCRIBER_ID", "UHI_KEY_ID", "UHI_KEY_FILE", "UHI_URL", "UHI_REGISTRY_URL")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of a hospital that is set up as it should be."""
    file = tmp_path / "key.pem"
    write_private_key_file(file, PrivateKey.new())
    write_private_text(tmp_path / "body.key", new_body_key())
    values = {
        "UHI_SUBSCRIBER_ID": "clinic.example",
        "UHI_KEY_ID": "k1",
        "UHI_KEY_FILE": str(file),
        "UHI_URL": "https://clinic.example/uhi/",
        "UHI_REGISTRY_URL": "https://registry.example/networkregistry",
        "UHI_GATEWAY_URL": "https://gateway.example/uhi",
        "UHI_DATABASE_URL": f"sqlite:///{tmp_path}/clinic.db",
        "UHI_BODY_KEY_FILE": str(tmp_path / "body.key"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


async def test_settings_make_a_participant(environment):
    """Decision 27: one participant is one subscriber in one role."""
    clinic = Participant.from_env(Role.PROVIDER)

    assert (clinic.identity.me.id, clinic.identity.me.role) == ("clinic.example", Role.PROVIDER)
    assert clinic.identity.me.url == "https://clinic.example/uhi"
    assert clinic.identity.gateway.url == "https://gateway.example/uhi"
    assert clinic.network.name == "local"
    assert clinic.world.storage.is_durable
    await clinic.world.aclose()


async def test_settings_may_ask_for_memory_only(environment, monkeypatch):
    """Issue: with neither database nor Redis configured all works in one process; `memory:` is a wish of its own."""
    monkeypatch.setenv("UHI_DATABASE_URL", "memory:")
    monkeypatch.delenv("UHI_BODY_KEY_FILE")

    clinic = Participant.from_env()

    assert not clinic.world.storage.is_durable
    await clinic.world.aclose()


def test_database_without_a_key_for_its_bodies_is_refused(environment, monkeypatch):
    """Issue: bodies are encrypted at rest; a program refuses to start without the key."""
    monkeypatch.delenv("UHI_BODY_KEY_FILE")

    with pytest.raises(SetupError, match="UHI_BODY_KEY_FILE is not set"):
        Participant.from_env()


def test_nobody_starts_without_a_key_for_bodies(environment, monkeypatch):
    """Issue: bodies are encrypted at rest; without a key a program refuses to start, unless it keeps nothing."""
    monkeypatch.delenv("UHI_BODY_KEY_FILE")

    with pytest.raises(SetupError, match="uhi db key"):
        Participant.from_env()

    monkeypatch.setenv("UHI_DATABASE_URL", "memory:")
    assert not Participant.from_env().world.storage.is_durable


def test_every_missing_setting_is_named_at_once(monkeypatch):
    """Decision 27: one SetupError, so that an operator does not find them one by one."""
    for name in NEEDED:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SetupError) as raised:
        Participant.from_env()

    assert [name for name in NEEDED if name not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"UHI_URL": "clinic.example", "UHI_NETWORK": "nirvana"}, ["UHI_URL", "UHI_NETWORK"]),
        ({"UHI_REGISTRY_URL": "ftp://x", "UHI_SUBSCRIBER_ID": ""}, ["UHI_REGISTRY_URL", "UHI_SUBSCRIBER_ID"]),
        ({"UHI_DOMAINS": " , "}, ["UHI_DOMAINS"]),
        ({"UHI_SUBSCRIBER_ID": "clinic example"}, ["clinic example"]),
        ({"UHI_OUTGOING_PORTS": "443,https"}, ["UHI_OUTGOING_PORTS", "443, 8443"]),
        ({"UHI_KEY_FILE": "/nowhere/key.pem"}, ["/nowhere/key.pem"]),
    ],
)
def test_wrong_settings_are_named(environment, monkeypatch, wrong, named):
    """Decision 27: what is wrong and what is expected, before the first request."""
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SetupError) as raised:
        Participant.from_env()

    assert [name for name in named if name not in str(raised.value)] == []


def test_key_file_that_others_may_read_is_refused(environment):
    """Key storage rules: 0600, else start-up fails."""
    Path(environment["UHI_KEY_FILE"]).chmod(0o644)

    with pytest.raises(SetupError):
        Participant.from_env()


async def test_handler_for_what_never_arrives_is_the_developers_mistake():
    """Decision 29: found before the first request, and said where it belongs."""
    async with Network() as network:
        app = await network.consumer()

        @app.on(INIT)
        async def misplaced(request):
            return None

        with pytest.raises(SetupError, match=r"init never arrives at app\.example.*move it to a provider"):
            async with app.serving():
                pass


async def test_included_handlers_serve_like_declared_ones():
    """Architecture 2: handlers are grouped apart from the participant that runs them."""
    async with Network() as network:
        clinic, group = await network.provider(), Handlers()

        @group.on(SEARCH)
        async def find(request):
            return None

        clinic.include(group)

        assert clinic.handlers.of(SEARCH.request).function is find


async def test_work_at_start_is_done_before_anything_is_taken_up():
    """Ours: a hospital's own tables are ready before its handlers run; what runs meanwhile ends with the program."""
    done: list[str] = []

    async def prepare() -> None:
        done.append("prepared")

    async def beat() -> None:
        done.append("beating")
        try:
            await asyncio.Event().wait()
        finally:
            done.append("still")

    def both(clinic: Participant) -> None:
        clinic.at_start(prepare)
        clinic.meanwhile(beat)

    async with Network() as network:
        clinic = await network.provider(prepare=both)
        assert done == ["prepared"]
        await network.clock.advance(0)
        await clinic.stop(seconds=0)

    assert done == ["prepared", "beating", "still"]


async def test_work_that_fails_meanwhile_ends_alone(caplog):
    """Log rules: one line with type and place, and the program goes on."""

    async def broken() -> None:
        raise ValueError("Kanari Patientsson")

    async with Network() as network:
        clinic = await network.provider(prepare=lambda clinic: clinic.meanwhile(broken))
        clinic.on(INIT)(_offers)
        answer = await (await network.consumer()).ask(INIT, A_WISH, A_THREAD)

    assert answer.message == AN_OFFER
    assert "background work failed: unforeseen ValueError at test_participant.py" in caplog.text
    assert "Kanari" not in caplog.text


async def _offers(request: object) -> object:
    return AN_OFFER


async def test_storage_that_cannot_be_reached_at_the_start_is_the_operators_to_see():
    """Ours: found before the first message, and the setting that says where it is."""

    def kept(subscriber_id: str, clock: Clock) -> object:
        storage = Stored(MemoryStorage(clock), before=Away({"reclaim": -1}))
        return keeping(storage, clock) if subscriber_id == "clinic.example" else None

    async with Network(Options(keeping=kept)) as network:
        with pytest.raises(SetupError, match="UHI_DATABASE_URL"):
            await network.provider()


async def test_question_that_cannot_be_remembered_is_not_sent():
    """Reliability rules: the memory that it was asked and its letter are one step, or an answer would find nothing."""
    shelves = Shelves()
    async with Network(Options(keeping=shelves)) as network:
        scene = await Scene.on(network)
        shelves.stores["app.example"].before = Away({"commit": 2})

        with pytest.raises(DeliveryError, match="cannot be remembered"):
            await scene.app.ask(INIT, A_WISH, A_THREAD)
        with pytest.raises(DeliveryError, match="cannot be remembered"):
            await scene.app.tell(TO_PROVIDER, PATIENT_WRITES, A_THREAD)

        assert scene.deliveries("init") == []
        assert (await scene.app.ask(INIT, A_WISH, A_THREAD)).message == AN_OFFER


async def test_message_that_cannot_be_remembered_is_refused_for_now():
    """Reliability rules: there is no ACK without a committed row; the peer tries again, and then it is taken once."""
    shelves = Shelves()
    async with Network(Options(keeping=shelves)) as network:
        scene = await Scene.on(network)
        shelves.stores["clinic.example"].before = Away({"accept": 2})

        answer = await scene.app.ask(INIT, A_WISH, A_THREAD, wait=25)
        await network.settle()

    assert answer.message == AN_OFFER
    assert [hop.outcome for hop in scene.deliveries("init")] == ["NET_OVERLOADED"] * 2 + ["ACK"]
    assert scene.handled.count(("clinic.example", "init")) == 1


async def test_body_with_a_pin_is_forgotten_once_it_is_dealt_with():
    """Decision 37: a consumer keeps no PIN; the status brings it back. Other bodies stay for a while."""
    shelves = Shelves()
    async with Network(Options(keeping=shelves)) as network:
        scene = await Scene.on(network)
        for action, message in ((INIT, A_WISH), (CONFIRM, AN_AGREEMENT)):
            await scene.app.ask(action, message, A_THREAD)
        await network.settle()

    kept = shelves.stores["app.example"]
    forgets = {change.finishes: change.forgets for change in kept.changes if change.finishes}
    assert {row.path_role: forgets[row.id] for row in kept.accepted} == {"on_init": False, "on_confirm": True}
    assert A_BOOKING.order.authorization.token.encode() in kept.accepted[-1].body


async def test_letters_may_be_kept_by_a_store_of_ones_own():
    """Architecture: an order and the news of it become true in one step, in the store of the order."""
    shelves = Shelves()
    async with Network(Options(keeping=shelves)) as network:
        scene = await Scene.on(network)
        await scene.app.ask(INIT, A_WISH, A_THREAD)

        letters = await scene.clinic.compose(STATUS_NEWS, A_STATUS, A_THREAD)
        assert scene.deliveries("on_status") == []
        mine = await shelves.stores["clinic.example"].commit(Change(letters=tuple(letters)))
        scene.clinic.post(letters, mine=mine)
        await network.settle()

    assert [letter.path for letter in letters] == ["on_status", "on_status_audit"]
    assert scene.handled[-1] == ("app.example", "status_news")
    assert [hop.outcome for hop in scene.deliveries("on_status_audit")] == ["ACK"]

"""Programs that die at any step and come back to what they stored: what was acknowledged has its effect, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateway.search import SearchRules
from tests.network.lives import Dying, kill, kill_gateway, lasting, restart_clinic, restart_gateway
from tests.network.messages import A_BOOKING, A_STATUS, AN_AGREEMENT, SEARCH_ALL
from tests.network.scene import A_THREAD, Scene
from tests.stores import Shelves
from uhi.actions import CONFIRM, SEARCH, STATUS_NEWS
from uhi.errors import Refusal
from uhi.messages.receipt import ACK
from uhi.ports import Inbound, Reply
from uhi.subscribers import Role, Subscriber
from uhi.testing import Network

pytestmark = pytest.mark.faults

PROVIDERS = 120


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A consumer and two hospitals in memory, whose storages outlive them."""
    async with Network(lasting(Shelves())) as network:
        yield await Scene.on(network)


def dying_at(scene: Scene, subscriber_id: str, step: str, *, times: int = 1) -> Dying:
    """The program will stand still before this step of its storage."""
    dying = Dying(step, times)
    scene.network.options.keeping.stores[subscriber_id].before = dying
    return dying


@pytest.mark.parametrize(("step", "handled"), [("commit", 2), ("settle", 1)])
async def test_question_is_answered_once_wherever_the_hospital_died_after_its_ack(scene, step, handled):
    """Crash points K5 to K8: work resumes from rows; a second copy of the answer is absorbed by the receiver."""
    dying = dying_at(scene, "clinic.example", step)
    asking = asyncio.ensure_future(_first(scene.app.ask(CONFIRM, AN_AGREEMENT, A_THREAD, wait=900)))
    await dying.is_there.wait()
    await kill(scene, scene.clinic)

    await restart_clinic(scene)
    answer = await asking
    await scene.network.settle()

    assert answer.message == A_BOOKING
    assert scene.handled.count(("clinic.example", "confirm")) == handled
    assert scene.handled.count(("app.example", "on_confirm")) == 1
    assert {hop.outcome for hop in scene.deliveries("on_confirm")} == {"ACK"}


async def _first(asking: object) -> object:
    return await asking


async def test_answer_that_was_stored_is_delivered_without_its_handler(scene):
    """Crash point K6: the letter is a row; the handler has done its work and is not asked again."""
    scene.network.faults.drop("on_confirm", times=-1)
    await scene.send(scene.letter("confirm"), scene.clinic, settle=False)
    await scene.network.clock.advance(0)
    assert scene.deliveries("on_confirm") != []
    await kill(scene, scene.clinic)
    scene.network.faults.heal()

    await restart_clinic(scene)
    await scene.network.settle()

    assert scene.handled.count(("clinic.example", "confirm")) == 1
    assert [hop.receiver for hop in scene.deliveries("on_confirm")].count("app.example") >= 2


async def test_message_that_came_again_to_the_next_life_has_one_effect(scene):
    """Reliability rules: the journal outlives the process, so a repeated message is still a repeated one."""
    letter = scene.letter("confirm")
    await scene.send(letter, scene.clinic)
    await kill(scene, scene.clinic)

    clinic = await restart_clinic(scene)
    again = letter.without("Authorization").signed(scene.network.signers["app.example"], scene.now, life=99)
    answer = await scene.send(again, clinic)

    assert answer.is_ack
    assert scene.handled.count(("clinic.example", "confirm")) == 1


async def test_conversation_goes_on_in_the_next_life(scene):
    """Decision 18: whom a hospital talks with is remembered by it, and what was asked by whoever asked."""
    await scene.app.ask(CONFIRM, AN_AGREEMENT, A_THREAD)
    await scene.network.settle()
    await kill(scene, scene.clinic)

    clinic = await restart_clinic(scene)
    await clinic.tell(STATUS_NEWS, A_STATUS, A_THREAD)
    await scene.network.settle()

    assert scene.handled[-1] == ("app.example", "status_news")


async def test_message_past_its_use_is_not_taken_up(scene):
    """Reliability rules: start-up replays what is left; what has expired meanwhile is marked so."""
    dying = dying_at(scene, "clinic.example", "commit")
    sent = asyncio.ensure_future(scene.send(scene.letter("init"), scene.clinic, settle=False))
    await dying.is_there.wait()
    await sent
    await kill(scene, scene.clinic)
    await scene.network.clock.advance(31)

    await restart_clinic(scene)
    await scene.network.settle()

    assert scene.handled.count(("clinic.example", "init")) == 1
    assert scene.deliveries("on_init") == []


async def test_unreadable_row_is_left_to_who_can_read_it_and_the_others_go_on(scene, caplog):
    """Ours: one row of another version must not stop a start, and was acknowledged all the same."""
    dying = dying_at(scene, "clinic.example", "commit")
    for name in ("m-1", "m-2"):
        await scene.send(scene.letter("confirm", message_id=name), scene.clinic, settle=False)
    await dying.is_there.wait()
    await kill(scene, scene.clinic)
    storage = scene.network.options.keeping.stores["clinic.example"]
    unfinished = storage.inner._journal._unfinished
    first = next(iter(unfinished.values()))
    object.__setattr__(first, "facts", b'{"version": 2}')
    scene.handled.clear()

    await restart_clinic(scene)
    await scene.network.settle()

    assert scene.handled.count(("clinic.example", "confirm")) == 1
    assert caplog.text.count("a message of an earlier life is left to a version that can read it") == 1
    assert list(unfinished.values()) == [first]


@dataclass
class Crowd:
    """Providers of which each takes every search and answers nothing; `asked` are the bodies by provider."""

    asked: Counter[str] = field(default_factory=Counter)
    paths: dict[str, int] = field(default_factory=lambda: {"search": 10_000})

    def join(self, network: Network, number: int) -> None:
        """One more provider."""
        url = f"https://p-{number}.example/uhi"
        network.register(Subscriber(f"p-{number}.example", Role.PROVIDER, url, domains=("nic2004:85111",)))
        network._memory.entrances[url] = _Door(self, f"p-{number}.example")


@dataclass
class _Door:
    crowd: Crowd
    name: str

    @property
    def paths(self) -> dict[str, int]:
        return self.crowd.paths

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        return None

    async def take(self, inbound: Inbound) -> Reply:
        self.crowd.asked[self.name] += 1
        return Reply(200, {}, ACK)

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        return Reply(refusal.fault.status)


async def crowded(scene: Scene) -> Crowd:
    """A crowd beside the two hospitals."""
    crowd = Crowd()
    for number in range(PROVIDERS):
        crowd.join(scene.network, number)
    return crowd


@pytest.mark.parametrize("chunk", [1, 2, 3])
async def test_fan_out_that_was_interrupted_is_completed_with_everybody_asked_once(scene, chunk):
    """Decision 21: expansion into letters is redone on recovery, and each provider has one letter."""
    crowd = await crowded(scene)
    dying = dying_at(scene, "gateway.example", "commit", times=chunk)
    letter = scene.letter("search")
    assert (await scene.send(letter, scene.gateway, settle=False)).is_ack
    await dying.is_there.wait()
    await scene.network.clock.advance(0)
    assert len(scene.deliveries("search", sender="gateway.example")) == 50 * (chunk - 1)
    await kill_gateway(scene)

    await restart_gateway(scene)
    await scene.network.settle()

    assert len(crowd.asked) == PROVIDERS
    letters = [hop for hop in scene.deliveries("search", sender="gateway.example") if hop.outcome == "ACK"]
    assert len({hop.receiver for hop in letters}) == PROVIDERS + 2
    again = {name for name, times in crowd.asked.items() if times > 1}
    assert len(again) == 0 if chunk == 1 else max(crowd.asked.values()) <= 2
    assert [who for who, name in scene.handled if name == "search"].count("clinic.example") == 1


async def test_fan_out_waits_for_a_registry_that_is_away_after_the_restart(scene):
    """Ours: an acknowledged search is not given up because nobody can say yet whom it concerns."""
    dying = dying_at(scene, "gateway.example", "commit")
    await scene.send(scene.letter("search"), scene.gateway, settle=False)
    await dying.is_there.wait()
    await kill_gateway(scene)
    scene.network.faults.drop("providers", times=2)

    await restart_gateway(scene)
    await scene.network.settle()

    assert sorted(who for who, name in scene.handled if name == "search") == ["clinic.example", "other.example"]


async def test_catalogue_is_relayed_after_the_gateways_restart(scene):
    """Issue: open searches are kept; whoever was asked may still answer, and whoever asked gets it."""
    await scene.send(scene.letter("search"), scene.gateway)
    await kill_gateway(scene)
    scene.handled.clear()

    await restart_gateway(scene)
    answer = await scene.send(scene.callback("on_search", message_id="m-2"), scene.gateway)

    assert answer.is_ack
    assert {hop.receiver for hop in scene.deliveries("on_search", sender="gateway.example")} == {"app.example"}


async def test_catalogue_that_was_acknowledged_is_relayed_in_the_next_life(scene):
    """Reliability rules: stored; will be delivered to the consumer's registered address until its deadline."""
    await scene.send(scene.letter("search"), scene.gateway)
    before = len(scene.deliveries("on_search", sender="gateway.example"))
    dying = dying_at(scene, "gateway.example", "commit")
    assert (await scene.send(scene.callback("on_search", message_id="m-2"), scene.gateway, settle=False)).is_ack
    await dying.is_there.wait()
    await kill_gateway(scene)

    await restart_gateway(scene)
    await scene.network.settle()

    [late] = scene.deliveries("on_search", sender="gateway.example")[before:]
    assert (late.receiver, late.message_id) == ("app.example", "m-2")


async def test_search_that_was_answered_and_asked_again_after_the_restart_is_still_one_search(scene):
    """Decision 17: the repeated search gets its ACK and nobody is asked a second time."""
    letter = scene.letter("search")
    await scene.send(letter, scene.gateway)
    await kill_gateway(scene)

    await restart_gateway(scene)
    again = letter.without("Authorization").signed(scene.network.signers["app.example"], scene.now, life=99)
    answer = await scene.send(again, scene.gateway)

    assert answer.is_ack
    assert sorted(who for who, name in scene.handled if name == "search") == ["clinic.example", "other.example"]


async def test_search_limit_holds_across_lives():
    """Decision 23: the limit of a fan-out is one of the search, not of the process that sends it."""
    async with Network(lasting(Shelves(), rules=SearchRules(fan_out_limit=1))) as network:
        scene = await Scene.on(network)
        dying = dying_at(scene, "gateway.example", "commit")
        await scene.send(scene.letter("search"), scene.gateway, settle=False)
        await dying.is_there.wait()
        await kill_gateway(scene)

        await restart_gateway(scene)
        await network.settle()

        assert len([who for who, name in scene.handled if name == "search"]) == 1


async def test_question_asked_of_a_gateway_that_is_down_reaches_it_when_it_is_back(scene):
    """Reliability rules: no answer means unknown, so again."""
    await kill_gateway(scene)
    asking = asyncio.ensure_future(_first(scene.app.ask(SEARCH, SEARCH_ALL, wait=30)))
    await scene.network.clock.advance(0)
    assert {hop.outcome for hop in scene.deliveries("search")} == {"no answer"}

    await restart_gateway(scene)
    answer = await asking

    assert answer.sender.id in ("clinic.example", "other.example")

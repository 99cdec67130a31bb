"""A network that loses, doubles, delays, overtakes and spoils messages at random: what must hold in any weather.

The last run of each has a fresh seed, which it prints; `UHI_FAULT_SEED=… make faults` repeats it.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random, SystemRandom

import pytest

from gateway.app import Gateway
from tests.network.messages import A_CANCELLATION, A_STATUS_QUESTION, A_WISH, AN_AGREEMENT, SEARCH_ALL
from tests.network.scene import Scene
from uhi.actions import CANCEL, CONFIRM, INIT, SEARCH, STATUS
from uhi.errors import DeliveryError, NoAnswer
from uhi.exchange.deliveries import Deliveries
from uhi.participant import Participant
from uhi.ports import Reply, Transport
from uhi.testing import Network
from uhi.verified import Thread, Verified

pytestmark = pytest.mark.faults

SEEDS = [*(str(seed) for seed in range(12)), "fresh"]
QUESTIONS = ((INIT, A_WISH), (CONFIRM, AN_AGREEMENT), (STATUS, A_STATUS_QUESTION), (CANCEL, A_CANCELLATION))
PATHS = (
    "",
    "init",
    "on_init",
    "confirm",
    "on_confirm",
    "status",
    "on_status",
    "cancel",
    "on_cancel",
    "search",
    "on_search",
)
LOSSES = ("drop", "lose_answer", "delay", "reorder")
EVERYTHING = (*LOSSES, "duplicate", "corrupt")
CONVERSATIONS = 25


@dataclass
class Weather:
    """Breaks a network in a random way, the same way for the same seed."""

    random: Random
    scene: Scene
    kinds: tuple[str, ...]

    def change(self) -> None:
        """Add a few faults of any kind, anywhere."""
        for _ in range(self.random.randrange(4)):
            kind, path = self.random.choice(self.kinds), self.random.choice(PATHS)
            fault = getattr(self.scene.network.faults, kind)
            if kind == "delay":
                fault(self.random.uniform(0, 20), path, times=self.random.randint(1, 3))
            elif kind == "reorder":
                fault(path)
            else:
                fault(path, times=self.random.randint(1, 3))


@dataclass
class Sent:
    """Remembers every body that was really meant to be sent, before the weather gets at it."""

    inner: Transport
    bodies: set[bytes] = field(default_factory=set)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        self.bodies.add(body)
        return await self.inner.post(url, body=body, headers=headers, timeout=timeout)


async def converse(scene: Scene, weather: Weather, number: int) -> None:
    """One consumer's search and its questions to one provider, whatever becomes of them."""
    thread = Thread("nic2004:85111", f"t-{number}", "app.example", "clinic.example", "std:011")
    weather.change()
    try:
        async for _ in scene.app.ask(SEARCH, SEARCH_ALL, wait=15):
            pass
    except DeliveryError:
        pass
    for action, message in QUESTIONS:
        weather.change()
        try:
            await scene.app.ask(action, message, thread, wait=20)
        except (NoAnswer, DeliveryError):
            continue


async def meet(scene: Scene) -> None:
    """Let everybody look everybody up once while the weather is fine."""
    for provider in ("clinic.example", "other.example"):
        await scene.app.ask(INIT, A_WISH, Thread("nic2004:85111", "t-0", "app.example", provider, "std:011"))
    [_ async for _ in scene.app.ask(SEARCH, SEARCH_ALL, wait=1)]
    await scene.network.settle()
    scene.handled.clear()
    scene.heard.clear()


async def in_weather(seed: str, kinds: tuple[str, ...]) -> tuple[Scene, Sent]:
    """A network after many conversations in this weather, when everything has come to its end."""
    if seed == "fresh":
        seed = os.environ.get("UHI_FAULT_SEED") or str(SystemRandom().randrange(10**6))
    print(f"UHI_FAULT_SEED={seed}")
    async with Network() as network:
        scene = await Scene.on(network)
        await meet(scene)
        sent = Sent(network.faults)
        for program in (scene.app, scene.clinic, scene.other, scene.gateway):
            object.__setattr__(deliveries_of(program).way_out, "transport", sent)
        weather = Weather(Random(int(seed)), scene, kinds)
        await asyncio.gather(*(converse(scene, weather, number) for number in range(CONVERSATIONS)))
        network.faults.heal()
        await network.settle()
    return scene, sent


def deliveries_of(program: Participant | Gateway) -> Deliveries:
    return program._deliveries if isinstance(program, Gateway) else program._office.deliveries


def effects(scene: Scene) -> Counter[tuple[str, str, str, str]]:
    """How often a handler ran, by receiver, sender, path and the question that the message is or answers."""
    found = [each for each in scene.heard if isinstance(each, Verified)]
    names = [who for who, _ in scene.handled]
    return Counter(
        (who, each.sender.id, each.context.action, each.admission.answers or each.context.message_id)
        for who, each in zip(names, found, strict=True)
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_message_has_two_effects_and_no_spoiled_one_has_any(seed):
    """Reliability rules: at-least-once delivery, the receiver's journal and the signature make one effect of it."""
    scene, sent = await in_weather(seed, EVERYTHING)

    assert {key: times for key, times in effects(scene).items() if times > 1} == {}
    assert {each.raw for each in scene.heard} <= sent.bodies
    refused = {hop.outcome for hop in scene.refusals()}
    assert refused <= {
        "AUT_SIGNATURE_INVALID",
        "AUT_REPLAY_DETECTED",
        "CTX_NO_PENDING_REQUEST",
        "NET_REGISTRY_UNAVAILABLE",
    }


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_an_appointment_depends_on_arrives_however_much_is_lost(seed):
    """Decision 19: every confirmation and cancellation that was taken is answered, and the answer is heard once."""
    scene, _ = await in_weather(seed, LOSSES)

    done = effects(scene)
    taken = {key[3] for key in done if key[0] == "clinic.example" and key[2] in ("confirm", "cancel", "status")}
    heard = {key[3] for key in done if key[0] == "app.example" and key[2] in ("on_confirm", "on_cancel", "on_status")}
    assert len(taken) >= CONVERSATIONS
    assert heard == taken
    assert max(done.values()) == 1

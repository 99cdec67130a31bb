"""Slow, resetting, half-closing, garbage-answering and black-hole peers: whatever is asked comes to its end, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from random import Random

import pytest

from tests.faults.proxy import TOXICS, Proxy, Toxic, timeout
from tests.network.messages import A_CANCELLATION, A_STATUS_QUESTION, A_WISH, AN_AGREEMENT, CATALOGUE, SEARCH_ALL
from tests.network.scene import Scene
from uhi.actions import CANCEL, CONFIRM, INIT, SEARCH, STATUS
from uhi.errors import DeliveryError, NoAnswer
from uhi.exchange import dispatch, send
from uhi.ports import Direction
from uhi.registry.memory import Member
from uhi.testing import Network, Options
from uhi.verified import Thread, Verified

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("haste", "quick")]

SEEDS = (1, 2, 3)
EACH = 3
LIFE = 4.0
QUESTIONS = ((INIT, A_WISH), (CONFIRM, AN_AGREEMENT), (STATUS, A_STATUS_QUESTION), (CANCEL, A_CANCELLATION))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt and an offer are given up after seconds that a test can wait for."""
    monkeypatch.setattr(send, "ATTEMPT_SECONDS", 0.8)
    monkeypatch.setattr(send, "DISCOVERY_SECONDS", 0.8)
    monkeypatch.setattr(dispatch, "DISCOVERY_LIFE", LIFE)


@dataclass
class Ill:
    """A network on which the way to one member is spoiled for its first connections."""

    scene: Scene
    proxy: Proxy

    async def ask(self, action: object, message: object, number: int) -> None:
        """Put one question to the clinic and hear its answer, or that there is none."""
        thread = Thread("nic2004:85111", f"{action.request.name}-{number}", "app.example", "clinic.example", "std:011")
        with suppress(NoAnswer, DeliveryError):
            await self.scene.app.ask(action, message, thread, wait=LIFE)

    async def search(self) -> None:
        """Search until the wait is over or both have answered."""
        heard = set()
        try:
            async for answer in self.scene.app.ask(SEARCH, SEARCH_ALL, wait=LIFE):
                heard.add(answer.sender.id)
                if len(heard) == 2:
                    return
        except DeliveryError:
            pass

    def effects(self) -> Counter[tuple[str, str, str, str]]:
        """How often a handler ran, by receiver, path, the question that the message is or answers, and sender."""
        found = zip(self.scene.handled, self.scene.heard, strict=True)
        return Counter(
            (who, each.context.action, each.admission.answers or each.context.message_id, each.sender.id)
            for (who, _), each in found
            if isinstance(each, Verified)
        )

    def check(self) -> None:
        """Nothing was handled twice, and everything that was sent has ended."""
        assert max(self.effects().values()) == 1
        assert self.scene.network.gateway.waiting == 0
        done = self.effects()
        for path in ("confirm", "status", "cancel"):
            taken = {key[2] for key in done if key[:2] == ("clinic.example", path)}
            assert len(taken) == EACH
            assert {key[2] for key in done if key[:2] == ("app.example", f"on_{path}")} == taken


@asynccontextmanager
async def ill(side: str, toxic: Toxic, random: Random) -> AsyncIterator[Ill]:
    """The network, whose `side` (clinic or app) is reached through the proxy."""
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(Network(Options(sockets=True)))
        scene = await Scene.on(network)
        [member] = network.members.with_id(f"{side}.example")
        proxy = Proxy(member.subscriber.url, random, toxic, ill=random.randint(3, 8))
        url = await stack.enter_async_context(proxy.open())
        network.members.replace(Member(replace(member.subscriber, url=url), member.keys))
        yield Ill(scene, proxy)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", ["clinic", "app"])
@pytest.mark.parametrize("toxic", TOXICS.values(), ids=TOXICS)
async def test_whatever_is_asked_over_a_spoiled_line_ends_once(toxic, side, seed):
    """Reliability rules, P6: each transaction ends by its deadline; what an appointment depends on is delivered."""
    print(f"seed {seed}")
    async with ill(side, toxic, Random(f"{toxic.__name__} {side} {seed}")) as line, asyncio.timeout(30):
        asking = [line.ask(action, message, number) for action, message in QUESTIONS for number in range(EACH)]
        # A consumer must be where it says, so one behind a proxy does not search.
        searching = [line.search() for _ in range(EACH)] if side == "clinic" else []
        await asyncio.gather(*asking, *searching)
        await line.scene.network.settle()

        line.check()
        assert line.proxy.spoiled > 0


async def test_black_hole_delays_no_other_provider():
    """Reliability rules, bulkheads: the others have answered every search while the hole's deliveries are pending."""
    async with ill("clinic", timeout, Random(1)) as line:
        line.proxy.ill = 1_000
        network = line.scene.network
        answers = [aiter(line.scene.app.ask(SEARCH, SEARCH_ALL, wait=20)) for _ in range(10)]

        heard = await asyncio.gather(*(anext(each) for each in answers))

        assert {answer.sender.id for answer in heard} == {"other.example"}
        assert all(answer.message == CATALOGUE for answer in heard)
        assert network.gateway.waiting > 0
        delivered = [
            hop for hop in network.calls if hop.direction is Direction.OUT and hop.receiver == "clinic.example"
        ]
        assert "ACK" not in {hop.outcome for hop in delivered}
        for each in answers:
            await each.aclose()

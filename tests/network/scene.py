"""A small network on which every program is watched: one consumer, one gateway, two providers, and who did what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.app import Gateway
from tests.network import letters, messages
from tests.network.letters import Answer, Letter
from uhi.actions import (
    CANCEL,
    CANCELLED,
    CONFIRM,
    INIT,
    REPORTED,
    SEARCH,
    SELECT,
    SLOTS,
    STATUS,
    STATUS_NEWS,
    TO_CONSUMER,
    TO_PROVIDER,
    UPDATED,
    Broadcast,
    Question,
)
from uhi.exchange.answers import Asking
from uhi.messages.receipt import ACK
from uhi.messages.wire import Wire
from uhi.observability.timeline import NOTED
from uhi.participant import Participant
from uhi.ports import Direction, Hop, Reply, Storage
from uhi.storage.memory import MemoryStorage
from uhi.subscribers import Subscriber
from uhi.testing import FakeClock, Network
from uhi.testing.network import REGISTRY_ID
from uhi.verified import Thread

ANSWERS = (
    (SEARCH, messages.CATALOGUE),
    (SLOTS, messages.FREE_SLOTS),
    (SELECT, messages.A_QUOTE),
    (INIT, messages.AN_OFFER),
    (CONFIRM, messages.A_BOOKING),
    (STATUS, messages.A_STATUS),
    (CANCEL, messages.CANCELLED_ORDER),
)


@dataclass
class Scene:
    """The network with its programs; `handled` are the names of the legs whose handlers ran, by subscriber."""

    network: Network
    app: Participant
    clinic: Participant
    other: Participant
    handled: list[tuple[str, str]] = field(default_factory=list)
    heard: list[object] = field(default_factory=list)

    @classmethod
    async def on(cls, network: Network) -> Scene:
        """Set it up on a fresh network."""
        app = await network.consumer("app.example")
        clinic, other = await network.provider("clinic.example"), await network.provider("other.example")
        scene = cls(network, app, clinic, other)
        for provider in (clinic, other):
            scene._answer_everything(provider)
        for action, _ in ANSWERS:
            app.on(action.answer)(scene._remember(app, action.answer.name, None))
        for notice in (UPDATED, STATUS_NEWS, CANCELLED, TO_CONSUMER):
            app.on(notice)(scene._remember(app, notice.leg.name, None))
        return scene

    @property
    def gateway(self) -> Gateway:
        """The network's gateway."""
        return self.network.gateway

    @property
    def now(self) -> float:
        """The network's time."""
        return self.network.clock.now()

    async def send(self, letter: Letter, to: Participant | Gateway, *, settle: bool = True) -> Answer:
        """Post a letter to a program and let everything that follows from it end."""
        entry: Subscriber = to.identity.me
        sockets = self.network.options.sockets
        answer = await (letters.post(letter, entry.url) if sockets else letters.hand_in(letter, to.entrance))
        if settle:
            await self.network.settle()
        return answer

    def letter(self, path: str, *, message: object = None, **changes: object) -> Letter:
        """A signed request of the consumer, to the clinic unless it is a first search."""
        provider = None if path == "search" else self.clinic.identity.me
        context = letters.context(path, self.app.identity.me, provider, **changes)
        return letters.letter(path, context, message).signed(self.network.signers["app.example"], self.now)

    def callback(
        self, path: str, *, by: Participant | None = None, message: object = None, **changes: object
    ) -> Letter:
        """A signed callback of a provider, by default the clinic's."""
        provider = (by or self.clinic).identity.me
        context = letters.context(path, self.app.identity.me, provider, **changes)
        return letters.letter(path, context, message).signed(self.network.signers[provider.id], self.now)

    def forwarded(self, letter: Letter) -> Letter:
        """A letter as it leaves the gateway: with the gateway's signature added."""
        return letter.signed(self.network.signers["gateway.example"], self.now, header="X-Gateway-Authorization")

    def state(self) -> tuple[object, ...]:
        """Everything a refused message must leave as it was."""
        sent = [hop for hop in self.network.calls if hop.direction is Direction.OUT]
        kept = [remembered(each.world.storage) for each in (self.app, self.clinic, self.other, self.gateway)]
        return tuple(self.handled), len(sent), kept

    def refusals(self) -> list[Hop]:
        """The lines of the programs' call logs about messages that did not get their ACK; lookups aside."""
        received = [hop for hop in self.network.calls if hop.direction is Direction.IN]
        return [hop for hop in received if hop.receiver != REGISTRY_ID and hop.outcome not in NO_REFUSALS]

    def deliveries(self, path: str, *, sender: str = "") -> list[Hop]:
        """The attempts to deliver something to a path."""
        hops = [hop for hop in self.network.calls if hop.direction is Direction.OUT and hop.action == path]
        return [hop for hop in hops if sender in ("", hop.sender)]

    def _answer_everything(self, provider: Participant) -> None:
        for action, answer in ANSWERS:
            provider.on(action)(self._remember(provider, action.request.name, answer))
        for notice in (REPORTED, TO_PROVIDER):
            provider.on(notice)(self._remember(provider, notice.leg.name, None))

    def _remember(self, who: Participant, name: str, answer: object) -> Callable[[object], object]:
        async def handler(message: object) -> object:
            self.handled.append((who.subscriber_id, name))
            self.heard.append(message)
            return answer

        return handler


def remembered(storage: Storage) -> tuple[object, ...]:
    """Everything a storage in memory holds, but the headers that may not come again."""
    assert isinstance(storage, MemoryStorage)
    journal, requests, outbox = storage._journal, storage._requests, storage._outbox
    return (
        dict(journal._digests),
        dict(journal._counts),
        set(journal._pairs),
        set(journal._unfinished),
        {key: asked.answered_as for key, asked in requests._requests.items()},
        set(requests._pairs),
        (set(outbox._ready), set(outbox._leased)),
        dict(storage._tripped),
    )


NO_REFUSALS = {"ACK", "repeated", "truncated", NOTED}
A_THREAD = Thread("nic2004:85111", "t-1", "app.example", "clinic.example", "std:011")
"""The conversation of `app.example` and `clinic.example` that the letters belong to."""


@asynccontextmanager
async def asked(
    scene: Scene, action: Question | Broadcast, message: Wire, *, thread: Thread | None = None, wait: float = 60.0
) -> AsyncIterator[tuple[Asking, asyncio.Future]]:
    """A question of the consumer that was delivered and finds no handler, so that its answers can be written by hand.

    Gives the question and its first answer to come. In memory the clock stands still until somebody moves it.
    """
    path = action.request.path
    scene.network.faults.answer(Reply(200, {}, ACK), path)
    if isinstance(scene.network.clock, FakeClock):
        scene.network.clock.jumps = False
    asking = scene.app.ask(action, message, thread, wait=wait)
    is_sent = asyncio.Event()
    scene.network.calls.heard = lambda hop: is_sent.set() if hop.message_id == asking.message_id else None
    first = asyncio.ensure_future(anext(aiter(asking)))
    await is_sent.wait()
    try:
        yield asking, first
    finally:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

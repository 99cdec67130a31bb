"""A running participant: one subscriber in one role. Four verbs: on, ask, tell, run.

The composition root of the library: here the doors, the handlers and the adapters meet. Above: hospitals, patient apps,
`uhi.testing`. Nothing here decides anything about a message.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from uhi.actions import Broadcast, Decline, Leg, Notice, Question, legs_of
from uhi.errors import ANSWER_FAILED, DeliveryError, IncompleteMessage, Refusal, SetupError
from uhi.exchange.admission import Correlation
from uhi.exchange.answers import Asking, Request, Taps
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.dispatch import Dispatch, Outgoing, new_id
from uhi.exchange.entrance import DoorEntrance, Manners
from uhi.exchange.legs import AnyLeg, Legs
from uhi.exchange.receive import Door, Received
from uhi.exchange.retry import Attempted
from uhi.exchange.send import Exit, Parcel, check_delivered
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import Trust
from uhi.handlers import Handler, Handlers, run
from uhi.http.server import Server, add_routes, application, serve
from uhi.messages.wire import Wire
from uhi.network import LOCAL, Network
from uhi.ports import Clock, Entrance, OpenRequest
from uhi.settings import Settings
from uhi.subscribers import Role, Subscriber
from uhi.verified import Thread, Verified
from uhi.world import Identity, World, identity_of, world_of

log = logging.getLogger(__name__)

Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)
M = TypeVar("M", bound=Wire)

DEFAULT_WAIT = 10.0
DRAIN_SECONDS = 20.0


class Participant:
    """A consumer or a provider on the network."""

    def __init__(self, identity: Identity, *, world: World, network: Network = LOCAL) -> None:
        me = identity.me
        self.identity = identity
        self.world = world
        self.network = network
        self.handlers = Handlers()
        self.on = self.handlers.on
        self._taps = Taps()
        trust = Trust(
            me.id,
            me.role,
            world.registry,
            world.clock,
            window=network.window,
            senders_signature=network.senders_signature,
        )
        legs = Legs(legs_of(me.role), is_handled=self._is_handled)
        door = Door(trust, legs, world.journal, Correlation(me.id, world.conversations, world.journal))
        manners = Manners(me.id, always_200=network.always_200)
        self._entrance = DoorEntrance(door, self._start, world.log, manners, lambda: self._deliveries.is_full)
        way_out = Exit(me, Stamps(identity.signer), world.transport, world.clock, world.log)
        self._deliveries = Deliveries(way_out)
        self._dispatch = Dispatch(me, identity.gateway, network.audited_domains, self._deliveries, identity.city)

    @classmethod
    def from_env(cls, role: Role = Role.PROVIDER) -> Participant:
        """A participant from `UHI_…` settings (see `uhi.settings`).

        Raises: SetupError naming every setting that is missing or wrong.
        """
        settings = Settings.read()
        identity = identity_of(settings, role)
        return cls(identity, world=world_of(settings, identity.signer), network=settings.preset)

    @property
    def entrance(self) -> Entrance:
        """What a server or a test network puts in front of this participant."""
        return self._entrance

    @property
    def clock(self) -> Clock:
        """The clock this participant lives by."""
        return self.world.clock

    @property
    def subscriber_id(self) -> str:
        """Our own subscriber id."""
        return self.identity.me.id

    @property
    def waiting(self) -> int:
        """How many handlers and deliveries are under way."""
        return self._deliveries.waiting

    async def idle(self) -> None:
        """Return when no handler and no delivery is under way."""
        await self._deliveries.idle()

    def include(self, handlers: Handlers) -> None:
        """Add a group of handlers.

        Raises: SetupError when an action gets a second handler.
        """
        self.handlers.include(handlers)

    def ask(
        self,
        action: Question[Q, A] | Broadcast[Q, A],
        message: Q,
        thread: Thread | None = None,
        *,
        wait: float = DEFAULT_WAIT,
    ) -> Asking[A]:
        """Put a question: iterate over the answers until `wait` seconds have passed, or await the first.

        Without a thread a new conversation begins (a search through the gateway). The answers' handlers run as well,
        also for answers that come later. Raises (when iterated or awaited): DeliveryError, IncompleteMessage, NoAnswer;
        SetupError for a question to nobody.
        """
        request = Request(new_id(), thread or self.new_thread(), wait, action.request.name)
        leg = action.request

        async def send() -> None:
            await self._send_request(leg, message, request)

        return Asking(request, send, self._taps, self.clock)

    async def tell(self, notice: Notice[M], message: M, thread: Thread) -> None:
        """Send news that nobody answers; returns when it is on its way.

        Raises: IncompleteMessage; SetupError for news to nobody; DeliveryError when the registry does not tell where
        the other party is.
        """
        leg = notice.leg
        counterpart = await self._counterpart(leg, thread)
        self._dispatch.send(Outgoing(leg, thread, new_id(), counterpart), message)

    def new_thread(self) -> Thread:
        """A conversation with nobody yet, in our own domain and city."""
        return Thread(self.identity.domain, new_id(), self.subscriber_id, city=self.identity.city)

    def mount_on(self, application: web.Application, *, prefix: str = "") -> None:
        """Serve this participant inside an aiohttp application that exists already, below `prefix`.

        Raises: SetupError when a handler does not fit the role.
        """
        self._check_handlers()
        add_routes(application, self._entrance, prefix=prefix)
        application.on_shutdown.append(self._stop_with)

    @asynccontextmanager
    async def serving(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Server]:
        """Serve on a port of our own while the block runs, below the path of the registered address.

        Leaving it drains what is under way.
        """
        self._check_handlers()
        prefix = urlsplit(self.identity.me.url).path
        async with serve(application(self._entrance, prefix=prefix), host=host, port=port) as server:
            try:
                yield server
            finally:
                await self.stop()
                await self.world.aclose()

    def run(self, *, host: str = "127.0.0.1", port: int = 8080) -> None:
        """Serve until Ctrl-C or SIGTERM; what is under way is finished first."""
        asyncio.run(self._serve_until_stopped(host, port))

    async def stop(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Take no more messages and wait up to `seconds` for handlers and deliveries under way."""
        self._entrance.is_open = False
        await self._deliveries.drain(seconds)

    async def _serve_until_stopped(self, host: str, port: int) -> None:
        stopped = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stopped.set)
        async with self.serving(host=host, port=port):
            await stopped.wait()

    async def _stop_with(self, application: web.Application) -> None:
        await self.stop()
        await self.world.aclose()

    async def _send_request(self, leg: Leg[Q], message: Q, request: Request) -> None:
        now = self.clock.now()
        counterpart = await self._counterpart(leg, request.thread)
        await self.world.conversations.open(
            OpenRequest(
                owner=self.subscriber_id,
                leg=leg.name,
                message_id=request.message_id,
                transaction_id=request.thread.transaction_id,
                counterpart=counterpart.id if counterpart else "",
                opened_at=now,
                until=now + request.wait,
            )
        )
        outgoing = Outgoing(leg, request.thread, request.message_id, counterpart, until=now + request.wait)
        self._dispatch.send(outgoing, message, ended=self._asked)

    def _asked(self, parcel: Parcel, attempted: Attempted) -> None:
        try:
            check_delivered(attempted, parcel)
        except DeliveryError as error:
            self._taps.pour(parcel.message_id, error)

    async def _counterpart(self, leg: Leg[M], thread: Thread) -> Subscriber | None:
        if leg.forwarded:
            return None
        role = leg.receiver
        subscriber_id = thread.provider_id if role is Role.PROVIDER else thread.consumer_id
        if not subscriber_id:
            raise SetupError(
                f"{leg.name} has nowhere to go",
                got=f"a thread without {role.value}_id",
                expected=f"a conversation with one {role.value}",
                next_step="pass the thread of an answer",
            )
        try:
            return await self.world.registry.subscriber(subscriber_id, role)
        except Refusal as refusal:
            raise DeliveryError(
                f"{leg.name} has no address to go to", got=str(refusal), code=refusal.fault.code
            ) from None

    def _is_handled(self, leg: AnyLeg) -> bool:
        """Answers are heard by whoever asked, with or without a handler of their own."""
        return bool(leg.answers) or self.handlers.of(leg) is not None

    def _check_handlers(self) -> None:
        role = self.identity.me.role
        for handler in self.handlers:
            if handler.leg.receiver is not role:
                raise SetupError(
                    f"{handler.leg.name} never arrives at {self.subscriber_id}",
                    got=f"a handler in a {role.value}",
                    expected=f"handlers for what a {role.value} receives",
                    next_step=f"move it to a {handler.leg.receiver.value}",
                )

    def _start(self, received: Received) -> None:
        answered = received.message.admission.answers
        if answered:
            self._taps.pour(answered, received.message)
        handler = self.handlers.of(received.leg)
        if handler is not None:
            self._deliveries.spawn(self._handle(handler, received))

    async def _handle(self, handler: Handler, received: Received) -> None:
        answer = await run(handler, received)
        if handler.answer is None or answer is None or not isinstance(received.message, Verified):
            return
        try:
            self._dispatch.answer(handler.answer, received.message, answer)
        except IncompleteMessage as error:
            log.error("the handler of %s returned too little: %s", handler.leg.name, error)
            self._dispatch.answer(handler.answer, received.message, Decline(ANSWER_FAILED))

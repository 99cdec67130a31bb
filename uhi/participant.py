"""A running participant: one subscriber in one role. Four verbs: on, ask, tell, run.

The composition root of the library: here the doors, the handlers and the adapters meet. Above: hospitals, patient apps,
`uhi.testing`. Nothing here decides anything about a message.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from uhi.actions import Broadcast, Notice, Question
from uhi.errors import Refusal, SetupError
from uhi.exchange.answers import Asking, Request, Roads
from uhi.exchange.dispatch import new_id
from uhi.frontage import check_registry_known, health_of, site_page
from uhi.handlers import Handlers
from uhi.http.health import Health
from uhi.http.server import Server, add_routes, application, serve
from uhi.messages.wire import Wire
from uhi.network import LOCAL, Network
from uhi.office import Office
from uhi.ports import Clock, Entrance, Letter
from uhi.settings import Settings
from uhi.subscribers import Role
from uhi.verified import Thread
from uhi.world import Identity, World, identity_of, world_of

Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)
M = TypeVar("M", bound=Wire)

DEFAULT_WAIT = 10.0
DRAIN_SECONDS = 20.0
STOP_SECONDS = 27.0
"""The longest a stop may take in all; whoever starts programs kills them after 30."""
_STOPS = (signal.SIGINT, signal.SIGTERM)

_Work = Callable[[], Coroutine[object, object, None]]


class Participant:
    """A consumer or a provider on the network."""

    def __init__(self, identity: Identity, *, world: World, network: Network = LOCAL) -> None:
        self.identity = identity
        self.world = world
        self.network = network
        self.handlers = Handlers()
        self.on = self.handlers.on
        check_registry_known(network, world)
        self._office = Office(identity, world, network, self.handlers)
        self._at_start: list[_Work] = []
        self._meanwhile: list[_Work] = []
        self._beside: list[Callable[[web.Application], None]] = []

    @classmethod
    def from_env(cls, role: Role = Role.PROVIDER) -> Participant:
        """A participant from `UHI_…` settings (see `uhi.settings`).

        Raises: SetupError naming every setting that is missing or wrong.
        """
        return cls.from_settings(Settings.read(), role)

    @classmethod
    def from_settings(cls, settings: Settings, role: Role) -> Participant:
        """A participant from settings that are read already, such as those of a program with more of them.

        Raises: SetupError when a key or the database's address cannot be used.
        """
        identity = identity_of(settings, role)
        return cls(identity, world=world_of(settings, identity.signer), network=settings.preset)

    @property
    def entrance(self) -> Entrance:
        """What a server or a test network puts in front of this participant."""
        return self._office.entrance

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
        return self._office.deliveries.waiting

    async def idle(self) -> None:
        """Return when no handler and no delivery is under way."""
        await self._office.deliveries.idle()

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

        async def send() -> None:
            await self._office.ask(action.request, message, request)

        return Asking(request, Roads(send, self._office.look), self._office.taps, self.clock)

    async def tell(self, notice: Notice[M], message: M, thread: Thread) -> None:
        """Send news that nobody answers; returns when it is stored and on its way.

        Raises: IncompleteMessage; SetupError for news to nobody; DeliveryError when the registry does not tell where
        the other party is, or it cannot be stored.
        """
        await self._office.send(await self._office.compose(notice, message, thread))

    async def compose(self, notice: Notice[M], message: M, thread: Thread) -> Sequence[Letter]:
        """News as letters, for a store that keeps them in one step with what they announce; then `post` them.

        Raises: as `tell`.
        """
        return await self._office.compose(notice, message, thread)

    def post(self, letters: Sequence[Letter], *, mine: Sequence[Letter]) -> None:
        """Send letters that a store has kept; `mine` are those of them that it leased to this process."""
        self._office.deliveries.post(letters, mine=mine)

    def switch_key(self, key_id: str) -> None:
        """Sign with another of our keys from now on; what is under way goes on. Do so when the registry has it active;
        the old key is retired when no signature made with it can be under way any more.

        Raises: SetupError when we hold no such key.
        """
        self.identity = self.identity.signing_with(key_id)
        self._office.stamps.switch(self.identity.signer)

    def new_thread(self) -> Thread:
        """A conversation with nobody yet, in our own domain and city."""
        return Thread(self.identity.domain, new_id(), self.subscriber_id, city=self.identity.city)

    def at_start(self, work: _Work) -> None:
        """Have something done before the first message is taken."""
        self._at_start.append(work)

    def meanwhile(self, work: _Work) -> None:
        """Have something run in the background while this participant does."""
        self._meanwhile.append(work)

    def serve_also(self, add: Callable[[web.Application], None]) -> None:
        """Have routes of one's own beside the network's, wherever this participant is served by itself: `add` gets the
        application. Inside somebody's application add them there."""
        self._beside.append(add)

    def health(self) -> Health:
        """What the health pages tell."""
        return health_of(self.world, is_open=lambda: self._office.door.is_open)

    def mount_on(self, application: web.Application, *, prefix: str = "") -> None:
        """Serve this participant inside an aiohttp application that exists already, below `prefix`.

        Raises: SetupError when a handler does not fit the role.
        """
        self._check_handlers()
        add_routes(application, self.entrance, prefix=prefix, limits=self.world.limits)
        application.on_startup.append(self._start_with)
        application.on_shutdown.append(self._stop_with)

    @asynccontextmanager
    async def serving(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Server]:
        """Serve on a port of our own while the block runs, below the path of the registered address.

        Leaving it drains what is under way.
        """
        self._check_handlers()
        prefix = urlsplit(self.identity.me.url).path
        limits = self.world.limits
        pages = site_page(self.identity)
        app = application(self.entrance, prefix=prefix, limits=limits, health=self.health(), pages=pages)
        for add in self._beside:
            add(app)
        try:
            await self.start()
            is_up = False
            try:
                async with serve(app, host=host, port=port, limits=limits) as server:
                    is_up = True
                    try:
                        yield server
                    finally:
                        await self.stop()
            finally:
                if not is_up:  # the port is taken: what began before ends before its storage does
                    await self.stop()
        finally:
            await self.world.aclose()

    def run(self, *, host: str = "127.0.0.1", port: int = 8080) -> None:
        """Serve until Ctrl-C or SIGTERM; what is under way is finished first."""
        asyncio.run(self._serve_until_stopped(host, port))

    async def start(self) -> None:
        """Take up what an earlier life left, and begin the background; `serving`, `run` and `mount_on` do it.

        Raises: SetupError when the storage cannot be used.
        """
        await self.world.open()
        try:
            for work in self._at_start:
                await work()
            await self._office.upkeep.start()
        except Refusal as refusal:
            raise SetupError(
                "the storage cannot be reached", got=str(refusal), next_step="check UHI_DATABASE_URL"
            ) from None
        for work in (*self._meanwhile, *self.world.kept.meanwhile):
            self._office.upkeep.meanwhile(work)

    async def stop(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Take no more messages and finish what is under way within `seconds`; what is stored goes on with the next
        start."""
        await self._office.stop(seconds=seconds)

    async def _serve_until_stopped(self, host: str, port: int) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()

        def stop() -> None:
            for each in _STOPS:
                loop.remove_signal_handler(each)  # the second one ends it at once
            stopped.set()

        for each in _STOPS:
            loop.add_signal_handler(each, stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as limit, self.serving(host=host, port=port):
                await stopped.wait()
                limit.reschedule(loop.time() + STOP_SECONDS)

    async def _start_with(self, application: web.Application) -> None:
        await self.start()

    async def _stop_with(self, application: web.Application) -> None:
        await self.stop()
        await self.world.aclose()

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

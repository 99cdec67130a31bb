"""What works behind a participant: the door in, the letters out, the handlers in between, and the upkeep.

A message is journalled before its ACK; what follows from it is one change that ends it. Above: `uhi.participant`, which
is what people see; below: the exchange, the handlers, the world.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TypeVar

from uhi.actions import SLOTS, Decline, Leg, Notice, legs_of
from uhi.errors import DeliveryError, IncompleteMessage, Refusal, SetupError
from uhi.exchange.admission import Correlation, end_of_work
from uhi.exchange.answers import Request, Taps
from uhi.exchange.deliveries import POLL_SECONDS, Deliveries
from uhi.exchange.dispatch import Dispatch, Outgoing, new_id, shows_secrets
from uhi.exchange.elsewhere import Elsewhere
from uhi.exchange.entrance import DoorEntrance, Manners
from uhi.exchange.lanes import Lanes
from uhi.exchange.legs import AnyLeg, Legs
from uhi.exchange.pressure import Pressure
from uhi.exchange.receive import Door, Received, overtaken, replay
from uhi.exchange.send import Exit, not_delivered
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import Trust
from uhi.exchange.upkeep import Upkeep
from uhi.faults import ANSWER_FAILED
from uhi.frontage import callable_by_registry
from uhi.handlers import Handler, Handlers, run
from uhi.messages.wire import Wire
from uhi.network import Network
from uhi.ports import Change, Ending, Kept, Letter, LetterState, OpenRequest
from uhi.subscribers import Role, Subscriber
from uhi.verified import Declined, Thread, Verified
from uhi.world import Identity, World

log = logging.getLogger(__name__)

MOST_OF_ONE = 64
"""How many messages of one sender are handled at the same time; the others wait."""
MOST_HANDLERS = 512
UNREADABLE_SECONDS = 300.0
"""After how long a message that this version cannot read is looked at again."""

Q = TypeVar("Q", bound=Wire)
M = TypeVar("M", bound=Wire)


class Office:
    """One participant at work."""

    def __init__(self, identity: Identity, world: World, network: Network, handlers: Handlers) -> None:
        me = identity.me
        self.me = me
        self.taps = Taps()
        self._turns = Lanes(lambda sender: MOST_OF_ONE, in_all=MOST_HANDLERS)
        self._world = world
        self._handlers = handlers
        legs = tuple(leg for leg in legs_of(me.role) if not (network.gateway_only and leg is SLOTS.request))
        self._legs = {leg.name: leg for leg in legs}
        trust = Trust(
            me.id,
            me.role,
            world.registry,
            world.clock,
            window=network.window,
            senders_signature=network.senders_signature,
            rates=world.new_rates(),
        )
        admit = Correlation(me.id, world.storage, follows=self._follows)
        door = Door(trust, Legs(legs, is_handled=self._is_handled), world.storage, admit)
        pressure = Pressure(world.bounds, world.clock)
        manners = Manners(me.id, always_200=network.always_200)
        self.door = DoorEntrance(door, self._start, world.log, manners, pressure.check)
        self.entrance = callable_by_registry(self.door, identity, world)
        self.stamps = world.stamps or Stamps(identity.signer)
        way_out = Exit(
            me,
            self.stamps,
            world.transport,
            world.registry,
            world.clock,
            world.log,
            clock_offset=world.clock_offset,
        )
        self.deliveries = Deliveries(
            way_out, world.storage, pressure=pressure, signals=world.signals, ended=self._ended
        )
        self._dispatch = Dispatch(me, identity.gateway, network.audited_domains, identity.city)
        self.upkeep = Upkeep(world.storage, self.deliveries, world.clock, self._take_up, pressure, world.retention)
        self._elsewhere = Elsewhere(me.id, self.taps, world.storage, world.signals, world.clock, self._read)
        self.look = self._elsewhere.look

    async def stop(self, *, seconds: float) -> None:
        """Take no more messages, finish what is under way within `seconds`, leave the rest to the next life."""
        self.door.is_open = False
        await self.deliveries.drain(seconds, close=self.door.close)
        await self.upkeep.stop()
        await self.upkeep.release()

    async def ask(self, leg: Leg[Q], message: Q, request: Request) -> None:
        """Put a question on its way, together with the memory that it was asked.

        Raises: IncompleteMessage, SetupError, DeliveryError.
        """
        offset = self._world.clock_offset
        if offset is not None and offset.is_stopped:
            await offset.check()
        now = self._world.clock.now()
        counterpart = await self._counterpart(leg, request.thread)
        outgoing = Outgoing(leg, request.thread, request.message_id, counterpart, until=now + request.wait)
        letters = self._dispatch.letters(outgoing, message, now=now)
        opens = OpenRequest(
            owner=self.me.id,
            leg=leg.name,
            message_id=request.message_id,
            transaction_id=request.thread.transaction_id,
            counterpart=counterpart.id if counterpart else "",
            opened_at=now,
            until=now + request.wait,
        )
        await self._commit(Change(opens=opens, letters=letters))
        if self._world.storage.is_shared:
            self.upkeep.meanwhile(partial(self._elsewhere.watch, request.message_id))

    async def compose(self, notice: Notice[M], message: M, thread: Thread) -> tuple[Letter, ...]:
        """News as letters that are not stored yet.

        Raises: IncompleteMessage, SetupError, DeliveryError.
        """
        counterpart = await self._counterpart(notice.leg, thread)
        outgoing = Outgoing(notice.leg, thread, new_id(), counterpart)
        return self._dispatch.letters(outgoing, message, now=self._world.clock.now())

    async def send(self, letters: tuple[Letter, ...]) -> None:
        """Store letters and send them.

        Raises: DeliveryError when they cannot be stored.
        """
        await self._commit(Change(letters=letters))

    async def _commit(self, change: Change) -> None:
        try:
            await self.deliveries.commit(change)
        except Refusal as refusal:
            raise DeliveryError("it cannot be remembered, so it is not sent", got=str(refusal)) from None

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
            return await self._world.registry.subscriber(subscriber_id, role)
        except Refusal as refusal:
            raise DeliveryError(
                f"{leg.name} has no address to go to", got=str(refusal), code=refusal.fault.code
            ) from None

    def _is_handled(self, leg: AnyLeg) -> bool:
        """Answers are heard by whoever asked, with or without a handler of their own."""
        return bool(leg.answers) or self._handlers.of(leg) is not None

    def _follows(self, leg: AnyLeg) -> bool:
        """Where other processes may await an answer it is kept for them, handled or not."""
        return self._handlers.of(leg) is not None or (bool(leg.answers) and self._world.storage.is_shared)

    def _read(self, kept: Kept) -> Verified[Wire] | Declined:
        return replay(kept, self._legs).message

    def _take_up(self, kept: Kept) -> None:
        try:
            self._start(replay(kept, self._legs))
        except Refusal as refusal:
            log.error("a message of an earlier life is left to a version that can read it: %s", refusal)
            self.deliveries.spawn(self._put_off(kept))

    async def _put_off(self, kept: Kept) -> None:
        await self._world.storage.put_off(kept.id, until=self._world.clock.now() + UNREADABLE_SECONDS)

    def _start(self, received: Received) -> None:
        self.deliveries.spawn(self.deliveries.heard_from(received.message.sender.id))
        answered = received.message.admission.answers
        if answered and not self.taps.pour(answered, received.message, row=received.row):
            self._elsewhere.tell(answered)
            received = overtaken(received, self._world.clock.now())
        handler = self._handlers.of(received.leg)
        if handler is not None:
            self.deliveries.follow(received.message, self._handle(handler, received))
        elif not received.is_finished:
            self.deliveries.spawn(self._finish(received))

    async def _handle(self, handler: Handler, received: Received) -> None:
        answer = await self._decided(handler, received)
        letters: tuple[Letter, ...] = ()
        if answer is not None and isinstance(received.message, Verified):
            letters = self._answer(handler, received.message, answer, row=received.row)
        await self._finish(received, letters)

    async def _finish(self, received: Received, letters: tuple[Letter, ...] = ()) -> None:
        forgets = _shows_a_pin(received.message)
        change = Change(finishes=received.row, forgets=forgets, letters=letters)
        await self.deliveries.finish(change, again=received.is_again)

    async def _decided(self, handler: Handler, received: Received) -> Wire | Decline | None:
        """What the handler says. While its storage is away it is asked again, as it would be after a crash; a message
        whose time is over by then fails."""
        message = received.message
        until = end_of_work(received.leg, message.context, message.received_at)
        while True:
            try:
                async with self._turns.to(message.sender.id, received.leg.urgency.priority):
                    return await run(handler, received)
            except Refusal as refusal:
                log.warning("the handler of %s waits for its storage: %s", handler.leg.name, refusal)
            if self._world.clock.now() >= until:
                return Decline(ANSWER_FAILED)
            await self._world.clock.sleep(POLL_SECONDS)

    def _answer(
        self, handler: Handler, request: Verified[Wire], answer: Wire | Decline, *, row: str
    ) -> tuple[Letter, ...]:
        now, leg = self._world.clock.now(), handler.answer
        if leg is None:
            return ()
        try:
            return self._dispatch.answer(leg, request, answer, row=row, now=now)
        except IncompleteMessage as error:
            log.error("the handler of %s returned too little: %s", handler.leg.name, error)
            return self._dispatch.answer(leg, request, Decline(ANSWER_FAILED), row=row, now=now)

    def _ended(self, ending: Ending) -> None:
        """Whoever waits for an answer learns that the question was not delivered."""
        if ending.state is not LetterState.DELIVERED:
            self.taps.pour(ending.letter.message_id, not_delivered(ending))


def _shows_a_pin(message: Verified[Wire] | Declined) -> bool:
    """A PIN or a link is kept no longer than it takes to deal with its message: the status brings it back."""
    order = getattr(message.message, "order", None) if isinstance(message, Verified) else None
    return shows_secrets(order)


__all__ = ["Office"]

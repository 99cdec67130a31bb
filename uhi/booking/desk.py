"""What the two halves of a provider's bookings share: the hospital, the store, the settings, the time, and turns.

Above: `uhi.booking.holding` (init, confirm) and `uhi.booking.attending` (status, cancel, news).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from weakref import WeakValueDictionary

from uhi.booking.hospital import Hospital
from uhi.booking.join_links import Call, Links, is_open
from uhi.booking.kept import KeptOrder
from uhi.booking.orders import write_full
from uhi.booking.policy import Policy
from uhi.booking.speaker import moment
from uhi.booking.store import BookingStore, Step, Written
from uhi.errors import OrderChanged, OrderUnknown
from uhi.messages import Order
from uhi.ports import Clock
from uhi.verified import Thread

R = TypeVar("R")

log = logging.getLogger(__name__)

TRIES = 5
"""How often a step is begun that finds its order changed by another process when it wants to keep it."""


@dataclass(frozen=True, slots=True)
class Turns:
    """One at a time per key, in this process; the store decides between processes."""

    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def of(self, key: str) -> asyncio.Lock:
        """The lock of a key; it lives while somebody has or awaits it."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The collaborators of a provider's bookings."""

    hospital: Hospital
    store: BookingStore
    policy: Policy
    clock: Clock
    turns: Turns = field(default_factory=Turns)

    def turn(self, order_id: str | None) -> asyncio.Lock:
        """The turn of an order: whoever reads it to change it has this first."""
        return self.turns.of(f"order {order_id}")

    async def in_turn(self, order_id: str | None, step: Callable[[], Awaitable[R]]) -> R:
        """Run a step that reads an order and changes it, when it is the order's turn.

        Where another process changed the order meanwhile, the step runs once more from its beginning.
        Raises: OrderChanged after `TRIES` times; what the step raises.
        """
        async with self.turn(order_id):
            for _ in range(TRIES - 1):
                with suppress(OrderChanged):
                    return await step()
            return await step()

    async def keep(self, order: KeptOrder, *, by: str) -> KeptOrder:
        """Keep an order now, and return it as it is kept; `by` says who changed it.

        Raises: SlotUnavailable, OrderChanged.
        """
        return (await self.write(order, by=by)).order

    async def write(self, order: KeptOrder, *, by: str) -> Written:
        """As `keep`, and tell whose slot it took besides.

        Raises: SlotUnavailable, OrderChanged.
        """
        return await self.store.put(order, Step(self.now(), by))

    def now(self) -> datetime:
        """The time, in India."""
        return moment(self.clock)

    async def visit(self, appointment_id: str) -> KeptOrder:
        """Return the order of an appointment, by the hospital's id.

        Raises: OrderUnknown.
        """
        order = await self.store.by_appointment(appointment_id)
        if order is None:
            raise OrderUnknown("no order belongs to this appointment", next_step="pass the id that book() returned")
        return order

    async def written(self, order: KeptOrder) -> Order:
        """Return the whole order as a consumer is told it, with the link to its call while there is one."""
        links = await self.links(order)
        return write_full(order, self.policy, join_url=links.patient if links else "")

    async def links(self, order: KeptOrder) -> Links | None:
        """Return the links to an order's call; None where there is no call to join, or no link could be made."""
        maker = self.policy.join_links
        if maker is None or not order.room or not is_open(order.state):
            return None
        slot = order.slot
        call = Call(order.room, slot.start, slot.end, tuple(doctor.id for doctor in slot.doctors))
        (made,) = await asyncio.gather(maker.links(call), return_exceptions=True)
        if isinstance(made, Links):
            return made
        if not isinstance(made, Exception):
            raise made
        log.error("order %s is told without the link to its call: %s", order.id, type(made).__name__)
        return None

    async def known(self, order_id: str | None, thread: Thread) -> KeptOrder | None:
        """Return the order of a consumer; None for one that is not there and for another consumer's alike."""
        order = await self.store.get(order_id or "")
        return order if order is not None and order.thread.consumer_id == thread.consumer_id else None


def consumer_of(thread: Thread) -> str:
    """Who asks, as an order's events name it."""
    return f"consumer {thread.consumer_id}"


def provider_of(thread: Thread) -> str:
    """The provider's own system, as an order's events name it."""
    return f"provider {thread.provider_id}"

"""What the two halves of a provider's bookings share: the hospital, the store, the settings, the time, and turns.

Above: `uhi.booking.holding` (init, confirm) and `uhi.booking.attending` (status, cancel, news).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakValueDictionary

from uhi.booking.hospital import Hospital
from uhi.booking.policy import Policy
from uhi.booking.speaker import moment
from uhi.booking.store import BookingStore, KeptOrder
from uhi.ports import Clock
from uhi.verified import Thread


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

    def now(self) -> datetime:
        """The time, in India."""
        return moment(self.clock)

    async def known(self, order_id: str | None, thread: Thread) -> KeptOrder | None:
        """Return the order of a consumer; None for one that is not there and for another consumer's alike."""
        order = await self.store.get(order_id or "")
        return order if order is not None and order.thread.consumer_id == thread.consumer_id else None

"""Slots given back: when a hold is over, when another order has the slot, when the order of a fresh hold is not kept.

The part of the holds that time and failures ask for. Above: `uhi.booking.holding`, `uhi.booking.confirming`. Source:
NHA Physical Consultation v2.0, slots and hold.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from uhi.booking.desk import Desk
from uhi.booking.holds import is_live
from uhi.booking.hospital import Hold
from uhi.booking.kept import KeptOrder
from uhi.booking.states import EventKind, OrderState, Party, step
from uhi.booking.store import Written
from uhi.errors import OrderChanged, SlotUnavailable

PATIENCE = 10.0
"""How long the hospital may take to release one hold, in seconds."""

AT_ONCE = 20
"""How many lapsed holds are released at the same time."""

log = logging.getLogger(__name__)


class Releasing:
    """How slots of one desk get free again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def release_lapsed(self) -> None:
        """Give back every slot whose hold is over; one whose confirmation is under way is left to that.

        A release that fails or takes too long is logged and left: a lapsed hold is free by itself.
        """
        gate = asyncio.Semaphore(AT_ONCE)
        lapsed = await self._desk.store.lapsed(now=self._desk.now())
        outcomes = await asyncio.gather(*(self._give_back(order, gate) for order in lapsed), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                log.error("a lapsed hold was not given back: %s", type(outcome).__name__)

    async def seated(self, ask: Callable[[], Awaitable[Hold]], keep: Callable[[Hold], Awaitable[Written]]) -> KeptOrder:
        """Have the hospital hold a slot and keep its order; where another order got the seat, ask for another seat. The
        orders that once held the slot are moved to EXPIRED.

        Raises: SlotUnavailable when there is none; what `ask` and `keep` raise, after the hold was given back.
        """
        tries = 0
        while True:
            hold, tries = await ask(), tries + 1
            try:
                async with self._kept_or_let_go(hold):
                    written = await keep(hold)
            except SlotUnavailable:
                if tries >= hold.slot.seats:
                    raise
                continue
            if written.overtook:
                await self._expire_others(written.order)
            return written.order

    @asynccontextmanager
    async def _kept_or_let_go(self, hold: Hold) -> AsyncIterator[None]:
        """Around what keeps the order of a fresh hold: where that fails in any way, the slot is given back."""
        is_kept = False
        try:
            yield
            is_kept = True
        finally:
            if not is_kept:
                await self._try_to_let_go(hold)

    async def _expire_others(self, claimed: KeptOrder) -> None:
        """Move the orders that once held a slot to EXPIRED, now that another order has it."""
        for order in await self._desk.store.lapsed(now=self._desk.now(), slot_id=claimed.slot.id):
            if order.id != claimed.id:
                await self._expire_unless_busy(order.id)

    async def expired(self, order: KeptOrder) -> KeptOrder:
        """Keep an order whose hold is over as EXPIRED; the caller has its turn."""
        if order.state is not OrderState.HELD or is_live(order.hold.until, now=self._desk.now()):
            return order
        state = step(order.state, EventKind.EXPIRED, by=Party.TIME)
        return await self._desk.keep(replace(order, state=state), by=Party.TIME.value)

    async def given_up(self, order: KeptOrder) -> None:
        """Give back the slot of an order that is still as it was when it was first kept, before its hold is over."""

        async def end() -> None:
            kept = await self._desk.store.get(order.id)
            if kept is None or kept.version != order.version:
                return
            state = step(kept.state, EventKind.EXPIRED, by=Party.TIME)
            over = replace(kept, state=state, hold=replace(kept.hold, until=self._desk.now()))
            await self._desk.keep(over, by=Party.TIME.value)
            await self._try_to_let_go(kept.hold)

        await self._desk.in_turn(order.id, end)

    async def _give_back(self, order: KeptOrder, gate: asyncio.Semaphore) -> None:
        async with gate:
            if await self._expire_unless_busy(order.id):
                await self._let_go(order.hold)

    async def _let_go(self, hold: Hold) -> None:
        """Release a hold, unless an order has its slot by it: a patient's second asking gets the hold of the first."""
        if not await self._desk.store.has_slot_by(hold, now=self._desk.now()):
            await self._release_in_time(hold)

    async def _try_to_let_go(self, hold: Hold) -> None:
        """Where it fails the hold ends by itself, and until then it is the same patient's to have again."""
        for outcome in await asyncio.gather(self._let_go(hold), return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("a hold that no order has was not given back: %s", type(outcome).__name__)

    async def _release_in_time(self, hold: Hold) -> None:
        release = asyncio.ensure_future(self._desk.hospital.release(hold))
        patience = asyncio.ensure_future(self._desk.clock.sleep(PATIENCE))
        try:
            await asyncio.wait({release, patience}, return_when=asyncio.FIRST_COMPLETED)
            if not release.done():
                raise TimeoutError
            await release
        finally:
            patience.cancel()
            release.cancel()

    async def _expire_unless_busy(self, order_id: str) -> bool:
        """Move an order whose hold is over to EXPIRED; whether it was moved, here and now."""
        turn = self._desk.turn(order_id)
        if turn.locked():
            return False
        async with turn:
            order = await self._desk.store.get(order_id)
            with suppress(OrderChanged):
                return order is not None and await self.expired(order) is not order
            return False

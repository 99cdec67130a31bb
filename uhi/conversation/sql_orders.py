"""The talks of a provider's orders, found where `SqlBookings` keeps them.

Implements `uhi.conversation.talks.Orders`; a program that knows more (whose tenant, whose practitioner) wraps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select

from uhi.booking.kept import KeptOrder
from uhi.booking.store import BookingStore
from uhi.conversation.talks import Talk, talk_of_order
from uhi.storage.sql.booking_tables import orders
from uhi.storage.sql.database import Database
from uhi.verified import Thread

_MOST = 20


class ProviderOrders:
    """The orders that `store` keeps for a provider in `database`; `told` makes the talk of one that was confirmed."""

    def __init__(
        self,
        database: Database,
        store: BookingStore,
        *,
        provider_id: str,
        told: Callable[[KeptOrder], Talk] = talk_of_order,
    ) -> None:
        self._database = database
        self._store = store
        self._provider_id = provider_id
        self._told = told

    async def find(self, order_id: str) -> Talk | None:
        """See `Orders`; an order that was never confirmed has no talk."""
        order = await self._store.get(order_id)
        return self._told(order) if order is not None and order.state.travels else None

    async def of_thread(self, thread: Thread) -> Sequence[Talk]:
        """See `Orders`."""
        if thread.provider_id != self._provider_id:
            return ()
        query = (
            select(orders.c.id)
            .where(orders.c.provider_id == self._provider_id, orders.c.transaction_id == thread.transaction_id)
            .where(orders.c.consumer_id == thread.consumer_id)
            .order_by(orders.c.confirmed_at.desc().nulls_last(), orders.c.id.desc())
            .limit(_MOST)
        )
        found = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        talks = [await self.find(order_id) for order_id in found]
        return [talk for talk in talks if talk is not None]

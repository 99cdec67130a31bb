"""A provider's orders as its people look at them: lists by doctor, place and day.

Only reads. Above: the staff's own interface of a provider; beside: `sql_bookings`, which has the single order and its
history; below: `uhi.booking.order_rows` and the tables.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, tuple_

from uhi.booking.cursors import read_cursor, write_cursor
from uhi.booking.kept import KeptOrder
from uhi.booking.order_rows import KEPT, OrderRows
from uhi.booking.states import OrderState
from uhi.storage.sql.booking_tables import hold, orders
from uhi.storage.sql.storage import SqlStorage

MOST = 100
"""How many orders a page has at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders: those that fit everything that is given. `since` and `until` are about the start of the slot, the
    second exclusive; `after` is the `next` of the page before. One of several ids or states is enough.
    """

    practitioner_ids: Collection[str] | None = None
    facility_ids: Collection[str] | None = None
    states: Collection[OrderState] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    most: int = 50


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders by the start of their slots, and where the next page begins, as a URL may have it: empty after the last
    one."""

    orders: tuple[KeptOrder, ...]
    next: str = ""


class Agenda:
    """The orders of one provider."""

    def __init__(self, storage: SqlStorage, provider_id: str) -> None:
        self._database = storage.database
        self._rows = OrderRows(provider_id, storage.ours.sealing)

    async def page(self, wanted: OrderFilter) -> OrderPage:
        """Return a page of orders, the earliest slot first.

        Raises: Refusal(REQUEST_INVALID) for an `after` that no page gave; SetupError when an order cannot be opened.
        """
        most = max(1, min(wanted.most, MOST))
        found = (
            select(*KEPT, orders.c.starts_at)
            .where(*self._conditions(wanted))
            .order_by(orders.c.starts_at, orders.c.id)
            .limit(most + 1)
        )
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        shown = rows[:most]
        kept = tuple(self._rows.order_of(row) for row in shown)  # type: ignore[arg-type]
        return OrderPage(kept, write_cursor(shown[-1].starts_at, shown[-1].id) if len(rows) > most else "")

    def _mine(self) -> ColumnElement[bool]:
        return orders.c.provider_id == self._rows.provider_id

    def _seen_by(self, practitioner_ids: Collection[str]) -> ColumnElement[bool]:
        """Booked with one of them, or taking the time of one who takes part besides."""
        named = sorted(practitioner_ids)
        taken = select(hold.c.order_id).where(
            hold.c.provider_id == self._rows.provider_id, hold.c.practitioner_id.in_(named)
        )
        return or_(orders.c.practitioner_id.in_(named), orders.c.id.in_(taken))

    def _conditions(self, wanted: OrderFilter) -> list[ColumnElement[bool]]:
        """`starts_at` is compared in any case, so that the order of an index can be followed."""
        conditions = [self._mine(), orders.c.starts_at.is_not(None)]
        if wanted.practitioner_ids is not None:
            conditions.append(self._seen_by(wanted.practitioner_ids))
        for column, several in (
            (orders.c.facility_id, wanted.facility_ids),
            (orders.c.state, [state.value for state in wanted.states] or None),
        ):
            if several is not None:
                conditions.append(column.in_(sorted(several)))
        if wanted.since is not None:
            conditions.append(orders.c.starts_at >= wanted.since.timestamp())
        if wanted.until is not None:
            conditions.append(orders.c.starts_at < wanted.until.timestamp())
        if wanted.after:
            conditions.append(tuple_(orders.c.starts_at, orders.c.id) > tuple_(*read_cursor(wanted.after)))
        return conditions

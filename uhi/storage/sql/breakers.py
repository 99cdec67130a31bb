"""The breakers of destinations on SQL, so that a restart does not forget them.

Sync functions on a `Connection`. Above: `storage`; below: `tables`. Source: reliability rules "Breakers and bulkheads".
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, text

from uhi.ports import Tripped
from uhi.storage.sql.tables import breaker as table

_TRIP = text(
    "INSERT INTO breaker (destination, until, trips) VALUES (:destination, :until, :trips)"
    " ON CONFLICT (destination) DO UPDATE SET until = excluded.until, trips = excluded.trips"
)


def trip(connection: Connection, tripped: Tripped) -> None:
    """See `uhi.ports.Outbox`."""
    if not tripped.trips:
        connection.execute(delete(table).where(table.c.destination == tripped.destination))
        return
    values = {"destination": tripped.destination, "until": tripped.until, "trips": tripped.trips}
    connection.execute(_TRIP, values)


def tripped(connection: Connection) -> Sequence[Tripped]:
    """See `uhi.ports.Outbox`."""
    rows = connection.execute(select(table).order_by(table.c.destination))
    return [Tripped(row.destination, row.until, row.trips) for row in rows]

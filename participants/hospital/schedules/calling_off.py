"""How an appointment is called off at the hospital: whether it still can be, and the seat that the facility closes.

Functions on a connection, over the orders that the library keeps. Above: `hospital`; below: `changing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from participants.hospital.organisations.tables import practice
from participants.hospital.schedules import changing
from participants.hospital.schedules.board import practice_of
from participants.hospital.schedules.records import SeatOff
from participants.hospital.schedules.week import Times
from participants.hospital.schedules.writing import Writing, writes
from uhi.audit import Acting, ActorKind
from uhi.booking.reasons import CancelledBy
from uhi.booking.states import OrderState
from uhi.errors import StateConflict
from uhi.storage.sql.booking_tables import hold, orders


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an appointment before it begins, by one side; `now` is Unix seconds."""

    appointment_id: str
    provider_id: str
    by: CancelledBy
    now: float

    def check(self, connection: Connection) -> Row[Any] | None:
        """See that it can still be called off; returns its seat, None where there is none to close.

        Raises: StateConflict.
        """
        row = connection.execute(_seat_of(self.appointment_id, self.provider_id)).first()
        if row is None:
            return None
        if row.state == OrderState.CANCELLED.value:
            return row if row.cancelled_by == CancelledBy.DOCTOR.value else None
        if row.state != OrderState.CONFIRMED.value:
            raise StateConflict("the appointment has begun", got=row.state, expected=OrderState.CONFIRMED.value)
        if self.by is CancelledBy.PATIENT and row.starts_at <= self.now:
            raise StateConflict("the time of the appointment has come", expected="a cancellation before its start")
        return row

    def close(self, connection: Connection) -> bool:
        """See that it can still be called off, or was by the facility, and close its seat; whether that was open.

        Raises: StateConflict.
        """
        row = self.check(connection)
        if row is None or not _is_ours(connection, row.slot_id):
            return False
        return self._written(connection, lambda writing: changing.call_off(writing, self._seat(row)))

    def stand(self, connection: Connection) -> None:
        """Open the seat again that was closed for it, unless the facility has called it off meanwhile."""
        row = connection.execute(_seat_of(self.appointment_id, self.provider_id)).first()
        if row is not None and row.cancelled_by != CancelledBy.DOCTOR.value:
            self._written(connection, lambda writing: changing.take_back(writing, self._seat(row)))

    def _written(self, connection: Connection, work: Callable[[Writing], bool]) -> bool:
        acting = Acting(actor=self.provider_id, kind=ActorKind.SYSTEM)
        return writes(work, now=self.now, acting=acting)(connection)

    def _seat(self, row: Row[Any]) -> SeatOff:
        return SeatOff(
            practice_id=practice_of(row.slot_id),
            slot_id=row.slot_id,
            seat=row.seat,
            times=Times(int(row.starts_at), int(row.ends_at)),
            at=self.now,
        )


def is_booked(connection: Connection, appointment_id: str, *, provider_id: str) -> bool:
    """Whether an order has this appointment."""
    found = select(orders.c.id).where(orders.c.provider_id == provider_id, orders.c.appointment_id == appointment_id)
    return connection.execute(found).first() is not None


def _seat_of(appointment_id: str, provider_id: str) -> Select[Any]:
    columns = (orders.c.state, orders.c.cancelled_by, hold.c.slot_id, hold.c.seat, hold.c.starts_at, hold.c.ends_at)
    return (
        select(*columns)
        .join(hold, and_(hold.c.order_id == orders.c.id, hold.c.practitioner_id == orders.c.practitioner_id))
        .where(orders.c.provider_id == provider_id, orders.c.appointment_id == appointment_id)
        .order_by(orders.c.confirmed_at.desc(), hold.c.id.desc())
        .limit(1)
    )


def _is_ours(connection: Connection, slot_id: str) -> bool:
    found = select(practice.c.id).where(practice.c.id == practice_of(slot_id))
    return connection.execute(found).first() is not None

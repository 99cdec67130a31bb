"""Calls that wait for an operator to call back: what the dispatch of an operator is told, and where it finds it.

Who calls twice has called once. Above: `quoting`; an embedding team puts its own dispatch behind `Calls`.
"""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from sqlalchemy import Connection, column, select
from sqlalchemy import table as named_table

from uhi.booking.hospital import Patient
from uhi.booking.intents import write_point
from uhi.listing import SqlRows, Table
from uhi.listing.ambulances import Call
from uhi.messages import Order
from uhi.messages.values import Point, wire_time
from uhi.storage.sql.database import Database
from uhi.storage.sql.upserts import insert_on
from uhi.verified import Thread

MOST_CALLS = 1_000
_COLUMNS = (
    *("call_key", "order_id", "called_at", "vehicle_id", "consumer_id", "kind"),
    *("patient_name", "patient_phone", "patient_address", "source", "destination"),
)
_calls = named_table("ambulance_call", *(column(name) for name in _COLUMNS))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCall:
    """A call as it is about to be quoted: the order with its new id, who calls, from where and to where."""

    at: datetime
    order: Order = field(repr=False)
    patient: Patient = field(repr=False)
    call: Call = field(repr=False)
    thread: Thread

    @property
    def key(self) -> str:
        """The same for a call that is repeated: of one patient, in one conversation, for one ambulance."""
        vehicle_id = self.order.fulfillment.id if self.order.fulfillment else None
        told = "\n".join((self.thread.consumer_id, self.thread.transaction_id, self.patient.id, vehicle_id or ""))
        return blake2b(told.encode(), digest_size=16).hexdigest()


class Calls(Protocol):
    """Where calls wait."""

    async def take(self, call: WaitingCall) -> str:
        """Take a call before its quote is sent, and return the id of its order: where the same call (`key`) waits
        already, that one's."""


class RecentCalls:
    """The last thousand calls of this process, in memory; `waiting` are those that nobody has answered."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, WaitingCall] = OrderedDict()
        self._answered: set[str] = set()

    @property
    def waiting(self) -> tuple[WaitingCall, ...]:
        """The calls nobody has answered yet, oldest first."""
        return tuple(call for call in self._calls.values() if call.order.id not in self._answered)

    async def take(self, call: WaitingCall) -> str:
        """Take a call."""
        kept = self._calls.setdefault(call.key, call)
        if len(self._calls) > MOST_CALLS:
            _, gone = self._calls.popitem(last=False)
            self._answered.discard(gone.order.id or "")
        log.info("a call for an ambulance waits: order %s", kept.order.id)
        return kept.order.id or ""

    def answered(self, order_id: str) -> None:
        """Count a call as answered; one that is not there is no error."""
        if any(call.order.id == order_id for call in self._calls.values()):
            self._answered.add(order_id)


class SqlCalls:
    """Rows of the operator's own table `ambulance_call`, for its dispatch to work through; `call_key` is its primary
    key and every column is text. The operator adds what columns it needs, and removes rows as it likes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> None:
        """See that the table is there.

        Raises: SetupError.
        """
        wanted = Table("ambulance_call", _COLUMNS, (), lambda entry: entry.text("call_key"))
        await SqlRows(self._database, wanted, rows=select(*_calls.c).limit(0)).check()

    async def take(self, call: WaitingCall) -> str:
        """Take a call."""
        row = _row(call)

        def taken(connection: Connection) -> str:
            known = select(_calls.c.order_id).where(_calls.c.call_key == row["call_key"])
            if connection.execute(known).first() is None:
                # Two processes may get the same call at once; the first one's id is everybody's.
                connection.execute(insert_on(connection, _calls).values(row).on_conflict_do_nothing())
            return str(connection.execute(known).scalars().first())

        order_id = await self._database.write(taken, is_vital=True)
        log.info("a call for an ambulance waits: order %s", order_id)
        return order_id


def _row(call: WaitingCall) -> dict[str, str]:
    patient, address = call.patient, call.patient.address
    parts = (address.door, address.building, address.street, address.locality, address.city, address.area_code)
    return {
        "call_key": call.key,
        "order_id": call.order.id or secrets.token_hex(16),
        "called_at": wire_time(call.at),
        "vehicle_id": (call.order.fulfillment.id if call.order.fulfillment else None) or "",
        "consumer_id": call.thread.consumer_id,
        "kind": call.call.kind,
        "patient_name": patient.name,
        "patient_phone": patient.phone,
        "patient_address": ", ".join(part for part in parts if part),
        "source": _where(call.call.source),
        "destination": _where(call.call.destination),
    }


def _where(point: Point | None) -> str:
    return write_point(point) if point else ""

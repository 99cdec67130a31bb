"""Orders, their claims and their events as rows, and back: what is sealed, and what lists are sought by.

Pure but for the random numbers of the seal. Above: `uhi.booking.sql_bookings`, `agenda`, `rebuilding`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row

from uhi.booking.events import EventKind, OrderEvent
from uhi.booking.kept import KeptOrder
from uhi.booking.order_json import read_order, write_order
from uhi.messages.values import IST
from uhi.storage.sealing import Sealing
from uhi.storage.sql.booking_tables import BOOKED, HELD, order_event, orders

KEPT = (orders.c.id, orders.c.version, orders.c.sealed, orders.c.pin)
KeptRow = Row[str, int, bytes, bytes | None]
EVENT = (
    order_event.c.order_id,
    order_event.c.version,
    order_event.c.kind,
    order_event.c.at,
    order_event.c.made_by,
    order_event.c.facts,
)
EventRow = Row[str, int, str, float, str, bytes]
EVENT_COLUMNS = ("order_id", "version", "provider_id", "kind", "at", "made_by", "facts")


@dataclass(frozen=True, slots=True)
class OrderRows:
    """The rows of one provider's orders."""

    provider_id: str
    sealing: Sealing

    def order_row(self, order: KeptOrder, *, at: float) -> dict[str, object]:
        """The row of an order as it is kept at a time, but for the time of its confirmation."""
        token, thread, slot = order.pin.token if order.pin else "", order.thread, order.slot
        return {
            "id": order.id,
            "state": order.state.value,
            "provider_id": self.provider_id,
            "consumer_id": thread.consumer_id,
            "transaction_id": thread.transaction_id,
            "domain": thread.domain,
            "city": thread.city,
            "hold_id": order.hold.id,
            "appointment_id": order.appointment_id or None,
            "held_until": order.hold.until.timestamp(),
            "updated_at": at,
            "version": order.version,
            "sealed": self.sealing.seal(write_order(order), about=f"order {order.id}"),
            "pin": self.sealing.seal(token.encode(), about=f"pin {order.id}") if token else None,
            "pin_until": order.pin.valid_to.timestamp() if order.pin and token else None,
            "practitioner_id": slot.doctor.id,
            "facility_id": slot.doctor.facility.id,
            "slot_id": slot.id,
            "fulfilment": slot.fulfilment,
            "cancelled_by": order.cancellation.by.value if order.cancellation else "",
            "starts_at": slot.start.timestamp(),
            "ends_at": slot.end.timestamp(),
        }

    def claim_rows(self, order: KeptOrder) -> list[dict[str, object]]:
        """The claims of an order that has its slot, one for each doctor who takes part, but for their own ids."""
        slot = order.slot
        return [
            {
                "order_id": order.id,
                "provider_id": self.provider_id,
                "slot_id": slot.id,
                "seat": slot.seat,
                "practitioner_id": doctor.id,
                "starts_at": slot.start.timestamp(),
                "ends_at": slot.end.timestamp(),
                "state": BOOKED if order.state.travels else HELD,
                "expires_at": order.hold.until.timestamp(),
                # Whoever takes part besides is nowhere else then, whatever the seat: the slot is their place.
                "facility_id": slot.doctor.facility.id if doctor is slot.doctor else slot.id,
            }
            for doctor in slot.doctors
        ]

    def event_row(self, event: OrderEvent) -> tuple[object, ...]:
        """The row of an event, in the order of `EVENT_COLUMNS`."""
        facts = json.dumps(event.facts, separators=(",", ":")).encode()
        sealed = self.sealing.seal(facts, about=_about(event.order_id, event.version))
        at = event.at.timestamp()
        return event.order_id, event.version, self.provider_id, event.kind.value, at, event.by, sealed

    def order_of(self, row: KeptRow) -> KeptOrder:
        """The order of a row.

        Raises: SetupError when it cannot be opened with the keys there are.
        """
        token = self.digits_of(row.pin, order_id=row.id) if row.pin else ""
        return read_order(self.sealing.open(row.sealed, about=f"order {row.id}"), token=token, version=row.version)

    def digits_of(self, pin: bytes, *, order_id: str) -> str:
        """The digits of an order's PIN as they are kept.

        Raises: SetupError when they cannot be opened, or are another order's.
        """
        return self.sealing.open(pin, about=f"pin {order_id}").decode()

    def events_of(self, rows: Iterable[EventRow]) -> list[OrderEvent]:
        """The events of rows.

        Raises: SetupError when one cannot be opened with the keys there are.
        """
        return [self._event_of(row) for row in rows]

    def _event_of(self, row: EventRow) -> OrderEvent:
        facts = json.loads(self.sealing.open(row.facts, about=_about(row.order_id, row.version)))
        at = datetime.fromtimestamp(row.at, IST)
        return OrderEvent(row.order_id, row.version, EventKind(row.kind), at, row.made_by, facts)


def as_kept(order: KeptOrder, events: Sequence[OrderEvent]) -> KeptOrder:
    """The order after these events of it."""
    return replace(order, version=events[-1].version) if events else order


def _about(order_id: str, version: int) -> str:
    return f"event {order_id} {version}"

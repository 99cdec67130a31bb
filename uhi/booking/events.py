"""What happened to an order, one event after the other: told apart from two versions of it, and put together again.

Pure. An event carries what it changed and nothing else; the digits of a PIN are in none. Above: the stores.
Source: reliability rules "Slots, holds, bookings", decision 37.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from uhi.booking.kept import KeptOrder
from uhi.booking.order_json import read_order
from uhi.booking.pin import PinStatus
from uhi.booking.plain_json import plain, write_value
from uhi.booking.states import EventKind, OrderState, Party, follows, who_may
from uhi.booking.telemedicine import Attendance
from uhi.errors import SetupError, StateConflict

__all__ = ["EventKind", "OrderEvent", "events_between", "events_up_to", "first_fault", "replay"]

_FIELDS = tuple(each.name for each in fields(KeptOrder) if each.name not in {"id", "version"})
_WITH_STATE = ("state", "appointment_id", "pin", "failure", "cancellation", "care_context_id", "room", "mode")
_BY_PRESENCE = {
    Attendance.JOINED: EventKind.JOINED,
    Attendance.LEFT: EventKind.LEFT,
    Attendance.ABSENT: EventKind.DOCTOR_ABSENT,
}
_BY_STATE = {
    OrderState.HELD: EventKind.HELD_AGAIN,
    OrderState.EXPIRED: EventKind.EXPIRED,
    OrderState.CONFIRMED: EventKind.CONFIRMED,
    OrderState.FAILED: EventKind.FAILED,
    OrderState.APPOINTMENT_STARTED: EventKind.STARTED,
    OrderState.COMPLETED: EventKind.COMPLETED,
    OrderState.NO_SHOW: EventKind.NO_SHOW,
    OrderState.DOCTOR_NO_SHOW: EventKind.DOCTOR_NO_SHOW,
    OrderState.CANCELLED: EventKind.CANCELLED,
}
_BOOKED_BEFORE = (OrderState.CONFIRMED,)
_ON_THE_WAY: Mapping[OrderState, tuple[OrderState, ...]] = {
    OrderState.APPOINTMENT_STARTED: _BOOKED_BEFORE,
    OrderState.COMPLETED: (*_BOOKED_BEFORE, OrderState.APPOINTMENT_STARTED),
    OrderState.NO_SHOW: _BOOKED_BEFORE,
    OrderState.DOCTOR_NO_SHOW: _BOOKED_BEFORE,
    OrderState.CANCELLED: _BOOKED_BEFORE,
}


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One event of an order's stream. `version` counts them from 1; `by` says who made it, an id with its kind before
    it; `facts` are the fields of the order that it changed, as plain JSON values.
    """

    order_id: str
    version: int
    kind: EventKind
    at: datetime
    by: str
    facts: Mapping[str, object] = field(repr=False)


def events_between(before: KeptOrder | None, after: KeptOrder, *, at: datetime, by: str) -> tuple[OrderEvent, ...]:
    """Return what happened between two versions of an order (None: there was none yet); nothing, where they are equal.

    `by` made what others than the consumer and the time alone can make.
    Raises: StateConflict for a change that no event stands for.
    """
    happened: list[tuple[EventKind, Mapping[str, object]]] = []
    version = before.version if before else 0
    if before is None:
        before = _when_held(after)
        happened.append((EventKind.HELD, _facts(before, _FIELDS)))
    happened += [(kind, _facts(after, names)) for kind, names in _changes(before, after)]
    return tuple(
        OrderEvent(after.id, version + number, kind, at, _maker(kind, after, by), facts)
        for number, (kind, facts) in enumerate(happened, 1)
    )


def events_up_to(order: KeptOrder, *, at: datetime, by: str) -> tuple[OrderEvent, ...]:
    """Return a stream for an order that has none: held, and every state on the way to the one it is in."""
    found: tuple[OrderEvent, ...] = ()
    before: KeptOrder | None = None
    for stage in (*(_booked(order, state) for state in _ON_THE_WAY.get(order.state, ())), order):
        found += events_between(before, stage, at=at, by=by)
        before = replace(stage, version=len(found))
    return found


def replay(events: Sequence[OrderEvent]) -> KeptOrder:
    """Return the order that a whole stream tells of, without the digits of its PIN.

    Raises: SetupError for a stream that is empty, has a gap, or tells of no order.
    """
    if [event.version for event in events] != list(range(1, len(events) + 1)) or not events:
        found = f"{len(events)} of order {events[0].order_id}, up to number {events[-1].version}" if events else "none"
        raise SetupError("the events of an order are not all there", got=found, next_step="restore a backup")
    told: dict[str, object] = {"id": events[0].order_id}
    for event in events:
        told.update(event.facts)
    return read_order(write_value(told), token="", version=len(events))


def first_fault(events: Sequence[OrderEvent]) -> OrderEvent | None:
    """Return the first event that may not happen in the state the ones before it led to."""
    state: OrderState | None = None
    for event in events:
        state = follows(state, event.kind)
        if state is None or event.facts.get("state", state) != state:
            return event
    return None


def _when_held(order: KeptOrder) -> KeptOrder:
    if order.state is OrderState.HELD:
        return order
    return replace(
        order,
        state=OrderState.HELD,
        appointment_id="",
        pin=None,
        failure=None,
        cancellation=None,
        care_context_id="",
        rescheduled_to="",
        room="",
        mode=None,
        consents=(),
        presences=(),
    )


def _booked(order: KeptOrder, state: OrderState) -> KeptOrder:
    """The order as it was in an earlier state, from its confirmation on."""
    return replace(order, state=state, cancellation=None, care_context_id="", rescheduled_to="")


def _changes(before: KeptOrder, after: KeptOrder) -> Iterator[tuple[EventKind, tuple[str, ...]]]:
    """Each event, and the fields it tells of."""
    left = [name for name in _FIELDS if _value(before, name) != _value(after, name)]
    for kind, names in _in_order(before, after):
        found = tuple(name for name in names if name in left)
        if found:
            left = [name for name in left if name not in found]
            yield kind, found
    if left:
        raise StateConflict("an order was changed in a way that no event stands for", got=", ".join(left))


def _in_order(before: KeptOrder, after: KeptOrder) -> Iterator[tuple[EventKind, tuple[str, ...]]]:
    # A hold that is given back before its time ends with the order.
    ending = ("hold",) if (before.state, after.state) == (OrderState.HELD, OrderState.EXPIRED) else ()
    if not ending:
        yield EventKind.HELD_AGAIN, ("hold", "thread", "billing", "customer")
    yield EventKind.TERMS_AGREED, ("terms",)
    pin_kind = _pin_kind(before, after)
    if pin_kind is not None:
        yield pin_kind, ("pin",)
    yield EventKind.CONSENT_GIVEN, ("consents",)
    if after.presences:
        yield _BY_PRESENCE[after.presences[-1].what], ("presences",)
    if after.state is not before.state:
        yield _BY_STATE[after.state], (*_WITH_STATE, *ending)
    yield EventKind.RECORDS_LINKED, ("care_context_id",)
    yield EventKind.RESCHEDULED, ("rescheduled_to",)


def _maker(kind: EventKind, order: KeptOrder, by: str) -> str:
    parties = who_may(kind)
    if parties == {Party.CONSUMER}:
        return f"consumer {order.thread.consumer_id}"
    return Party.TIME.value if parties == {Party.TIME} else by


def _pin_kind(before: KeptOrder, after: KeptOrder) -> EventKind | None:
    if before.pin is None or after.pin is None:
        return None
    if before.pin.misses != after.pin.misses:
        return EventKind.PIN_MISSED
    return EventKind.PIN_VERIFIED if after.pin.status is PinStatus.VERIFIED else EventKind.PIN_OVERRIDDEN


def _value(order: KeptOrder, name: str) -> object:
    if name == "pin" and order.pin is not None:
        return replace(order.pin, token="")
    return getattr(order, name)


def _facts(order: KeptOrder, names: Sequence[str]) -> dict[str, object]:
    return {name: plain(_value(order, name)) for name in names}

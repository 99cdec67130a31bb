"""Appointments that have no slot in the schedule of today: a changed schedule loses none of them, it names them.

Derived each time from what is booked and what the schedule is; nothing is kept but who has seen it. Says nothing about
patients. Above: routes; below: `reading`, the library's tables of bookings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from participants.hospital.organisations.snapshot import Snapshot
from participants.hospital.schedules import rows
from participants.hospital.schedules.board import Place, practice_of
from participants.hospital.schedules.derive import Timetable, Why
from participants.hospital.schedules.hours import read_slot_id
from participants.hospital.schedules.reading import timetables_of
from participants.hospital.schedules.records import Owned
from participants.hospital.schedules.tables import schedule_ack
from participants.hospital.schedules.week import Times
from uhi.booking.states import OrderState
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING
from uhi.storage.sql.booking_tables import BOOKED, hold, orders
from uhi.storage.sql.upserts import insert_on

_AT_ONCE = 500
_NAMED_IN_SQL = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """A booked appointment without a slot, why, and who has seen it when (Unix seconds)."""

    order_id: str
    appointment_id: str
    state: str
    practice: Owned
    slot_id: str
    kind: str
    times: Times
    why: Why
    seen_by: str = ""
    seen_at: float | None = None

    @property
    def key(self) -> str:
        """Where it stands in the list: by its start."""
        return f"{self.times.start:011d}-{self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which appointments are looked at: one provider's, of one organisation, of these practices where any are named,
    after a key, at most so many. `snapshot` tells what can be booked, `now` is Unix seconds.
    """

    provider_id: str
    organisation_id: str
    snapshot: Snapshot
    now: float
    practice_ids: frozenset[str] = frozenset()
    with_seen: bool = False
    after: str = ""
    most: int = 100


def concerns(connection: Connection, look: Look) -> list[Concern]:
    """Return the appointments that need attention, by their start, at most `most`."""
    found: list[Concern] = []
    after = _read_key(look.after)
    while True:
        page = connection.execute(_page(look, after)).all()
        found += _misfits(connection, look, page)
        if len(found) >= look.most or len(page) < _AT_ONCE:
            return found[: look.most]
        after = (page[-1].starts_at, page[-1].order_id)


def concern(connection: Connection, look: Look, order_id: str) -> Concern:
    """Return one appointment that needs attention, of whatever organisation.

    Raises: Refusal(RECORD_MISSING) when it does not, or not any more.
    """
    found = connection.execute(_booked(look).where(hold.c.order_id == order_id)).all()
    for each in _misfits(connection, look, found):
        return each
    raise Refusal(RECORD_MISSING, "no appointment of this order needs attention")


def acknowledge(connection: Connection, seen: Concern, *, by: str, now: float) -> None:
    """Put down that somebody has seen it; who was first stays."""
    new = insert_on(connection, schedule_ack).values(order_id=seen.order_id, slot_id=seen.slot_id, by=by, at=now)
    connection.execute(new.on_conflict_do_nothing(index_elements=["order_id", "slot_id"]))


def _page(look: Look, after: tuple[float, str]) -> Select[Any]:
    later = or_(hold.c.starts_at > after[0], and_(hold.c.starts_at == after[0], hold.c.order_id > after[1]))
    query = _booked(look).where(later)
    if not look.with_seen:
        query = query.where(schedule_ack.c.at.is_(None))
    if 0 < len(look.practice_ids) <= _NAMED_IN_SQL:
        # Ids of slots begin with their practice's; "." follows "-".
        ranges = (hold.c.slot_id.between(f"{each}-", f"{each}.") for each in sorted(look.practice_ids))
        query = query.where(or_(*ranges))
    return query.limit(_AT_ONCE)


def _booked(look: Look) -> Select[Any]:
    return (
        select(
            hold.c.order_id,
            hold.c.slot_id,
            hold.c.seat,
            hold.c.starts_at,
            hold.c.ends_at,
            orders.c.appointment_id,
            orders.c.state,
            schedule_ack.c.by,
            schedule_ack.c.at,
        )
        .join(orders, and_(orders.c.id == hold.c.order_id, orders.c.practitioner_id == hold.c.practitioner_id))
        .outerjoin(
            schedule_ack,
            and_(schedule_ack.c.order_id == hold.c.order_id, schedule_ack.c.slot_id == hold.c.slot_id),
        )
        .where(
            hold.c.provider_id == look.provider_id,
            hold.c.state == BOOKED,
            hold.c.ends_at > look.now,
            orders.c.state == OrderState.CONFIRMED.value,
        )
        .order_by(hold.c.starts_at, hold.c.order_id)
    )


def _misfits(connection: Connection, look: Look, page: Sequence[Row[Any]]) -> Iterator[Concern]:
    practices = rows.owned_some(connection, _wanted(look, page))
    theirs = {
        name: practice for name, practice in practices.items() if look.organisation_id in {"", practice.organisation_id}
    }
    timetables = timetables_of(connection, theirs.keys(), now=look.now)
    for row in page:
        practice = theirs.get(practice_of(row.slot_id))
        if practice is None:
            continue
        why = _why(row, look.snapshot, timetables.get(practice.id))
        if why is not None:
            yield _concern(row, practice, why)


def _wanted(look: Look, page: Sequence[Row[Any]]) -> Collection[str]:
    named = {practice_of(row.slot_id) for row in page}
    return named & look.practice_ids if look.practice_ids else named


def _why(row: Row[Any], snapshot: Snapshot, timetable: Timetable | None) -> Why | None:
    name = read_slot_id(row.slot_id)
    practice = snapshot.practices.get(name.practice) if name else None
    if name is None or practice is None or name.fulfilment not in practice.quotes:
        return Why.PRACTICE
    if timetable is None:
        return Why.HOURS
    place = Place.of(practice, timetable, name.fulfilment)
    return place.timetable.misfit(Times(int(row.starts_at), int(row.ends_at)), place.kind, row.seat)


def _concern(row: Row[Any], practice: Owned, why: Why) -> Concern:
    name = read_slot_id(row.slot_id)
    return Concern(
        order_id=row.order_id,
        appointment_id=row.appointment_id or "",
        state=row.state,
        practice=practice,
        slot_id=row.slot_id,
        kind=name.fulfilment if name else "",
        times=Times(int(row.starts_at), int(row.ends_at)),
        why=why,
        seen_by=row.by or "",
        seen_at=row.at,
    )


def _read_key(text: str) -> tuple[float, str]:
    start, _, order_id = text.partition("-")
    return (float(start) if start.isascii() and start.isdigit() else -1.0, order_id)

"""Orders written, many in a few statements: the events of each, its row, and the claim that decides who has its slot.

Sync functions on a `Connection`; what one order is refused for concerns no other of the group. Above:
`uhi.booking.sql_bookings`; below: `uhi.storage.sql.claim_rows`, `many`. Source: reliability rules "Slots, holds,
bookings".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from uhi.booking.order_rows import EVENT_COLUMNS
from uhi.errors import OrderChanged, SetupError, SlotUnavailable
from uhi.ports import Event
from uhi.storage.sql import claim_rows
from uhi.storage.sql.booking_tables import BOOKED, order_event, orders
from uhi.storage.sql.events import insert_events
from uhi.storage.sql.many import insert_rows, is_postgres, look_up, update_rows

Refused = OrderChanged | SlotUnavailable

_VERSIONS = """
SELECT orders.id, orders.version, orders.confirmed_at FROM orders
WHERE orders.provider_id = :provider AND orders.id IN (SELECT a FROM {given}) ORDER BY orders.id /*pg FOR UPDATE */
"""
_UNDO = "DELETE FROM orders WHERE id IN (SELECT a FROM {given})"
_THERE = "SELECT orders.id FROM orders WHERE orders.id IN (SELECT a FROM {given})"


@dataclass(frozen=True, slots=True)
class Claiming:
    """The time of one doctor that an order is to have; `id` is that of the row where one has to be made."""

    id: str
    claim: Mapping[str, object]

    @property
    def key(self) -> tuple[str, str]:
        """Whose time for which order."""
        return str(self.claim["order_id"]), str(self.claim["practitioner_id"])


@dataclass(frozen=True, slots=True)
class Writing:
    """One order to be kept: its new row and events, and its claims where it is to have its slot, one per doctor.

    `version` is the one it was read in, 0 for a new one; `claims_before` are the claims it was read with.
    """

    provider_id: str
    version: int
    row: Mapping[str, object]
    events: Sequence[tuple[object, ...]]
    claims: Sequence[Claiming]
    claims_before: Sequence[Mapping[str, object]]
    at: float
    is_confirmed: bool = False
    told: Event | None = None

    @property
    def id(self) -> str:
        """The order's own."""
        return str(self.row["id"])

    @property
    def size(self) -> int:
        """About how many bytes are written."""
        sealed = (self.row["sealed"], *(row[-1] for row in self.events))
        return 512 + sum(len(part) for part in sealed if isinstance(part, bytes))


def write_orders(connection: Connection, writings: Sequence[Writing]) -> list[Refused | bool]:
    """Keep orders, each whole or not at all; returns of each why it could not be kept, or else whether it took its slot
    over from another one whose hold was over.

    Raises: SlotUnavailable or SetupError when there is one only; IntegrityError when one of several stands in the way,
        so that each has to be written alone.
    """
    try:
        group = _Group(connection, writings)
        group.lock()
        group.insert()
        group.claim()
        group.update()
    except IntegrityError:
        if len(writings) > 1:
            raise
        raise SlotUnavailable("another order has a slot that overlaps this one, or its appointment") from None
    _append(connection, group.left(), is_alone=len(writings) == 1)
    insert_events(connection, [each.told for each in group.left() if each.told])
    return [group.refused.get(at, str(each.row["slot_id"]) in group.freed) for at, each in enumerate(writings)]


@dataclass(slots=True)
class _Group:
    connection: Connection
    writings: Sequence[Writing]
    refused: dict[int, Refused] = field(default_factory=dict)
    confirmed_at: dict[str, object] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)

    def left(self) -> list[Writing]:
        return [each for at, each in enumerate(self.writings) if at not in self.refused]

    def lock(self) -> None:
        """Keep others from the orders that are there, and refuse what was read before somebody else changed it."""
        # What an insert on SQLite leaves out may be there under the same id: it has to be looked for before.
        is_looked_for = not is_postgres(self.connection)
        ids = sorted({each.id for each in self.writings if each.version or is_looked_for})
        known: dict[str, object] = {}
        if ids:
            provider = {"provider": self.writings[0].provider_id}
            for row in look_up(self.connection, _VERSIONS, [(each,) for each in ids], provider):
                known[row.id] = row.version
                self.confirmed_at[row.id] = row.confirmed_at
        seen: set[str] = set()
        for at, each in enumerate(self.writings):
            if each.id in seen or known.get(each.id, 0) != each.version:
                self.refused[at] = OrderChanged("the order was changed meanwhile", next_step="read it again")
            seen.add(each.id)

    def claim(self) -> None:
        """Give the orders their slots, or take from them what they have no right to any more."""
        left = self.left()
        gone = [each.id for each in left if not each.claims and each.version]
        if gone:
            claim_rows.end_claims_of(self.connection, gone)
        wanting = [each for each in left if each.claims and not (each.version and _is_settled(each))]
        parted = [key for each in wanting for key in _parted(each)]
        if parted:
            claim_rows.end_claims(self.connection, parted)
        own = [one.claim for each in wanting if each.version for one in each.claims]
        renewed = claim_rows.renew_claims(self.connection, own) if own else set()
        taking = {each.id: [one for one in each.claims if one.key not in renewed] for each in wanting}
        if any(taking.values()):
            self._take([each for each in wanting if taking[each.id]], taking)

    def _take(self, takers: Sequence[Writing], taking: Mapping[str, Sequence[Claiming]]) -> None:
        """Make claims; of an order that does not get the time of everybody, none is left."""
        claims = [{"id": one.id, "now": each.at, **one.claim} for each in takers for one in taking[each.id]]
        # In the order of doctors: two who each want the time of the same two do not wait for one another for ever.
        claims.sort(key=lambda claim: str(claim["practitioner_id"]))
        self.freed |= claim_rows.end_lapsed_in_the_way(self.connection, claims)
        lost = claim_rows.insert_claims(self.connection, claims)
        late = [each for each in takers if any(one.id in lost for one in taking[each.id])]
        partly = [each.id for each in late if len(each.claims) > 1]
        if partly:
            claim_rows.end_claims_of(self.connection, partly)
        new = [(each.id,) for each in late if not each.version]
        if new:
            look_up(self.connection, _UNDO, new)
        for each in late:
            self._refuse(each, SlotUnavailable("the slot is held or booked by another order"))

    def insert(self) -> None:
        """Write the rows of new orders."""
        new = [each for each in self.left() if not each.version]
        if not new:
            return
        columns = tuple(new[0].row)
        rows = [(*each.row.values(), each.at if each.is_confirmed else None) for each in new]
        kept = insert_rows(self.connection, orders, (*columns, "confirmed_at"), rows)
        missing = [each for each in new if kept is not None and each.id not in kept]
        if not missing:
            return
        there = {str(row.id) for row in look_up(self.connection, _THERE, [(each.id,) for each in missing])}
        for each in missing:
            if each.id in there:
                self._refuse(each, OrderChanged("the order was changed meanwhile", next_step="read it again"))
            else:
                self._refuse(each, SlotUnavailable("another order has this hold or this appointment"))

    def update(self) -> None:
        """Write the rows of the orders that have changed and have what they need."""
        changed = [each for each in self.left() if each.version and each.events]
        if changed:
            columns = tuple(name for name in changed[0].row if name != "id")
            rows = [(each.id, *(each.row[name] for name in columns), self._confirmed_at(each)) for each in changed]
            update_rows(self.connection, orders, ("id",), (*columns, "confirmed_at"), rows)

    def _confirmed_at(self, each: Writing) -> object:
        return self.confirmed_at[each.id] or (each.at if each.is_confirmed else None)

    def _refuse(self, writing: Writing, why: Refused) -> None:
        self.refused[next(at for at, each in enumerate(self.writings) if each is writing)] = why


def _is_settled(each: Writing) -> bool:
    """Booked claims that stay as they are; nobody else may have ended them."""
    claims = [one.claim for one in each.claims]
    return claims == list(each.claims_before) and all(claim["state"] == BOOKED for claim in claims)


def _parted(each: Writing) -> list[tuple[str, str]]:
    """The claims of doctors who took part before, and do not any more."""
    taking = {one.claim["practitioner_id"] for one in each.claims}
    return [
        (each.id, str(claim["practitioner_id"]))
        for claim in each.claims_before
        if claim["practitioner_id"] not in taking
    ]


def _append(connection: Connection, writings: Sequence[Writing], *, is_alone: bool) -> None:
    rows = [row for each in writings for row in each.events]
    if not rows:
        return
    try:
        insert_rows(connection, order_event, EVENT_COLUMNS, rows)
    except IntegrityError:
        if not is_alone:
            raise
        raise SetupError(
            "the events of an order do not lead to what is kept of it", next_step="have the orders rebuilt and checked"
        ) from None

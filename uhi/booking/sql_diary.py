"""A consumer's bookings on SQL: they outlive the process, and several processes may work on them.

Sealed, and without the digits of a PIN, which live in this process's memory alone; status brings them back. Above:
`uhi.booking.consumer`; below: `uhi.storage.sql`. Source: decision 37.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, select, tuple_, update

from uhi.booking.booking_json import read_booking, write_booking
from uhi.booking.diary import Change, Diary, Entry, Key, MemoryDiary, Turn
from uhi.booking.states import OrderState
from uhi.storage.sql.consumer_tables import consumer_booking
from uhi.storage.sql.storage import SqlStorage
from uhi.storage.sql.upserts import insert_on
from uhi.world import World

MOST_DUE = 100
_SHOWN = frozenset({OrderState.HELD, OrderState.CONFIRMED})
"""In which states a patient has a PIN to show; afterwards its digits are forgotten."""

_T = consumer_booking.c


class SqlDiary:
    """The bookings of one consumer, on a database that may hold those of others too."""

    def __init__(self, storage: SqlStorage, *, consumer_id: str) -> None:
        self._database = storage.database
        self._sealing = storage.ours.sealing
        self._consumer_id = consumer_id
        self._pins: dict[Key, str] = {}

    async def known(self, key: Key) -> Entry | None:
        """See `Diary`.

        Raises: SetupError when it cannot be opened with the keys there are.
        """
        found = select(consumer_booking).where(self._at(key))
        row = await self._database.read(lambda connection: connection.execute(found).mappings().one_or_none())
        return self._open(row, self._pins.get(key, "")) if row is not None else None

    async def known_of(self, keys: Collection[Key]) -> Mapping[Key, Entry]:
        """See `Diary`.

        Raises: SetupError, as `known`.
        """
        own, orders = _T.consumer_id == self._consumer_id, tuple_(_T.provider_id, _T.order_id)
        found = select(consumer_booking).where(own, orders.in_([tuple(key) for key in keys]))
        rows = await self._database.read(lambda connection: connection.execute(found).mappings().all())
        opened = [self._open(row, self._pins.get(Key(row["provider_id"], row["order_id"]), "")) for row in rows]
        return {entry.key: entry for entry in opened}

    async def change(self, key: Key, turn: Turn) -> Change:
        """See `Diary`. `turn` may be called more than once, and in another thread.

        Raises: SetupError, as `known`; Refusal(OVERLOADED) when it may not have been written.
        """
        pin = self._pins.get(key, "")

        def work(connection: Connection) -> Change:
            while True:
                change = self._change(connection, key, turn, pin)
                if change is not None:
                    return change

        change = await self._database.write(work)
        after = change.after
        if after is not None and after.booking.state not in _SHOWN:
            self._pins.pop(key, None)
        elif after is not None and after.booking.pin:
            self._pins[key] = after.booking.pin
        return change

    async def claim(self, key: Key, *, now: float, until: float) -> Entry | None:
        """See `Diary`."""
        free = and_(self._at(key), _T.errand != "", _T.claimed_until <= now)
        taken = update(consumer_booking).where(free).values(claimed_until=until).returning(consumer_booking)
        row = await self._database.write(lambda connection: connection.execute(taken).mappings().one_or_none())
        return self._open(row, self._pins.get(key, "")) if row is not None else None

    async def put_off(self, key: Key, *, until: float) -> None:
        """See `Diary`."""
        given_back = update(consumer_booking).where(self._at(key)).values(claimed_until=0.0, errand_due=until)
        await self._database.write(lambda connection: connection.execute(given_back).rowcount)

    async def due(self, *, now: float) -> Sequence[Key]:
        """See `Diary`; the oldest first, and not more than a hundred."""
        found = (
            select(_T.provider_id, _T.order_id)
            .where(_T.consumer_id == self._consumer_id, _T.errand != "", _T.errand_due <= now, _T.claimed_until <= now)
            .order_by(_T.errand_due)
            .limit(MOST_DUE)
        )
        return await self._database.read(lambda on: [Key(*row) for row in on.execute(found)])

    async def forget(self, key: Key) -> None:
        """See `Diary`."""
        self._pins.pop(key, None)
        gone = delete(consumer_booking).where(self._at(key))
        await self._database.write(lambda connection: connection.execute(gone).rowcount)

    def _change(self, connection: Connection, key: Key, turn: Turn, pin: str) -> Change | None:
        """One try; None where another process has made the row meanwhile."""
        row = connection.execute(select(consumer_booking).where(self._at(key)).with_for_update()).mappings().first()
        before = self._open(row, pin) if row is not None else None
        after = turn(before)
        if after is None or after == before:
            return Change(before, before)
        values = self._row(after)
        if row is not None:
            connection.execute(
                update(consumer_booking).where(self._at(key)).values({**values, "version": row["version"] + 1})
            )
            return Change(before, after)
        made = insert_on(connection, consumer_booking).values(
            {"errand_due": 0.0, "claimed_until": 0.0, **values, "version": 1}
        )
        done = connection.execute(made.on_conflict_do_nothing()).rowcount
        return Change(before, after) if done else None

    def _row(self, entry: Entry) -> dict[str, object]:
        booking, replaces = entry.booking, entry.replaces or Key("", "")
        row: dict[str, object] = {
            "consumer_id": self._consumer_id,
            "provider_id": entry.key.provider_id,
            "order_id": entry.key.order_id,
            "transaction_id": booking.thread.transaction_id,
            "state": booking.state.value,
            "starts_at": booking.slot.start.timestamp(),
            "ends_at": booking.slot.end.timestamp(),
            "replaces_provider": replaces.provider_id,
            "replaces_order": replaces.order_id,
            "errand": entry.errand.value if entry.errand else "",
            "updated_at": self._database.clock.now(),
            "sealed": self._sealing.seal(write_booking(booking), about=_about(entry.key)),
        }
        return row if entry.errand else {**row, "errand_due": 0.0, "claimed_until": 0.0}

    def _open(self, row: RowMapping, pin: str) -> Entry:
        key = Key(row["provider_id"], row["order_id"])
        booking = read_booking(self._sealing.open(row["sealed"], about=_about(key)), pin=pin)
        replaces = Key(row["replaces_provider"], row["replaces_order"])
        return Entry(booking=booking, replaces=replaces if replaces.order_id else None)

    def _at(self, key: Key) -> ColumnElement[bool]:
        own = _T.consumer_id == self._consumer_id
        return and_(own, _T.provider_id == key.provider_id, _T.order_id == key.order_id)


def diary_of(world: World, *, consumer_id: str) -> Diary:
    """The bookings of a consumer, kept where its program keeps its messages: in its database, or in memory."""
    storage = world.storage
    return SqlDiary(storage, consumer_id=consumer_id) if isinstance(storage, SqlStorage) else MemoryDiary()


def _about(key: Key) -> str:
    return f"booking {key.provider_id} {key.order_id}"

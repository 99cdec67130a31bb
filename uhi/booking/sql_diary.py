"""A consumer's bookings on SQL: they outlive the process, and several processes may work on them.

Sealed, where the program has such keys with that of whose they are, and without the digits of a PIN, which live in this
process's memory alone; status brings them back. Above: `uhi.booking.consumer`; below: `uhi.storage.sql`. Source:
decision 37, case IAM-17.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, select, tuple_, update

from uhi.booking.booking_json import read_booking, write_booking
from uhi.booking.diary import Change, Diary, Entry, Key, MemoryDiary, Turn
from uhi.booking.states import OrderState
from uhi.storage.sealing import Sealing
from uhi.storage.sql.consumer_tables import consumer_booking
from uhi.storage.sql.sealers import OneSealing, Sealers, sealings_of
from uhi.storage.sql.storage import SqlStorage
from uhi.storage.sql.upserts import insert_on
from uhi.world import World

MOST_DUE = 100
_SHOWN = frozenset({OrderState.HELD, OrderState.CONFIRMED})
"""In which states a patient has a PIN to show; afterwards its digits are forgotten."""

_T = consumer_booking.c


class SqlDiary:
    """The bookings of one consumer, on a database that may hold those of others too. `sealers` knows the keys of its
    accounts; without it everything is sealed with the program's.

    Every call that reads or writes a booking raises Refusal(RECORD_MISSING) where its account's key is gone.
    """

    def __init__(self, storage: SqlStorage, *, consumer_id: str, sealers: Sealers | None = None) -> None:
        self._database = storage.database
        self._sealers = sealers or OneSealing(storage.ours.sealing)
        self._consumer_id = consumer_id
        self._pins: dict[Key, str] = {}

    async def known(self, key: Key) -> Entry | None:
        """See `Diary`.

        Raises: SetupError when it cannot be opened with the keys there are.
        """
        found = select(consumer_booking).where(self._at(key))

        def read(connection: Connection) -> Entry | None:
            row = connection.execute(found).mappings().one_or_none()
            return self._open(connection, row) if row is not None else None

        return await self._database.read(read)

    async def known_of(self, keys: Collection[Key]) -> Mapping[Key, Entry]:
        """See `Diary`.

        Raises: SetupError, as `known`.
        """
        own, orders = _T.consumer_id == self._consumer_id, tuple_(_T.provider_id, _T.order_id)
        found = select(consumer_booking).where(own, orders.in_([tuple(key) for key in keys]))

        def read(connection: Connection) -> Mapping[Key, Entry]:
            rows = connection.execute(found).mappings().all()
            sealings = sealings_of(self._sealers, connection, rows)
            entries = (self._opened(row, sealings[row["account_id"]]) for row in rows)
            return {entry.key: entry for entry in entries}

        return await self._database.read(read)

    async def change(self, key: Key, turn: Turn) -> Change:
        """See `Diary`. `turn` may be called more than once, and in another thread.

        Raises: SetupError, as `known`; Refusal(OVERLOADED) when it may not have been written.
        """

        def work(connection: Connection) -> Change:
            while True:
                change = self._change(connection, key, turn)
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
        # Apart, so that one that cannot be opened stays claimed, and the others have their turn.
        return await self._database.read(lambda connection: self._open(connection, row)) if row is not None else None

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

    def _change(self, connection: Connection, key: Key, turn: Turn) -> Change | None:
        """One try; None where another process has made or deleted the row meanwhile."""
        found = select(_T.account_id).where(self._at(key))
        account_id = connection.execute(found).scalar_one_or_none()
        if account_id is None:
            after = turn(None)
            return Change(None, None) if after is None else self._made(connection, after)
        # The key comes before the row, as in an erasure, so that neither waits for the other.
        sealing = self._sealers.of(connection, account_id, seals=True)
        row = connection.execute(select(consumer_booking).where(self._at(key)).with_for_update()).mappings().first()
        if row is None:
            return None
        before = self._opened(row, sealing)
        after = turn(before)
        if after is None or after == before:
            return Change(before, before)
        values = {**self._row(after, sealing), "version": row["version"] + 1}
        connection.execute(update(consumer_booking).where(self._at(key)).values(values))
        return Change(before, after)

    def _made(self, connection: Connection, entry: Entry) -> Change | None:
        values = self._row(entry, self._sealers.of(connection, entry.account_id, seals=True))
        row = {"errand_due": 0.0, "claimed_until": 0.0, **values, "version": 1}
        done = connection.execute(insert_on(connection, consumer_booking).values(row).on_conflict_do_nothing()).rowcount
        return Change(None, entry) if done else None

    def _row(self, entry: Entry, sealing: Sealing) -> dict[str, object]:
        booking, replaces = entry.booking, entry.replaces or Key("", "")
        row: dict[str, object] = {
            "consumer_id": self._consumer_id,
            "provider_id": entry.key.provider_id,
            "order_id": entry.key.order_id,
            "account_id": entry.account_id,
            "transaction_id": booking.thread.transaction_id,
            "state": booking.state.value,
            "starts_at": booking.slot.start.timestamp(),
            "ends_at": booking.slot.end.timestamp(),
            "replaces_provider": replaces.provider_id,
            "replaces_order": replaces.order_id,
            "errand": entry.errand.value if entry.errand else "",
            "updated_at": self._database.clock.now(),
            "sealed": sealing.seal(write_booking(booking), about=_about(entry.key)),
        }
        return row if entry.errand else {**row, "errand_due": 0.0, "claimed_until": 0.0}

    def _open(self, connection: Connection, row: RowMapping) -> Entry:
        return self._opened(row, self._sealers.of(connection, row["account_id"]))

    def _opened(self, row: RowMapping, sealing: Sealing) -> Entry:
        key = Key(row["provider_id"], row["order_id"])
        booking = read_booking(sealing.open(row["sealed"], about=_about(key)), pin=self._pins.get(key, ""))
        replaces = Key(row["replaces_provider"], row["replaces_order"])
        return Entry(booking=booking, replaces=replaces if replaces.order_id else None, account_id=row["account_id"])

    def _at(self, key: Key) -> ColumnElement[bool]:
        own = _T.consumer_id == self._consumer_id
        return and_(own, _T.provider_id == key.provider_id, _T.order_id == key.order_id)


def diary_of(world: World, *, consumer_id: str, sealers: Sealers | None = None) -> Diary:
    """The bookings of a consumer, kept where its program keeps its messages: in its database, or in memory."""
    storage = world.storage
    if not isinstance(storage, SqlStorage):
        return MemoryDiary()
    return SqlDiary(storage, consumer_id=consumer_id, sealers=sealers)


def _about(key: Key) -> str:
    return f"booking {key.provider_id} {key.order_id}"

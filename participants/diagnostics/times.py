"""Which times of a team are taken: asked of the database where orders are kept there, else of the orders themselves.

Above: `desk`; below: `uhi.booking`.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from uhi.booking.claims import Claim, claims_within
from uhi.booking.hospital import Window
from uhi.booking.speaker import Speaker, moment
from uhi.booking.sql_bookings import SqlBookings
from uhi.booking.store import BookingStore
from uhi.ports import Clock
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage


class Times(Protocol):
    """What teams have."""

    async def taken(self, team_id: str, window: Window) -> list[Claim]:
        """Return what is held or booked of a team and has a moment in common with a window.

        Raises: Refusal(OVERLOADED) when it cannot be found out.
        """


class StoreTimes:
    """The times of every order that stands: for stores in memory, and those of an embedding team."""

    def __init__(self, store: BookingStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def taken(self, team_id: str, window: Window) -> list[Claim]:
        """See `Times`."""
        return [
            Claim(team_id, slot.id, slot.seat, slot.start.timestamp(), slot.end.timestamp(), order.id)
            for order in await self._store.standing(now=moment(self._clock))
            if (slot := order.slot).doctor.id == team_id and slot.window.overlaps(window)
        ]


class SqlTimes:
    """The rows by which the database decides who has a time: few are read, and no order is opened."""

    def __init__(self, database: Database, *, provider_id: str, clock: Clock) -> None:
        self._database = database
        self._provider_id = provider_id
        self._clock = clock

    async def taken(self, team_id: str, window: Window) -> list[Claim]:
        """See `Times`."""
        read = partial(
            claims_within,
            provider_id=self._provider_id,
            practitioner_ids=[team_id],
            window=window,
            now=self._clock.now(),
        )
        return await self._database.read(read)


def times_of(store: BookingStore, speaker: Speaker) -> Times:
    """Return the times of a participant's orders, as fast as its store tells them."""
    storage = speaker.world.storage
    if isinstance(store, SqlBookings) and isinstance(storage, SqlStorage):
        return SqlTimes(storage.database, provider_id=speaker.subscriber_id, clock=speaker.clock)
    return StoreTimes(store, clock=speaker.clock)

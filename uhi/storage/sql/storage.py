"""`SqlStorage`: what a program promised, on SQLite or PostgreSQL. Each write is one item of a group.

Implements `uhi.ports.Storage`. Above: composition roots; below: `inbox`, `outbox`, `requests`, `changes`, `retention`,
each plain functions on a connection, and `database`, which runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from sqlalchemy import Connection

from uhi.exchange.upkeep import LEASE_SECONDS
from uhi.ports import (
    Arrival,
    Arrived,
    Backlog,
    Callback,
    Change,
    Ending,
    Kept,
    Leased,
    Letter,
    OpenRequest,
    Retention,
    Tripped,
)
from uhi.storage.sealing import Sealing
from uhi.storage.sql import backlog as backlogs
from uhi.storage.sql import breakers, changes, inbox, journal, leases, outbox, requests
from uhi.storage.sql import retention as purging
from uhi.storage.sql.bodies import Ours
from uhi.storage.sql.database import Database
from uhi.storage.sql.leases import Held


class SqlStorage:
    """One process's view of the storage. `owner` names it among all that share the database, and again after it was
    started anew; what it has is free for others `lease_seconds` after it last called `renew`.

    `has_events` keeps an event for each message accepted and each letter delivered, for other systems.
    """

    def __init__(
        self,
        database: Database,
        sealing: Sealing,
        *,
        owner: str,
        lease_seconds: float = LEASE_SECONDS,
        has_events: bool = False,
    ) -> None:
        self._database = database
        self._ours = Ours(owner, sealing, database.clock, lease_seconds, has_events)
        self._held = Held()

    @property
    def is_durable(self) -> bool:
        """It outlives the process."""
        return True

    @property
    def is_shared(self) -> bool:
        """PostgreSQL is for any number of processes, a SQLite file for one."""
        return self._database.dialect == "postgresql"

    @property
    def database(self) -> Database:
        """Where it is."""
        return self._database

    @property
    def ours(self) -> Ours:
        """Which process this is, and its keys."""
        return self._ours

    async def together(self, work: Callable[[Connection], None], letters: Sequence[Letter]) -> Sequence[Letter]:
        """Do some work and keep the letters that announce it, in one transaction; returns those that are ours to send
        now. What `work` raises undoes both and reaches the caller.

        Raises: Refusal(OVERLOADED) when it may not have been written.
        """

        def write(connection: Connection) -> Sequence[Letter]:
            work(connection)
            return changes.keep_letters(connection, self._ours, letters)

        mine = await self._database.write(write)
        self._held.letters.update(letter.id for letter in mine)
        return mine

    async def accept(self, arrival: Arrival) -> Arrived:
        """See `uhi.ports.Journal`."""
        arrived = await self._database.grouped(self._accept, arrival, size=len(arrival.body))
        if arrived is Arrived.NEW and not arrival.is_finished:
            self._held.messages.add(arrival.id)
        return arrived

    async def commit(self, change: Change) -> Sequence[Letter]:
        """See `uhi.ports.Storage`."""
        size = sum(len(letter.body) for letter in change.letters if not letter.is_relayed)
        letters = await self._database.grouped(self._commit, change, size=size)
        self._held.messages.discard(change.finishes)
        self._held.letters.update(letter.id for letter in letters)
        return letters

    async def take_up(self, *, now: float, most: int) -> Sequence[Kept]:
        """See `uhi.ports.Journal`."""
        kept: Sequence[Kept] | None = None
        while kept is None:
            kept = await self._database.write(
                lambda on: journal.take_up(on, self._ours, self._held, now=now, most=most)
            )
        self._held.messages.update(each.id for each in kept)
        return kept

    async def put_off(self, row: str, *, until: float) -> None:
        """See `uhi.ports.Journal`."""
        self._held.messages.discard(row)
        await self._database.write(lambda on: leases.put_off(on, row, until=until))

    async def answers_to(self, owner: str, message_id: str, *, known: Collection[str]) -> Sequence[Kept]:
        """See `uhi.ports.Journal`."""
        request = (owner, message_id)
        return await self._database.read(lambda on: journal.answers_to(on, self._ours, request, known))

    async def fitting(self, callback: Callback) -> OpenRequest | None:
        """See `uhi.ports.Requests`."""
        return await self._database.read(lambda on: requests.fitting(on, callback))

    async def talks_with(self, owner: str, counterpart: str, transaction_id: str) -> bool:
        """See `uhi.ports.Requests`."""
        return await self._database.read(lambda on: requests.talks_with(on, owner, counterpart, transaction_id))

    async def search_of(
        self, owner: str, transaction_id: str, *, asker: str, provider: str, now: float
    ) -> OpenRequest | None:
        """See `uhi.ports.Requests`."""
        sought = requests.Sought(owner, transaction_id, asker, provider, now)
        return await self._database.read(lambda on: requests.search_of(on, sought))

    async def waiting_for(self) -> Collection[str]:
        """See `uhi.ports.Outbox`."""
        return await self._database.read(outbox.waiting_for)

    async def hasten(self, destination: str, *, now: float) -> None:
        """See `uhi.ports.Outbox`."""
        await self._database.write(lambda on: outbox.hasten(on, destination, now=now))

    async def lease(self, *, now: float, most: int, without: Collection[str] = ()) -> Leased:
        """See `uhi.ports.Outbox`."""

        def take(connection: Connection) -> Leased:
            # A lease that ran out is freed apart, so that the index of what is due gives its order to the rest.
            leases.free_lapsed_letters(connection, self._ours, self._held, now=now)
            return outbox.lease(connection, self._ours, now=now, most=most, without=without)

        leased = await self._database.write(take)
        self._held.letters.update(letter.id for letter in leased.letters)
        return leased

    async def settle(self, ending: Ending) -> None:
        """See `uhi.ports.Outbox`."""
        await self._database.grouped(self._settle, ending, is_vital=True)
        self._held.letters.discard(ending.letter.id)

    async def renew(self, *, now: float) -> None:
        """See `uhi.ports.Outbox`. Only what this process knows that it has: what was written without its knowing, when
        the database was lost during a commit, gets free when its lease is over."""
        held = self._held.copy()
        if held.messages or held.letters:
            await self._database.write(lambda on: leases.renew(on, self._ours, held, now=now), is_vital=True)

    async def backlog(self, *, now: float) -> Backlog:
        """See `uhi.ports.Outbox`."""
        return await self._database.read(lambda on: backlogs.backlog(on, now=now))

    async def trip(self, tripped: Tripped) -> None:
        """See `uhi.ports.Outbox`."""
        await self._database.write(lambda on: breakers.trip(on, tripped))

    async def tripped(self) -> Sequence[Tripped]:
        """See `uhi.ports.Outbox`."""
        return await self._database.read(breakers.tripped)

    async def reclaim(self, *, now: float) -> None:
        """See `uhi.ports.Storage`. On SQLite everything is free: there is no other process."""
        owner = self._ours.owner if self.is_shared else None
        await self._database.write(lambda on: leases.free(on, owner))
        self._held = Held()

    async def release(self) -> None:
        """See `uhi.ports.Storage`."""
        await self._database.write(lambda on: leases.free(on, self._ours.owner), is_vital=True)
        self._held = Held()

    async def purge(self, retention: Retention, *, now: float) -> None:
        """See `uhi.ports.Storage`."""
        for first in purging.steps(retention, now=now):
            step: purging.Step | None = first
            while step is not None:
                step = await self._database.apart(partial(purging.forget, step=step))

    def _accept(self, connection: Connection, arrivals: Sequence[Arrival]) -> Sequence[Arrived]:
        return inbox.accept(connection, self._ours, arrivals)

    def _commit(self, connection: Connection, group: Sequence[Change]) -> Sequence[Sequence[Letter]]:
        return changes.commit(connection, self._ours, group)

    def _settle(self, connection: Connection, endings: Sequence[Ending]) -> Sequence[None]:
        return outbox.settle(connection, self._ours, endings)

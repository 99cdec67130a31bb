"""Starts `uhi` so that it ends at a chosen point as if it were killed there: no cleanup, exit code 137.

Run as `python -m tests.faults.crash_at gateway serve …`. The product has no such switch: the points are patched in from
here. `CRASH_AT=K4:search:3` ends the process when a search passes point K4 for the third time. Of several points, with
commas between, each life takes the next one; the file `CRASHED` has a line for each that was. With several workers only
the first one crashes. `HASTE=1` shortens what a program waits before it tries a silent peer again. Points: reliability
rules "Shutdown and crash points". `FAILURES=0.1:7` lets a tenth of all transactions fail, by the seed 7.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiohttp import ClientResponse, web
from sqlalchemy.exc import OperationalError

import cli.workers
from cli.main import main as uhi
from uhi.booking import sql_bookings
from uhi.booking.sql_bookings import SqlBookings
from uhi.exchange import breakers, retry
from uhi.exchange.entrance import DoorEntrance
from uhi.http.client import HttpTransport
from uhi.ports import LetterState
from uhi.storage.sql import changes, inbox
from uhi.storage.sql.engines import PostgresEngines, SqliteEngines
from uhi.storage.sql.storage import SqlStorage

KILLED = 137
_FLUSHED = 0.05
"""Seconds after which bytes that were handed to the loop have left."""

SHORTEST, LONGEST, LEASE = 0.3, 1.0, 5.0
RETRIES = 100_000
CRITICAL, DISCOVERY = retry.Schedule(steps=(0.3,) * 200, spread=0.3), retry.Schedule(base=0.1, cap=0.6)
"""Under `HASTE`: for how many seconds breakers stay open and a process keeps what it has, how many retries a peer may
have in a minute, and when they come."""

PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from tests.faults.crash_at import main; main()"


@dataclass
class Bomb:
    """Ends the process when something has passed often enough."""

    path: str
    left: int

    def passes(self, path: str) -> bool:
        """Count one that passes; whether it is the one."""
        if path != self.path:
            return False
        self.left -= 1
        return self.left == 0

    def __call__(self, path: str) -> None:
        if self.passes(path):
            self.explode()

    def explode(self) -> None:
        """End here and now."""
        with Path(os.environ["CRASHED"]).open("a") as file:
            file.write(f"{self.path}\n")
        os._exit(KILLED)

    def explode_soon(self) -> None:
        """End once what was written has left."""
        asyncio.get_running_loop().call_later(_FLUSHED, self.explode)


def before_verifying(bomb: Bomb) -> None:
    """K1: the body has been read."""
    take = DoorEntrance.take

    async def patched(self, inbound):
        bomb(inbound.path)
        return await take(self, inbound)

    DoorEntrance.take = patched


def before_the_transaction(bomb: Bomb) -> None:
    """K2: the message has been verified."""
    accept = SqlStorage.accept

    async def patched(self, arrival):
        bomb(arrival.path_role)
        return await accept(self, arrival)

    SqlStorage.accept = patched


def within_the_transaction(bomb: Bomb) -> None:
    """K3: the rows are written and not committed."""
    accept = inbox.accept

    def patched(connection, ours, arrivals):
        arrived = accept(connection, ours, arrivals)
        for each in arrivals:
            bomb(each.path_role)
        return arrived

    inbox.accept = patched


def within_what_follows(bomb: Bomb) -> None:
    """K3, once more: what follows from a message is written and not committed."""
    commit = changes.commit

    def patched(connection, ours, group):
        letters = commit(connection, ours, group)
        for change in group:
            for letter in change.letters:
                bomb(letter.path)
        return letters

    changes.commit = patched


def before_the_answer(bomb: Bomb) -> None:
    """K4: the message is committed, and nobody knows."""
    accept = SqlStorage.accept

    async def patched(self, arrival):
        arrived = await accept(self, arrival)
        bomb(arrival.path_role)
        return arrived

    SqlStorage.accept = patched


def after_the_answer(bomb: Bomb) -> None:
    """K5: the 200 has been sent, and nothing that follows is written any more."""
    write_eof, commit = web.Response.write_eof, SqlStorage.commit

    async def patched(self, data=b""):
        request = self._req
        is_the_one = self.status == 200 and bomb.passes(request.path.rpartition("/")[2])
        await write_eof(self, data)
        if is_the_one:
            bomb.explode_soon()

    async def held(self, change):
        if bomb.left <= 0:
            await asyncio.Event().wait()
        return await commit(self, change)

    web.Response.write_eof = patched
    SqlStorage.commit = held


def before_the_post(bomb: Bomb) -> None:
    """K6: the letter is leased, and not posted."""
    post = HttpTransport.post

    async def patched(self, url, **how):
        bomb(url.rpartition("/")[2])
        return await post(self, url, **how)

    HttpTransport.post = patched


def before_the_reply(bomb: Bomb) -> None:
    """K7: the letter is posted; its answer is never read."""
    start = ClientResponse.start

    async def patched(self, connection):
        if bomb.passes(self.url.path.rpartition("/")[2]):
            bomb.explode_soon()
            await asyncio.Event().wait()
        return await start(self, connection)

    ClientResponse.start = patched


def before_the_mark(bomb: Bomb) -> None:
    """K8: the answer is read, and not written down."""
    settle = SqlStorage.settle

    async def patched(self, ending):
        if ending.state is LetterState.DELIVERED:
            bomb(ending.letter.path)
        return await settle(self, ending)

    SqlStorage.settle = patched


def within_the_booking(bomb: Bomb) -> None:
    """K3 of an order: it is written with its claim, in a state, and not committed."""
    write = sql_bookings.write_orders

    def patched(connection, writings):
        refused = write(connection, writings)
        for writing in writings:
            bomb(writing.row["state"])
        return refused

    sql_bookings.write_orders = patched


def after_the_booking(bomb: Bomb) -> None:
    """K4 of an order: it is committed in a state, and what tells of it is not."""
    put = SqlBookings.put

    async def patched(self, order, step):
        written = await put(self, order, step)
        bomb(order.state.value)
        return written

    SqlBookings.put = patched


POINTS: dict[str, Callable[[Bomb], None]] = {
    "K1": before_verifying,
    "K2": before_the_transaction,
    "K3": within_the_transaction,
    "K3b": within_what_follows,
    "K4": before_the_answer,
    "K5": after_the_answer,
    "K6": before_the_post,
    "K7": before_the_reply,
    "K8": before_the_mark,
    "K3-order": within_the_booking,
    "K4-order": after_the_booking,
}


def hasten() -> None:
    """Let a silent peer be tried again soon, so that a test need not wait for minutes."""
    breakers.SHORTEST, breakers.LONGEST, breakers._AT_LEAST = SHORTEST, LONGEST, RETRIES
    retry.CRITICAL, retry.DISCOVERY = CRITICAL, DISCOVERY
    # Only the lease of a process that does not come back: one that does takes back its own at once.
    SqlStorage.__init__.__kwdefaults__["lease_seconds"] = LEASE
    cli.workers.Crew.__init__.__defaults__ = (cli.workers.Patience(longest_pause=0.2),)


def main() -> None:
    """Set the bomb, then run the command."""
    if os.environ.get("HASTE"):
        hasten()
    rate, _, chosen = os.environ.get("FAILURES", "").partition(":")
    if rate:
        fail_often(float(rate), Random(f"{chosen} {sys.argv}"))
    points = [each for each in os.environ.get("CRASH_AT", "").split(",") if each]
    lives = len(_lines(Path(os.environ.get("CRASHED", os.devnull))))
    if lives < len(points) and _is_meant(sys.argv):
        point, path, times = points[lives].split(":")
        POINTS[point](Bomb(path, int(times)))
    cli.workers._PROGRAM = PROGRAM
    uhi(prog_name="uhi")


def fail_often(rate: float, random: Random) -> None:
    """Let a share of all groups fail as a database's own conflicts do: half before anything, half after everything."""
    for engines in (SqliteEngines, PostgresEngines):
        engines.transact = _failing(engines.transact, rate, random)


def _failing(transact, rate: float, random: Random):
    async def patched(self, work):
        first, last = random.random() < rate / 2, random.random() < rate / 2

        def failing(connection):
            if first:
                raise _conflict(connection)
            result = work(connection)
            if last:
                raise _conflict(connection)
            return result

        return await transact(self, failing)

    return patched


def _conflict(connection) -> OperationalError:
    """What SQLAlchemy raises for SQLITE_BUSY, or for PostgreSQL's 40001."""
    if connection.dialect.name == "sqlite":
        origin: Exception = sqlite3.OperationalError("database is locked")
        origin.sqlite_errorcode = sqlite3.SQLITE_BUSY
    else:
        origin = Exception("could not serialize access")
        origin.sqlstate = "40001"
    return OperationalError("a statement", None, origin)


def _is_meant(arguments: list[str]) -> bool:
    if "--workers" in arguments:
        return False
    return "--worker-index" not in arguments or arguments[arguments.index("--worker-index") + 1] == "0"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


__all__ = ["KILLED", "POINTS", "hasten", "main"]

if __name__ == "__main__":
    main()

"""Signals through PostgreSQL's LISTEN and NOTIFY, on a connection of its own: channel `uhi_<topic>`, no table.

Above: `line`, which opens it again when it is lost. A pooler between must hand out whole sessions. Needs the extra
`postgres`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import asyncpg

from uhi.ports import Clock
from uhi.signals.line import Ears, LineSignals, Way

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What a PostgreSQL that is not there, or goes away, makes its client raise."""

PREFIX = "uhi_"
"""What every channel's name begins with."""

# PostgreSQL takes less than 8,000 bytes.
_LONGEST = 7_900
_SECONDS = 5.0
_NOTIFY = "SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS told (channel, payload)"


class PostgresSignals:
    """Implements `uhi.ports.Signals` for every process that has the same database.

    `instance` must be this process's own; made if not given. `url` is `postgresql://user@host:port/database`. A
    transaction may notify by itself with the payload `<instance> <text>`: then others hear when it is committed.
    """

    def __init__(self, url: str, *, clock: Clock, instance: str = "") -> None:
        async def opened(ears: Ears) -> PostgresLine:
            return await PostgresLine.open(url, ears=ears)

        self._signals = LineSignals(Way("PostgreSQL", opened, FAILURES, _LONGEST), clock=clock, instance=instance)

    @property
    def is_up(self) -> bool:
        """Whether it hears at this moment."""
        return self._signals.is_up

    def tell(self, topic: str, text: str = "") -> None:
        """See `uhi.ports.Signals`."""
        self._signals.tell(topic, text)

    def hear(self, topic: str, heard: Callable[[str], None]) -> None:
        """See `uhi.ports.Signals`."""
        self._signals.hear(topic, heard)

    async def start(self) -> None:
        """See `uhi.ports.Signals`."""
        await self._signals.start()

    async def aclose(self) -> None:
        """See `uhi.ports.Signals`."""
        await self._signals.aclose()


class PostgresLine:
    """One connection that listens and notifies; see `uhi.signals.line.Line`."""

    def __init__(self, connection: asyncpg.Connection, *, ears: Ears) -> None:
        self._connection = connection
        self._ears = ears

    @classmethod
    async def open(cls, url: str, *, ears: Ears) -> PostgresLine:
        """Connect."""
        connection = await asyncpg.connect(
            url, timeout=_SECONDS, command_timeout=_SECONDS, server_settings={"application_name": "uhi signals"}
        )
        line = cls(connection, ears=ears)
        connection.add_termination_listener(line._ended)
        return line

    async def listen(self, topics: Sequence[str]) -> None:
        """Return when PostgreSQL has taken it."""
        for topic in topics:
            await self._connection.add_listener(PREFIX + topic, self._notified)

    async def send(self, told: Sequence[tuple[str, str]]) -> None:
        """Notify in one statement, which is one transaction."""
        channels, payloads = [PREFIX + topic for topic, _ in told], [payload for _, payload in told]
        await self._connection.execute(_NOTIFY, channels, payloads)

    async def check(self) -> None:
        """Ask for nothing in particular."""
        await self._connection.execute("SELECT 1")

    async def aclose(self) -> None:
        """Hang up, in order if the server is there."""
        self._connection.remove_termination_listener(self._ended)
        try:
            await self._connection.close(timeout=1)
        except FAILURES:
            with suppress(*FAILURES):
                self._connection.terminate()

    def _notified(self, _: object, __: int, channel: str, payload: str) -> None:
        self._ears.heard(channel.removeprefix(PREFIX), payload)

    def _ended(self, _: object) -> None:
        self._ears.lost()

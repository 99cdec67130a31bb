"""Puts what a program refuses into its audit trail: one row for many refusals of one kind, never one for each.

Whoever can send can be refused as often as they like, so rows and memory are bounded: what is too much is counted by
the kind of error alone. Above: composition roots; below: `trail`. Source: security rules "Audit log".
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace

from uhi.audit.entries import ActorKind, Entry, Outcome
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.observability.scrubbing import scrub
from uhi.observability.timeline import FINE
from uhi.ports import CallLog, Clock, Direction, Hop

ACTION = "message.refused"
EVERY_SECONDS = 60.0
MOST_KINDS = 1_000
"""So many different kinds are told apart within a minute, and as many again of proven signers."""
MOST_ROWS = 200
"""So many rows may be written at once."""
ROWS_EACH_MINUTE = 2.0
"""So many more may be written for each minute that passes: at most 3,000 a day however many messages are refused."""

_UNKNOWN = frozenset({"", "?"})
_PATH = re.compile(r"[a-z_]{1,32}(/[a-z_]{1,32})?")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What refusals have in common. Only `error` is kept of what is too much."""

    error: str
    receiver: str
    signer: str = ""
    address: str = ""
    path: str = ""

    @property
    def at_large(self) -> _Kind:
        return _Kind(self.error, self.receiver)


@dataclass(frozen=True, slots=True)
class _Seen:
    count: int
    first: float
    last: float

    def plus(self, other: _Seen) -> _Seen:
        return _Seen(self.count + other.count, min(self.first, other.first), max(self.last, other.last))


class AuditedCalls:
    """A call log over another one. `run` is a piece of work for the background, `aclose` writes what is left."""

    def __init__(self, calls: CallLog, trail: AuditTrail, *, clock: Clock) -> None:
        self._calls = calls
        self._trail = trail
        self._clock = clock
        self._seen: dict[_Kind, _Seen] = {}
        self._rows_left = float(MOST_ROWS)
        self._counted_at = clock.now()

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`."""
        self._calls.write(hop)
        if hop.direction is Direction.IN and hop.outcome not in FINE:
            self._add(_kind(hop), _Seen(1, hop.at, hop.at))

    async def run(self) -> None:
        """Write what was refused, every minute."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            await self.flush()

    async def aclose(self) -> None:
        """Write what is left, in as many rows as the program would have when it begins again."""
        self._rows_left = float(MOST_ROWS)
        await self.flush()

    async def flush(self) -> None:
        """Write what was refused since the last time, as far as rows may be written; the rest is counted further. While
        the database is away nothing is lost."""
        self._refill()
        seen, self._seen = self._seen, {}
        now_due, later = _within(seen, int(self._rows_left))
        for kind, each in later.items():
            self._add(kind, each)
        if not now_due:
            return
        try:
            await self._trail.write(*(_entry(kind, each) for kind, each in now_due.items()))
        except Refusal as refusal:
            log.warning("the audit of what was refused is put off: %s", refusal)
            for kind, each in now_due.items():
                self._add(kind, each)
        else:
            self._rows_left -= len(now_due)

    def _add(self, kind: _Kind, seen: _Seen) -> None:
        # Whoever proved who they are is not crowded out by those who did not.
        most = 2 * MOST_KINDS if kind.signer else MOST_KINDS
        if kind not in self._seen and len(self._seen) >= most:
            kind = kind.at_large
        known = self._seen.get(kind)
        self._seen[kind] = known.plus(seen) if known else seen

    def _refill(self) -> None:
        now = self._clock.now()
        passed = max(0.0, now - self._counted_at)
        self._counted_at = now
        self._rows_left = min(float(MOST_ROWS), self._rows_left + passed / 60 * ROWS_EACH_MINUTE)


def _within(seen: dict[_Kind, _Seen], rows: int) -> tuple[dict[_Kind, _Seen], dict[_Kind, _Seen]]:
    """What is written within so many rows, and what is left for later: those of a proven signer, then the
    kinds seen most, stand for themselves, the others are put together by their error."""
    if len(seen) <= rows:
        return seen, {}
    by_count = sorted(seen, key=lambda kind: (not kind.signer, -seen[kind].count))
    # Of the rows that are left, errors at large get theirs first.
    at_large = {kind.at_large for kind in seen}
    apart = set(by_count[: max(0, rows - len(at_large))])
    merged: dict[_Kind, _Seen] = {}
    for kind in by_count:
        into = kind if kind in apart else kind.at_large
        merged[into] = merged[into].plus(seen[kind]) if into in merged else seen[kind]
    return (merged, {}) if len(merged) <= rows else ({}, merged)


def _kind(hop: Hop) -> _Kind:
    signer = "" if hop.sender in _UNKNOWN else hop.sender
    # A path that nobody serves is whatever somebody wrote there.
    path = hop.action if _PATH.fullmatch(hop.action) else "other"
    return _Kind(hop.outcome, hop.receiver, scrub(signer), hop.address, path)


def _entry(kind: _Kind, seen: _Seen) -> Entry:
    entry = Entry(
        at=seen.last,
        actor=kind.signer,
        actor_kind=ActorKind.SUBSCRIBER if kind.signer else ActorKind.NOBODY,
        action=ACTION,
        object=f"path {kind.path}" if kind.path else "messages",
        outcome=Outcome.REFUSED,
        tenant=kind.receiver,
        reason=kind.error,
        address=kind.address,
    )
    if seen.count == 1:
        return entry
    return replace(entry, reason=f"{kind.error}, {seen.count} times in {seen.last - seen.first:.0f} s")

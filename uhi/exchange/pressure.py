"""When to turn messages away before the queues are full: discovery first, status and cancel never.

Asked by path alone, before anything is parsed. Above: entrances; below: the clock, and what the storage says waits.
Source: reliability rules, "Backpressure"; decision 23 (bounds count bytes and messages, not rows).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from uhi.actions import (
    CANCEL,
    ON_CANCEL_AUDIT,
    ON_CONFIRM_AUDIT,
    ON_STATUS_AUDIT,
    ON_UPDATE_AUDIT,
    STATUS,
    Leg,
    Urgency,
    legs_of,
)
from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.messages.wire import Wire
from uhi.ports import Backlog, Clock
from uhi.subscribers import Role

MIB = 1024 * 1024
LONGEST_WAIT = 60
_LONGEST_DRAIN = 40.0
_MOST_JITTER = 1.5
_LATELY = 10.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait: bytes to be delivered, accepted messages that are not dealt with yet (a search is one,
    however many letters follow from it), and letters that this process has in hand. Beyond the low mark discovery is
    refused, beyond the high one nearly all."""

    low_bytes: int = 256 * MIB
    high_bytes: int = 512 * MIB
    low_messages: int = 5_000
    high_messages: int = 10_000
    low_letters: int = 50_000
    high_letters: int = 100_000

    @property
    def low(self) -> tuple[int, int, int]:
        """Bytes, messages, letters."""
        return self.low_bytes, self.low_messages, self.low_letters

    @property
    def high(self) -> tuple[int, int, int]:
        """Bytes, messages, letters."""
        return self.high_bytes, self.high_messages, self.high_letters


_COPIES = (ON_CONFIRM_AUDIT, ON_STATUS_AUDIT, ON_UPDATE_AUDIT, ON_CANCEL_AUDIT)
_ALWAYS = {leg.path for action in (STATUS, CANCEL) for leg in (action.request, action.answer)}


def _can_wait(leg: Leg[Wire]) -> bool:
    return leg.urgency in (Urgency.SEARCH, Urgency.OFFER)


def _discovery() -> Iterator[str]:
    """Paths that are refused first: what can be asked again, and the copies, which are tried again for days."""
    yield from (leg.path for role in (Role.CONSUMER, Role.PROVIDER) for leg in legs_of(role) if _can_wait(leg))
    yield from (notice.leg.path for notice in _COPIES)


_DISCOVERY = frozenset(_discovery())


@dataclass(slots=True)
class _Flow:
    """How much came to an end lately, older ends counting less and less."""

    amount: float = 0.0
    at: float = 0.0

    def add(self, amount: int, now: float) -> None:
        self.amount = self.per_second(now) * _LATELY + amount
        self.at = now

    def per_second(self, now: float) -> float:
        return self.amount * math.exp(min(self.at - now, 0.0) / _LATELY) / _LATELY


@dataclass(slots=True)
class Pressure:
    """How much waits, here and in the storage."""

    bounds: Bounds
    clock: Clock
    random: Random = field(default_factory=Random)
    _bytes: int = 0
    _messages: int = 0
    _letters: int = 0
    _stored: Backlog = field(default_factory=Backlog)
    _bytes_done: _Flow = field(default_factory=_Flow)
    _messages_done: _Flow = field(default_factory=_Flow)

    def add(self, size: int, *, messages: int = 0) -> None:
        """Work has begun here, on a body of `size` bytes; `messages=1` when it is an accepted message."""
        self._bytes += size
        self._messages += messages

    def remove(self, size: int, *, messages: int = 0) -> None:
        """It has ended; with what `add` was told."""
        now = self.clock.now()
        self._bytes -= size
        self._messages -= messages
        self._bytes_done.add(size, now)
        self._messages_done.add(messages, now)

    def letters(self, count: int) -> None:
        """How many letters this process has in hand."""
        self._letters = count

    def stored(self, backlog: Backlog) -> None:
        """What waits in the storage, as of now."""
        self._stored = backlog

    def check(self, path: str) -> None:
        """Refuse a message that there should be no room for.

        Raises: Refusal(OVERLOADED), with `retry_after` by when the excess should have drained.
        """
        if path in _ALWAYS:
            return
        is_first = path in _DISCOVERY
        bounds = self.bounds
        most_bytes, most_messages, most_letters = bounds.low if is_first else bounds.high
        # What is under way here is stored as well, so the larger count is nearer than the sum.
        size = max(self._bytes, self._stored.size) - most_bytes
        messages = max(self._messages, self._stored.unfinished) - most_messages
        if size >= 0 or messages >= 0 or self._letters >= most_letters:
            raise self._refusal(size, messages, "searches and offers" if is_first else "all but status and cancel")

    def _refusal(self, size: int, messages: int, refused: str) -> Refusal:
        now = self.clock.now()
        drain = max(
            _seconds(size, self._bytes_done.per_second(now)),
            _seconds(messages, self._messages_done.per_second(now)),
        )
        refusal = Refusal(OVERLOADED, f"too much waits, {refused} are refused", next_step="send again later")
        # With jitter, so that those who are sent away do not come back together.
        refusal.retry_after = max(1, min(math.ceil(drain * self.random.uniform(1.0, _MOST_JITTER)), LONGEST_WAIT))
        return refusal


def _seconds(excess: int, per_second: float) -> float:
    """How long an excess takes to drain."""
    if excess < 0:
        return 0.0
    return min((excess + 1) / per_second, _LONGEST_DRAIN) if per_second > 0 else _LONGEST_DRAIN

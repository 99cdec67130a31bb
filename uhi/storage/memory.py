"""The journal and the conversations in memory: complete, bounded, and gone when the process ends.

Implements `uhi.ports.Journal` and `uhi.ports.Conversations`. One event loop: a step without an await is atomic.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TypeVar

from uhi.errors import OVERLOADED, Refusal
from uhi.ports import Arrival, Arrived, Callback, OpenRequest

K = TypeVar("K")
V = TypeVar("V")

MOST_ROWS = 200_000
_Key = tuple[str, str, str, str, str]
_Pair = tuple[str, str, str]


@dataclass(slots=True)
class MemoryJournal:
    """Remembers the identity of the last `most` accepted messages, and as many hop headers until they expire."""

    most: int = MOST_ROWS
    _digests: OrderedDict[_Key, str] = field(default_factory=OrderedDict)
    _headers: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _counts: OrderedDict[tuple[str, str, str, str], int] = field(default_factory=OrderedDict)
    _pairs: OrderedDict[_Pair, None] = field(default_factory=OrderedDict)
    _swept_at: float = 0.0

    async def accept(self, arrival: Arrival) -> Arrived:
        """See `uhi.ports.Journal`."""
        if arrival.hop_header:
            if (arrival.receiver, arrival.hop_header) in self._headers:
                return Arrived.REPLAYED
            self._remember_header(arrival)
        self._sweep(arrival.received_at)
        key = (arrival.receiver, arrival.signer, arrival.path_role, arrival.message_id, arrival.variant)
        known = self._digests.get(key)
        if known is not None:
            return Arrived.REPEATED if known == arrival.digest else Arrived.CONFLICT
        counted = (arrival.receiver, arrival.signer, arrival.path_role, arrival.transaction_id)
        if self._counts.get(counted, 0) >= arrival.cap:
            return Arrived.TOO_MANY
        self._digests[key] = arrival.digest
        self._counts[counted] = self._counts.get(counted, 0) + 1
        self._pairs[arrival.receiver, arrival.signer, arrival.transaction_id] = None
        _bound(self._digests, self.most)
        _bound(self._counts, self.most)
        _bound(self._pairs, self.most)
        return Arrived.NEW

    def _remember_header(self, arrival: Arrival) -> None:
        """Headers are never forgotten while they live: forgetting one would let it be used again."""
        if len(self._headers) >= self.most:
            self._swept_at = 0.0
            self._sweep(arrival.received_at)
        if len(self._headers) >= self.most:
            raise Refusal(
                OVERLOADED, "the journal is full of headers that are still valid", next_step="send more slowly"
            )
        self._headers[arrival.receiver, arrival.hop_header] = arrival.hop_expires

    async def knows(self, receiver: str, counterpart: str, transaction_id: str) -> bool:
        """See `uhi.ports.Journal`."""
        return (receiver, counterpart, transaction_id) in self._pairs

    def _sweep(self, now: float) -> None:
        if now - self._swept_at >= 10:
            self._headers = OrderedDict(each for each in self._headers.items() if each[1] >= int(now))
            self._swept_at = now


@dataclass(slots=True)
class _Asked:
    request: OpenRequest
    is_answered: bool = False


@dataclass(slots=True)
class MemoryConversations:
    """Remembers the last `most` requests, and whom each owner talks with."""

    most: int = MOST_ROWS
    _requests: OrderedDict[tuple[str, str, str], _Asked] = field(default_factory=OrderedDict)
    _by_transaction: dict[tuple[str, str, str], list[_Asked]] = field(default_factory=dict)
    _pairs: OrderedDict[_Pair, None] = field(default_factory=OrderedDict)

    async def open(self, request: OpenRequest) -> None:
        """See `uhi.ports.Conversations`."""
        asked = _Asked(request)
        self._requests[request.owner, request.leg, request.message_id] = asked
        self._by_transaction.setdefault((request.owner, request.leg, request.transaction_id), []).append(asked)
        if request.counterpart:
            self._pairs[request.owner, request.counterpart, request.transaction_id] = None
        self._prune()

    async def fitting(self, callback: Callback) -> OpenRequest | None:
        """See `uhi.ports.Conversations`."""
        exact = self._requests.get((callback.owner, callback.leg, callback.message_id))
        if exact is not None and _fits(exact.request, callback):
            return exact.request
        candidates = self._by_transaction.get((callback.owner, callback.leg, callback.transaction_id), [])
        for asked in candidates:
            if not asked.is_answered and _fits(asked.request, callback):
                return asked.request
        return None

    async def answered(self, request: OpenRequest, callback: Callback) -> None:
        """See `uhi.ports.Conversations`."""
        asked = self._requests.get((request.owner, request.leg, request.message_id))
        if asked is None:
            return
        if request.counterpart:
            asked.is_answered = True
        self._requests.setdefault((callback.owner, callback.leg, callback.message_id), replace(asked))
        self._pairs[callback.owner, callback.counterpart, callback.transaction_id] = None
        self._prune()

    async def talks_with(self, owner: str, counterpart: str, transaction_id: str) -> bool:
        """See `uhi.ports.Conversations`."""
        return (owner, counterpart, transaction_id) in self._pairs

    def _prune(self) -> None:
        _bound(self._pairs, self.most)
        while len(self._requests) > self.most:
            _, asked = self._requests.popitem(last=False)
            request = asked.request
            key = (request.owner, request.leg, request.transaction_id)
            others = [each for each in self._by_transaction.get(key, []) if each is not asked]
            if others:
                self._by_transaction[key] = others
            else:
                self._by_transaction.pop(key, None)


def _fits(request: OpenRequest, callback: Callback) -> bool:
    """A broadcast may be answered by anybody."""
    return request.counterpart in ("", callback.counterpart)


def _bound(table: OrderedDict[K, V], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)

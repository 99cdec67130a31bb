"""The journal in memory: identities of what was accepted, and what is still to be dealt with.

One event loop: a step without an await is atomic. Above: `uhi.storage.memory.storage`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.ports import Arrival, Arrived, Kept

K = TypeVar("K")
V = TypeVar("V")

_Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class MemoryJournal:
    """Remembers the identity of the last `most` accepted messages, and as many hop headers until they expire."""

    most: int
    _digests: OrderedDict[_Key, str] = field(default_factory=OrderedDict)
    _headers: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _counts: OrderedDict[tuple[str, str, str, str], int] = field(default_factory=OrderedDict)
    _pairs: OrderedDict[tuple[str, str, str], None] = field(default_factory=OrderedDict)
    _unfinished: dict[str, Arrival] = field(default_factory=dict)
    _free: dict[str, None] = field(default_factory=dict)
    _swept_at: float = 0.0

    def weigh(self, arrival: Arrival) -> Arrived:
        """Decide; only the hop header leaves a trace."""
        if arrival.hop_header:
            if (arrival.receiver, arrival.hop_header) in self._headers:
                return Arrived.REPLAYED
            self._remember_header(arrival)
        self._sweep(arrival.received_at)
        known = self._digests.get(_key(arrival))
        if known is not None:
            return Arrived.REPEATED if known == arrival.digest else Arrived.CONFLICT
        if self._counts.get(_counted(arrival), 0) >= arrival.cap:
            return Arrived.TOO_MANY
        return Arrived.NEW

    def keep(self, arrival: Arrival) -> None:
        """Remember what was found to be new."""
        self._digests[_key(arrival)] = arrival.digest
        counted = _counted(arrival)
        self._counts[counted] = self._counts.get(counted, 0) + 1
        self._pairs[arrival.receiver, arrival.signer, arrival.transaction_id] = None
        if not arrival.is_finished:
            self._unfinished[arrival.id] = arrival
        bound(self._digests, self.most)
        bound(self._counts, self.most)
        bound(self._pairs, self.most)

    def finish(self, row: str) -> bool:
        """Whether this message was still to be dealt with; now it is not."""
        self._free.pop(row, None)
        return self._unfinished.pop(row, None) is not None

    def knows(self, receiver: str, counterpart: str, transaction_id: str) -> bool:
        """Whether this receiver ever accepted a message of that counterpart in that transaction."""
        return (receiver, counterpart, transaction_id) in self._pairs

    def free_all(self) -> None:
        """Nobody works on anything."""
        self._free = dict.fromkeys(self._unfinished)

    def take_up(self, *, now: float, most: int) -> Iterator[Kept]:
        """What nobody works on; see `uhi.ports.Journal`."""
        for row in list(self._free)[:most]:
            del self._free[row]
            arrival = self._unfinished[row]
            if arrival.deadline < now:
                del self._unfinished[row]
            else:
                yield kept(arrival)

    def __len__(self) -> int:
        return len(self._unfinished)

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

    def _sweep(self, now: float) -> None:
        if now - self._swept_at >= 10:
            self._headers = OrderedDict(each for each in self._headers.items() if each[1] >= int(now))
            self._swept_at = now


def kept(arrival: Arrival) -> Kept:
    """An arrival as it is taken up again."""
    return Kept(
        id=arrival.id,
        path_role=arrival.path_role,
        message_id=arrival.message_id,
        received_at=arrival.received_at,
        deadline=arrival.deadline,
        digest=arrival.digest,
        body=arrival.body,
        authorization=arrival.authorization,
        facts=arrival.facts,
    )


def bound(table: OrderedDict[K, V], most: int) -> None:
    """Forget the oldest rows beyond `most`."""
    while len(table) > most:
        table.popitem(last=False)


def _key(arrival: Arrival) -> _Key:
    return arrival.receiver, arrival.signer, arrival.path_role, arrival.message_id, arrival.variant


def _counted(arrival: Arrival) -> tuple[str, str, str, str]:
    return arrival.receiver, arrival.signer, arrival.path_role, arrival.transaction_id

"""The searches that may still be answered: who asked, and which providers were asked.

In memory, bounded, keyed by (consumer, transaction). Times are Unix seconds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from uhi.errors import OVERLOADED, RATE_LIMITED, Refusal
from uhi.subscribers import Subscriber

_SWEEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OpenSearch:
    """One consumer's search. `asked` are the ids of the providers it went to; `until` is when it closes."""

    consumer: Subscriber
    transaction_id: str
    message_id: str
    asked: frozenset[str] = field(repr=False)
    until: float


@dataclass(slots=True)
class OpenSearches:
    """Every open search of this gateway: at most `most` in all and `most_each` of one consumer, or further ones are
    refused, so that nobody pushes out a search that others wait for."""

    most: int = 100_000
    most_each: int = 10_000
    _searches: dict[tuple[str, str], OpenSearch] = field(default_factory=dict)
    _consumers: dict[str, set[str]] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _swept_at: float = 0.0

    def check_room(self, consumer_id: str, transaction_id: str, *, now: float) -> None:
        """Refuse a search that there is no room for; a further one in an open transaction takes none.

        Raises: Refusal(RATE_LIMITED) when the consumer has too many open, Refusal(OVERLOADED) when all together have.
        """
        self.close_passed(now)
        if (consumer_id, transaction_id) in self._searches:
            return
        if self._counts[consumer_id] >= self.most_each:
            raise _later(
                Refusal(
                    RATE_LIMITED,
                    f"{consumer_id} has {self.most_each} searches open",
                    next_step="give searches a short ttl, or wait until some have closed",
                )
            )
        if len(self._searches) >= self.most:
            raise _later(Refusal(OVERLOADED, f"{self.most} searches are open"))

    def open(self, search: OpenSearch) -> None:
        """Remember a search; a further one in the same transaction adds the providers it asks."""
        key = (search.consumer.id, search.transaction_id)
        earlier = self._searches.pop(key, None)
        if earlier is not None:
            search = replace(search, asked=search.asked | earlier.asked, until=max(search.until, earlier.until))
        else:
            self._counts[search.consumer.id] += 1
        self._searches[key] = search
        self._consumers.setdefault(search.transaction_id, set()).add(search.consumer.id)

    def find(self, consumer_id: str | None, transaction_id: str, *, provider_id: str, now: float) -> OpenSearch | None:
        """The open search this provider was asked in; without a consumer id, the only one of the transaction."""
        consumers = {consumer_id} if consumer_id else self._consumers.get(transaction_id, set())
        if len(consumers) != 1:
            return None
        search = self._searches.get((next(iter(consumers)) or "", transaction_id))
        if search is None or search.until < now or provider_id not in search.asked:
            return None
        return search

    def close_passed(self, now: float) -> None:
        """Forget the searches that have closed; looks through them once in a while, not at every search."""
        if now < self._swept_at + _SWEEP_SECONDS:
            return
        self._swept_at = now
        for key in [key for key, search in self._searches.items() if search.until < now]:
            self._forget(key)

    def __len__(self) -> int:
        return len(self._searches)

    def _forget(self, key: tuple[str, str]) -> None:
        del self._searches[key]
        self._counts[key[0]] -= 1
        if not self._counts[key[0]]:
            del self._counts[key[0]]
        consumers = self._consumers.get(key[1], set())
        consumers.discard(key[0])
        if not consumers:
            self._consumers.pop(key[1], None)


def _later(refusal: Refusal) -> Refusal:
    refusal.retry_after = int(_SWEEP_SECONDS)
    return refusal

"""Open requests in memory. Above: `uhi.storage.memory.storage`."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from uhi.ports import Callback, OpenRequest
from uhi.storage.memory.journal import bound


@dataclass(slots=True)
class _Asked:
    request: OpenRequest
    answered_as: str | None = None


@dataclass(slots=True)
class MemoryRequests:
    """Remembers the last `most` requests, and whom each owner talks with."""

    most: int
    _requests: OrderedDict[tuple[str, str, str], _Asked] = field(default_factory=OrderedDict)
    _by_transaction: dict[tuple[str, str], list[_Asked]] = field(default_factory=dict)
    _pairs: OrderedDict[tuple[str, str, str], None] = field(default_factory=OrderedDict)

    def open(self, request: OpenRequest) -> None:
        """Remember a request before it is sent; one that is there already stays as it is."""
        key = (request.owner, request.leg, request.message_id)
        if key in self._requests:
            return
        asked = self._requests[key] = _Asked(request)
        self._by_transaction.setdefault((request.owner, request.transaction_id), []).append(asked)
        if request.counterpart:
            self._pairs[request.owner, request.counterpart, request.transaction_id] = None
        self._prune()

    def fitting(self, callback: Callback) -> OpenRequest | None:
        """See `uhi.ports.Requests`."""
        exact = self._requests.get((callback.owner, callback.leg, callback.message_id))
        if exact is not None and _fits(exact.request, callback):
            return exact.request
        for asked in self._by_transaction.get((callback.owner, callback.transaction_id), []):
            is_open = asked.answered_as in (None, callback.message_id)
            if is_open and asked.request.leg == callback.leg and _fits(asked.request, callback):
                return asked.request
        return None

    def claim(self, request: OpenRequest, message_id: str) -> bool:
        """Mark a request as answered by a message; False where another one has answered it meanwhile."""
        asked = self._requests.get((request.owner, request.leg, request.message_id))
        if asked is None or not request.counterpart:
            return True
        if message_id not in (request.message_id, asked.answered_as or message_id):
            return False
        asked.answered_as = asked.answered_as or message_id
        return True

    def talks_with(self, owner: str, counterpart: str, transaction_id: str) -> bool:
        """Whether this owner asked that counterpart in that transaction."""
        return (owner, counterpart, transaction_id) in self._pairs

    def searches(self, owner: str, transaction_id: str, *, now: float) -> list[OpenRequest]:
        """The searches of a transaction that a gateway has passed on and that are open."""
        asked = self._by_transaction.get((owner, transaction_id), [])
        return [each.request for each in asked if each.request.asker is not None and each.request.until >= now]

    def close_passed(self, now: float) -> list[str]:
        """Forget the searches a gateway has passed on that are over; returns their causes."""
        passed = [
            key
            for key, asked in self._requests.items()
            if asked.request.asker is not None and asked.request.until < now
        ]
        return [self._forget(key).cause for key in passed]

    def _prune(self) -> None:
        bound(self._pairs, self.most)
        while len(self._requests) > self.most:
            self._forget(next(iter(self._requests)))

    def _forget(self, key: tuple[str, str, str]) -> OpenRequest:
        asked = self._requests.pop(key)
        place = (asked.request.owner, asked.request.transaction_id)
        others = [each for each in self._by_transaction.get(place, []) if each is not asked]
        if others:
            self._by_transaction[place] = others
        else:
            self._by_transaction.pop(place, None)
        return asked.request


def _fits(request: OpenRequest, callback: Callback) -> bool:
    """A broadcast may be answered by anybody."""
    return request.counterpart in ("", callback.counterpart)

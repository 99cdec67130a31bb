"""Tells every member of a change at once, so that nobody trusts a revoked key until a cache runs out.

Nobody waits for it, and nothing hangs on it: who is not reached asks anew within the cache's time, or sees the gap.
Below: the register's changes, the Transport port; above: `bootstrap`. Source: decision 26.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from gateway.network_registry.posting import Post
from gateway.network_registry.standing import Change
from uhi import strict_json
from uhi.errors import DeliveryError
from uhi.registry.memory import MemoryRegistry
from uhi.subscribers import SUBSCRIBED, Role, Subscriber

PATH = "registry_changed"
SECONDS = 2.0
TRIES = 3

_PAUSES = (1.0, 5.0)
_AT_ONCE = 64
_KEPT = 500
_MOST_TOLD = 100
_WORTH_ANOTHER_TRY = {401, 408, 425, 429}

log = logging.getLogger(__name__)


class Pushes:
    """Posts changes to every SUBSCRIBED member: each gets all it was not told yet, in order, at most 100 at once.

    Gateways come first, and who did not answer lately comes last; at most 64 are under way at a time.
    """

    def __init__(self, members: MemoryRegistry, post: Post) -> None:
        self._members = members
        self._post = post
        self._first = members.seq
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._told: dict[str, int] = {}
        self._silent: set[str] = set()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def tell(self, changes: Sequence[Change]) -> None:
        """Begin to tell of these; what can wait is told together with the next that cannot."""
        self._changes.extend(changes)
        if not any(change.is_urgent for change in changes):
            return
        for receiver in sorted(self._receivers(), key=self._order):
            if receiver.id not in self._under_way:
                self._under_way[receiver.id] = asyncio.create_task(self._run(receiver))

    async def idle(self) -> None:
        """Return when nobody is being told any more."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def aclose(self) -> None:
        """Leave the rest to the caches."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _receivers(self) -> list[Subscriber]:
        subscribers = (member.subscriber for member in self._members.members())
        return [each for each in subscribers if each.status == SUBSCRIBED and each.role is not Role.REGISTRY]

    def _order(self, receiver: Subscriber) -> tuple[bool, bool]:
        return receiver.id in self._silent, receiver.role is not Role.GATEWAY

    async def _run(self, receiver: Subscriber) -> None:
        try:
            await self._tell(receiver)
        finally:
            # Not a turn of the loop later: what is told meanwhile would find somebody who no longer looks.
            self._under_way.pop(receiver.id, None)

    async def _tell(self, receiver: Subscriber) -> None:
        tries = 0
        while (news := self._news(receiver)) and tries < TRIES:
            if tries:
                await self._post.clock.sleep(_PAUSES[min(tries, len(_PAUSES)) - 1])
            async with self._slots:
                is_told = await self._send(receiver, news)
            tries = 0 if is_told else tries + 1
            if is_told:
                self._told[receiver.id] = news[-1].seq
        if tries:
            self._silent.add(receiver.id)
            log.warning("%s was not told of changes", receiver.id, extra={"signer": receiver.id})
        else:
            self._silent.discard(receiver.id)

    def _news(self, receiver: Subscriber) -> list[Change]:
        told = self._told.get(receiver.id, self._first)
        return [change for change in self._changes if change.seq > told][-_MOST_TOLD:]

    async def _send(self, receiver: Subscriber, news: Sequence[Change]) -> bool:
        """Whether there is no point in sending it again: taken, or refused by one who does not know of pushes."""
        told = {"registry_seq": news[-1].seq, "changes": [change.told() for change in news]}
        try:
            reply = await self._post.ask(f"{receiver.url}/{PATH}", strict_json.write(told), seconds=SECONDS)
        except DeliveryError:
            return False
        status = reply.status
        return 200 <= status < 500 and status not in _WORTH_ANOTHER_TRY

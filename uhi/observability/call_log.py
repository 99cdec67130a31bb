"""Call logs: where the hops of a program go. Never a body, a header or anything about a patient."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from uhi.ports import CallLog, Direction, Hop

log = logging.getLogger("uhi.calls")


class LoggedCalls:
    """Writes each hop as one line of the `uhi.calls` logger."""

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`."""
        log.info(
            "%s %s",
            "received" if hop.direction is Direction.IN else "sent",
            hop.action,
            extra={
                "sender": hop.sender,
                "receiver": hop.receiver,
                "action": hop.action,
                "transaction_id": hop.transaction_id,
                "message_id": hop.message_id,
                "outcome": hop.outcome,
                "http_status": hop.status,
                "ms": round(hop.ms, 1),
                "attempt": hop.attempt,
            },
        )


@dataclass(slots=True)
class RememberedCalls:
    """Keeps the last `most` hops in memory, and tells a listener of each."""

    most: int = 10_000
    heard: Callable[[Hop], None] = lambda hop: None
    _hops: deque[Hop] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Hop]:
        return iter(tuple(self._hops))

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`."""
        self._hops.append(hop)
        while len(self._hops) > self.most:
            self._hops.popleft()
        self.heard(hop)


class BothCalls:
    """Two call logs at once."""

    def __init__(self, first: CallLog, second: CallLog) -> None:
        self._both = (first, second)

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`."""
        for each in self._both:
            each.write(hop)

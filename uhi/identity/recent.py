"""What the database said a moment ago, so that it is not asked at every request of the same session or key.

Above: `sessions`, `api_keys`. Source: security rules "IAM": a revocation counts within a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from uhi.ports import Clock

MOST = 10_000

V = TypeVar("V")


class Recent(Generic[V]):
    """Answers by key; each counts for `seconds` from when it was asked for, not from when it came."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._kept: dict[str, tuple[float, V]] = {}

    def get(self, key: str) -> V | None:
        """The answer, None when there is none or it is too old."""
        asked_at, answer = self._kept.get(key, (None, None))
        # Where the clock was set back nobody knows how old it is.
        return answer if asked_at is not None and 0 <= self._clock.now() - asked_at < self._seconds else None

    def keep(self, key: str, answer: V, *, asked_at: float) -> None:
        """Remember an answer."""
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = (asked_at, answer)

    def drop_where(self, is_wrong: Callable[[V], bool]) -> None:
        """Forget answers that are known to be wrong now."""
        for key in [key for key, (_, answer) in self._kept.items() if is_wrong(answer)]:
            del self._kept[key]

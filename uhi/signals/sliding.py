"""A sliding window in two numbers: the hits of this period, and of the one before by how much of it still counts.

Pure. `local` counts with it; `redis_windows` counts in Redis by the same rule and asks here only how long to wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor


@dataclass(slots=True)
class SlidingWindow:
    """The hits of one key. `began` is when the period of `count` began, `before` the hits of the period before it."""

    began: float
    count: int = 0
    before: int = 0

    def hit(self, now: float, *, most: int, seconds: int) -> float:
        """Returns 0 and counts one more where there is room, else in how many seconds there will be."""
        self._move_to(now, seconds)
        wait = seconds_until_room(self.before, self.count, now - self.began, most=most, seconds=seconds)
        if not wait:
            self.count += 1
        return wait

    def _move_to(self, now: float, seconds: int) -> None:
        # When the clock was set back, nobody waits longer than a period for that.
        self.began = min(self.began, now)
        periods = int((now - self.began) // seconds)
        if periods == 1:
            self.began, self.before, self.count = self.began + seconds, self.count, 0
        elif periods > 1:
            self.began, self.before, self.count = now, 0, 0


def seconds_until_room(before: int, count: int, elapsed: float, *, most: int, seconds: int) -> float:
    """0 when one more hit fits; else after how many seconds one does, to the next millisecond.

    `elapsed` seconds of the period with `count` hits have passed; the `before` hits of the period before count for the
    rest of it, as if they had come evenly.
    """
    counted = floor(before * max(0.0, 1 - elapsed / seconds)) + count
    if counted < most:
        return 0.0
    if count < most:
        fades_at = seconds * (1 - (most - count) / before)
        return _to_the_millisecond(fades_at - elapsed)
    return _to_the_millisecond(seconds - elapsed + seconds * (1 - most / max(count, 1)))


def _to_the_millisecond(wait: float) -> float:
    return max(1, ceil(wait * 1_000) + 1) / 1_000

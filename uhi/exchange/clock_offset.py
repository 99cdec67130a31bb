"""How far our clock is from the registry's, and whether we may sign by it.

Measured by the registry adapter above, asked by the door out. Source: decision 16, reliability rules "Clocks".
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from enum import Enum

from uhi.errors import DeliveryError
from uhi.ports import Clock

log = logging.getLogger(__name__)

WARN_SECONDS = 0.5
STOP_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 5.0


class _Level(Enum):
    RIGHT = "right"
    OFF = "off"
    STOPPED = "stopped"


class ClockOffset:
    """Beyond half a second the operator is warned, beyond five nothing is signed but the lookups that measure it.

    `value` is our clock minus the registry's in seconds, None before the first measurement.
    """

    def __init__(self, clock: Clock) -> None:
        self.value: float | None = None
        self._clock = clock
        self._level = _Level.RIGHT
        self._ask: Callable[[], Awaitable[None]] | None = None
        self._asked_at = 0.0

    @property
    def is_stopped(self) -> bool:
        """Whether our clock is too far off to sign by."""
        return self._level is _Level.STOPPED

    def measured(self, offset: float, *, uncertainty: float = 0.0) -> None:
        """Take a new measurement; only what exceeds its uncertainty (seconds) counts."""
        self.value = offset
        certain = max(0.0, abs(offset) - max(0.0, uncertainty))
        before, self._level = self._level, _level_of(certain)
        if self._level is not before:
            _tell(self._level, offset)

    def ask_by(self, ask: Callable[[], Awaitable[None]]) -> None:
        """How to have it measured again."""
        self._ask = ask

    async def look_again(self) -> None:
        """While nothing is signed, have the offset measured anew, at most once in five seconds."""
        now = self._clock.now()
        if not self.is_stopped or self._ask is None or 0 <= now - self._asked_at < LOOK_AGAIN_SECONDS:
            return
        self._asked_at = now
        await self._ask()

    async def check(self) -> None:
        """Refuse to begin something that needs our signature now.

        Raises: DeliveryError while our clock is too far off.
        """
        await self.look_again()
        if self.is_stopped:
            raise DeliveryError(
                "our clock is wrong, so nothing is signed",
                got=str(self),
                expected=f"at most {STOP_SECONDS:g} s off",
                next_step="have the clock set by a time server; it goes on by itself",
            )

    def __str__(self) -> str:
        if self.value is None:
            return "not measured yet"
        return f"{abs(self.value):.1f} s {'ahead of' if self.value > 0 else 'behind'} the registry's"


def _level_of(seconds: float) -> _Level:
    if seconds > STOP_SECONDS:
        return _Level.STOPPED
    return _Level.OFF if seconds > WARN_SECONDS else _Level.RIGHT


def _tell(level: _Level, offset: float) -> None:
    if level is _Level.STOPPED:
        log.error("our clock is %+.1f s off the registry's: nothing is signed until it is right", offset)
    elif level is _Level.OFF:
        log.warning("our clock is %+.1f s off the registry's: have it set by a time server", offset)
    else:
        log.info("our clock agrees with the registry's (%+.1f s)", offset)

"""Answers that another process of this participant has accepted, for whoever waits for them here.

A signal brings them at once; without one the journal is looked at once a second. Above: participants; below: taps,
the journal, signals.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from uhi.errors import Refusal
from uhi.exchange.answers import Taps
from uhi.messages.wire import Wire
from uhi.ports import ANSWERS, Clock, Journal, Kept, Signals
from uhi.verified import Declined, Verified

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0

Read = Callable[[Kept], Verified[Wire] | Declined]


@dataclass(slots=True)
class Elsewhere:
    """Pours what others accept into the taps of this process; `read` makes a message of a journal's row."""

    owner: str
    taps: Taps
    journal: Journal
    signals: Signals
    clock: Clock
    read: Read
    _waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signals.hear(ANSWERS, self._heard)

    def tell(self, message_id: str) -> None:
        """Tell the others that an answer is here which nobody awaits in this process."""
        self.signals.tell(ANSWERS, message_id)

    async def watch(self, message_id: str) -> None:
        """Pour the answers to a request until nobody waits for it any more."""
        woken = self._waiting[message_id] = asyncio.Event()
        unreadable: set[str] = set()
        try:
            while self.taps.is_open(message_id):
                await self._pour(message_id, unreadable)
                await self._pause(woken)
        finally:
            del self._waiting[message_id]

    async def look(self, message_id: str) -> None:
        """Pour what has come until now, if another process may have taken it."""
        if message_id in self._waiting:
            await self._pour(message_id, set())

    def _heard(self, message_id: str) -> None:
        if message_id in self._waiting:
            self._waiting[message_id].set()

    async def _pour(self, message_id: str, unreadable: set[str]) -> None:
        """Pour what has not been heard yet, also from this process."""
        known = self.taps.heard(message_id) | unreadable
        try:
            rows = await self.journal.answers_to(self.owner, message_id, known=known)
        except Refusal as refusal:
            log.warning("answers of other processes cannot be read: %s", refusal)
            return
        for kept in rows:
            try:
                self.taps.pour(message_id, self.read(kept), row=kept.id)
            except Refusal as refusal:
                unreadable.add(kept.id)
                log.error("an answer that another process has accepted cannot be read: %s", refusal)

    async def _pause(self, woken: asyncio.Event) -> None:
        waiter = asyncio.ensure_future(woken.wait())
        sleeper = asyncio.ensure_future(self.clock.sleep(_LOOK_SECONDS))
        try:
            await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()
        woken.clear()

"""What a consumer keeps of its bookings, and the errands that follow from them: calling off, replacing.

`Diary` is the seam: `MemoryDiary` forgets with the process, `uhi.booking.sql_diary` does not. Above:
`uhi.booking.hearing`. Source: security T30 (a price that differs), decision 38 (reschedule).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Protocol

from uhi.booking.appointments import Booking
from uhi.booking.states import OrderState
from uhi.verified import Thread

_ENDED = frozenset({OrderState.CANCELLED, OrderState.FAILED, OrderState.EXPIRED})


class Key(NamedTuple):
    """An order: ids are its provider's."""

    provider_id: str
    order_id: str


class Errand(StrEnum):
    """What is still to be asked of a provider because of a booking."""

    CALL_OFF = "CALL_OFF"
    """Cancel it: it was confirmed at another price than quoted."""
    CANCEL_REPLACED = "CANCEL_REPLACED"
    """It is confirmed, so cancel the one it takes the place of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A booking in the diary. `replaces` is the order that it takes the place of, once it is confirmed; `account_id`
    whose it is, where the program has accounts."""

    booking: Booking
    replaces: Key | None = None
    account_id: str = ""

    @property
    def key(self) -> Key:
        """Which order it is."""
        return key_of(self.booking.thread, self.booking.order_id)

    @property
    def errand(self) -> Errand | None:
        """What follows from it and is not done yet."""
        if self.booking.state in _ENDED:
            return None
        if self.booking.price_mismatch:
            return Errand.CALL_OFF
        return Errand.CANCEL_REPLACED if self.replaces and self.booking.is_confirmed else None

    def with_booking(self, booking: Booking) -> Entry:
        """Return it after news; a booking that did not come about takes nobody's place any more."""
        is_lost = booking.state in _ENDED or booking.price_mismatch
        return replace(self, booking=booking, replaces=None if is_lost else self.replaces)


class Change(NamedTuple):
    """What was known, and what is known now; None: nothing."""

    before: Entry | None
    after: Entry | None


Turn = Callable[[Entry | None], Entry | None]


class Diary(Protocol):
    """The bookings of one consumer, by provider and order id."""

    async def known(self, key: Key) -> Entry | None:
        """Return what is known of an order."""

    async def known_of(self, keys: Collection[Key]) -> Mapping[Key, Entry]:
        """Return what is known of several orders; those that are not known are left out."""

    async def change(self, key: Key, turn: Turn) -> Change:
        """Let `turn`, which is pure, make of what is known what is known from now on, in one atomic step.

        Where it returns None, or the same, nothing changes.
        Raises: Refusal(RECORD_MISSING) where its account's key is gone; what `turn` raises.
        """

    async def claim(self, key: Key, *, now: float, until: float) -> Entry | None:
        """Take an entry whose errand nobody else does at the moment, until a time; None: there is nothing to do."""

    async def put_off(self, key: Key, *, until: float) -> None:
        """Give an errand back that could not be done; `due` names it again after `until`."""

    async def due(self, *, now: float) -> Sequence[Key]:
        """Return what has an errand that nobody does, and whose time has come."""

    async def forget(self, key: Key) -> None:
        """Delete what is known of an order."""


class MemoryDiary:
    """Bookings in memory: they live as long as the process, and nobody's errand is left over."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._claimed: dict[Key, float] = {}
        self._put_off: dict[Key, float] = {}

    async def known(self, key: Key) -> Entry | None:
        """See `Diary`."""
        return self._entries.get(key)

    async def known_of(self, keys: Collection[Key]) -> Mapping[Key, Entry]:
        """See `Diary`."""
        return {key: self._entries[key] for key in keys if key in self._entries}

    async def change(self, key: Key, turn: Turn) -> Change:
        """See `Diary`; there is no await between reading and writing."""
        before = self._entries.get(key)
        after = turn(before) or before
        if after is not None and after != before:
            self._entries[key] = after
            if after.errand is None:
                self._free(key)
        return Change(before, after)

    async def claim(self, key: Key, *, now: float, until: float) -> Entry | None:
        """See `Diary`."""
        entry = self._entries.get(key)
        if entry is None or entry.errand is None or self._claimed.get(key, 0.0) > now:
            return None
        self._claimed[key] = until
        return entry

    async def put_off(self, key: Key, *, until: float) -> None:
        """See `Diary`."""
        self._claimed.pop(key, None)
        self._put_off[key] = until

    async def due(self, *, now: float) -> Sequence[Key]:
        """See `Diary`."""
        return [
            key
            for key, entry in self._entries.items()
            if entry.errand and max(self._claimed.get(key, 0.0), self._put_off.get(key, 0.0)) <= now
        ]

    async def forget(self, key: Key) -> None:
        """See `Diary`."""
        self._entries.pop(key, None)
        self._free(key)

    def _free(self, key: Key) -> None:
        self._claimed.pop(key, None)
        self._put_off.pop(key, None)


def key_of(thread: Thread, order_id: str) -> Key:
    """Return which order of the thread's provider this is."""
    return Key(thread.provider_id, order_id)


def replacing(entry: Entry, old: Key | None) -> Entry:
    """Return an entry that takes the place of another, or of none any more."""
    return replace(entry, replaces=old)

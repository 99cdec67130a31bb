"""Inits under way: how many one consumer has, and what was kept for it since each of them read what it holds.

So the limits on holds cost one reading each. Pure but for what it remembers. Above: `uhi.booking.holding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from uhi.booking.hospital import Slot
from uhi.booking.kept import KeptOrder
from uhi.messages.values import IST


@dataclass(slots=True, eq=False)
class Asking:
    """One init. `live` is what its consumer held when it was read, `since` what was kept for it after the init began;
    `others` counts the consumer's inits that were under way before."""

    others: int
    live: list[KeptOrder] = field(default_factory=list)
    since: list[KeptOrder] = field(default_factory=list)

    def of_day(self, slot: Slot) -> int:
        """How many slots of the same doctor and day are held, as far as is known without reading again."""
        return len({order.id for order in same_day((*self.live, *self.since), slot)})


class Askings:
    """The inits under way in this process, by consumer."""

    def __init__(self) -> None:
        self._under_way: dict[str, list[Asking]] = {}

    @contextmanager
    def one_of(self, consumer_id: str) -> Iterator[Asking]:
        """Around an init."""
        under_way = self._under_way.setdefault(consumer_id, [])
        asking = Asking(others=len(under_way))
        under_way.append(asking)
        try:
            yield asking
        finally:
            under_way.remove(asking)
            if not under_way:
                self._under_way.pop(consumer_id, None)

    def kept(self, order: KeptOrder) -> None:
        """An order was kept: whoever read before that may not know of it."""
        for asking in self._under_way.get(order.thread.consumer_id, ()):
            asking.since.append(order)


def same_day(held: Iterable[KeptOrder], slot: Slot) -> list[KeptOrder]:
    """Return the held orders of a slot's doctor and day, but for what the hospital itself keeps for a patient."""
    day = _day(slot.start)
    return [
        order
        for order in held
        if order.slot.doctor.id == slot.doctor.id and _day(order.slot.start) == day and not order.offer_for
    ]


def _day(at: datetime) -> date:
    return at.astimezone(IST).date()

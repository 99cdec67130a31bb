"""Which searches concern a list: domain, kind of fulfilment, code of the item. Everything else is met with silence.

Pure. Above: `answering`, the modules of the services. Source: NHA's table of services ("a wrong domain, type or item
code gets an ACK and no answer at all").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from uhi.actions import Decline
from uhi.messages import Catalog, Intent
from uhi.messages.values import Category, Descriptor, Fulfillment, Item, when
from uhi.verified import Thread

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a list is about. Without `item_codes` every item concerns it, none named included."""

    domain: str
    types: tuple[str, ...]
    item_codes: tuple[str, ...] = ()

    def concerns(self, intent: Intent, thread: Thread) -> bool:
        """Whether a search asks for what this is about."""
        kind = intent.fulfillment.type if intent.fulfillment else None
        item = code_of(intent.item.descriptor if intent.item else None)
        return thread.domain == self.domain and kind in self.types and (not self.item_codes or item in self.item_codes)


class Listing(Protocol):
    """A list that answers searches."""

    @property
    def subject(self) -> Subject:
        """Which searches concern it."""

    async def find(self, intent: Intent) -> Catalog | Decline | None:
        """Return what fits a search that concerns it, perhaps nothing; None for silence."""


def code_of(descriptor: Descriptor | None) -> str:
    """Return a code as text, whether it came as text or as a number; empty if there is none."""
    return (descriptor.code if descriptor else None) or ""


def said_by(descriptor: Descriptor | None) -> str:
    """Return a code, or the name where there is no code."""
    return code_of(descriptor) or (descriptor.name if descriptor else None) or ""


def write_intent(
    kind: str, *, now: datetime, item: Descriptor | None = None, about: Descriptor | None = None
) -> Intent:
    """Return a search for a kind of fulfilment in the next 24 hours: an item, and what `about` it, where named."""
    return Intent(
        fulfillment=Fulfillment(type=kind, start=when(now), end=when(now + _A_DAY)),
        item=Item(descriptor=item) if item else None,
        category=Category(descriptor=about) if about else None,
    )

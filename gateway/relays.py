"""What a gateway takes: the protocol's legs with messages it looks at and never rewrites.

Source: UHI guide 2.1; decision 29 (a relay uses actions of its own with an opaque message).
"""

from __future__ import annotations

from uhi.actions import (
    CATALOGUE,
    ON_CANCEL_AUDIT,
    ON_CONFIRM_AUDIT,
    ON_STATUS_AUDIT,
    ON_UPDATE_AUDIT,
    Leg,
    Urgency,
)
from uhi.messages.wire import Wire
from uhi.subscribers import Role


class RelayedSearch(Wire):
    """A first search: the intent is read for matching, everything travels as the bytes it came in."""

    intent: dict[str, object]


class RelayedCatalog(Wire):
    """A catalogue on its way back; nothing in it concerns a gateway."""

    catalog: dict[str, object]


RELAYED_SEARCH: Leg[RelayedSearch] = Leg(
    "search", "search", RelayedSearch, (Role.CONSUMER,), Role.GATEWAY, ("search",), urgency=Urgency.SEARCH
)
RELAYED_ON_SEARCH: Leg[RelayedCatalog] = Leg(
    "on_search",
    "on_search",
    RelayedCatalog,
    (Role.PROVIDER,),
    Role.GATEWAY,
    ("on_search",),
    urgency=Urgency.SEARCH,
    answers="search",
    limits=CATALOGUE,
)

GATEWAY_LEGS: tuple[Leg[Wire], ...] = (
    RELAYED_SEARCH,
    RELAYED_ON_SEARCH,
    ON_CONFIRM_AUDIT.leg,
    ON_STATUS_AUDIT.leg,
    ON_UPDATE_AUDIT.leg,
    ON_CANCEL_AUDIT.leg,
)

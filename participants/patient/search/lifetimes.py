"""How long what a provider has told may be shown to the next who asks the same.

Pure. A provider's word counts where it gives one (`exp`, `ttl` of a catalogue or of one entry), else our own; two days
are the most in any case. Source: reference of the protocol, "discovery cache".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from uhi.messages import Catalog
from uhi.messages.times import parse_time, ttl_seconds
from uhi.messages.wire import Wire

LONGEST = timedelta(hours=48).total_seconds()


def kept_until(catalog: Catalog, *, now: float, usual: float) -> float:
    """Return until when a catalogue may be shown again, in Unix seconds; not after `now`: not at all.

    `usual` is for how many seconds where it does not say.
    """
    told = list(_told(catalog, now))
    return min(min(told) if told else now + usual, now + LONGEST)


def _told(catalog: Catalog, now: float) -> Iterator[float]:
    for part in (catalog, *catalog.readable):
        members = {**(part.__pydantic_extra__ or {}), **_declared(part)}
        ends, lasts = members.get("exp"), members.get("ttl")
        if isinstance(ends, str) and ends:
            yield _moment(ends, now)
        if isinstance(lasts, str) and lasts:
            yield now + (ttl_seconds(lasts) or 0.0)


def _declared(part: Wire) -> dict[str, object]:
    return {"exp": part.exp} if isinstance(part, Catalog) else {}


def _moment(text: str, now: float) -> float:
    # A limit that nobody can read is not taken for none.
    try:
        return parse_time(text).timestamp()
    except ValueError:
        return now + (ttl_seconds(text) or 0.0)

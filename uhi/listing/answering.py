"""The handler of a list: it answers the searches that concern it, and is silent about all others.

`app.include(ListingProvider(listing).handlers)`. Above: participants; below: `subjects`, `uhi.handlers`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from uhi.actions import SEARCH, Decline
from uhi.errors import SetupError
from uhi.handlers import Handlers
from uhi.listing.subjects import Listing
from uhi.messages import Catalog, OnSearch, Search
from uhi.verified import Verified

MOST_ENTRIES = 500
"""How many entries an answer has at most: nobody takes a catalogue of more than 4 MiB."""

log = logging.getLogger(__name__)


class ListingProvider:
    """A provider that can be searched and no more; what cannot be asked of it, it has no handler for. Of more than
    `MOST_ENTRIES` that fit a search the first are told."""

    def __init__(self, listing: Listing) -> None:
        self.handlers = Handlers()

        @self.handlers.on(SEARCH)
        async def find(request: Verified[Search]) -> OnSearch | Decline | None:
            intent = request.message.intent
            if not listing.subject.concerns(intent, request.thread):
                return None
            found = await listing.find(intent)
            return found if found is None or isinstance(found, Decline) else OnSearch(catalog=_short(found))


def _short(catalog: Catalog) -> Catalog:
    entries = catalog.providers or ()
    if len(entries) <= MOST_ENTRIES:
        return catalog
    log.warning("%d entries fit a search, the first %d of them are told", len(entries), MOST_ENTRIES)
    return catalog.model_copy(update={"providers": [*entries[:MOST_ENTRIES]]})


def demand_domain(domains: Sequence[str], domain: str) -> None:
    """See that a participant is in the domain of what it offers; otherwise no gateway brings it a search.

    Raises: SetupError.
    """
    if domain not in domains:
        raise SetupError(
            "the participant is in other domains than what it offers",
            got=",".join(domains) or "none",
            expected=domain,
            next_step=f"set UHI_DOMAINS={domain}, and have it registered so",
        )

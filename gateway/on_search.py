"""A catalogue on its way back: checked against the searches that are open, relayed to whoever asked.

Never to an address taken from the message. Source: UHI guide 2.1, decision 18.
"""

from __future__ import annotations

from gateway.open_searches import OpenSearches
from uhi.errors import NO_OPEN_REQUEST, Refusal
from uhi.exchange.admission import Admitted, Candidate
from uhi.subscribers import Audience
from uhi.verified import Admission


def admit_on_search(candidate: Candidate, open_searches: OpenSearches) -> Admitted:
    """Step 8 for an on_search: the search is open and this provider was asked.

    Raises: Refusal(NO_OPEN_REQUEST).
    """
    search = open_searches.find(
        candidate.context.consumer_id,
        candidate.transaction_id,
        provider_id=candidate.sender.id,
        now=candidate.now,
    )
    if search is None:
        raise Refusal(
            NO_OPEN_REQUEST,
            f"{candidate.sender.id} answers a search that is not open, or that it was not asked in",
            next_step="echo consumer_id and transaction_id of the search, within its time",
        )
    return Admitted(candidate.legs[0], Admission(answers=search.message_id, audience=Audience.of([search.consumer])))

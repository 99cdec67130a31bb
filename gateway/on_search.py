"""A catalogue on its way back: checked against the searches that are open, relayed to whoever asked.

Never to an address taken from the message. Source: UHI guide 2.1, decision 18.
"""

from __future__ import annotations

from uhi.errors import Refusal
from uhi.exchange.admission import Admitted, Candidate
from uhi.exchange.parties import ttl_end
from uhi.faults import NO_OPEN_REQUEST
from uhi.messages.wire import Wire
from uhi.ports import OpenRequest
from uhi.subscribers import Audience
from uhi.verified import Admission, Declined, Verified
from uhi.world import World


async def admit_on_search(candidate: Candidate, our_id: str, world: World) -> Admitted:
    """Step 8 for an on_search: the search is open and this provider was asked.

    Raises: Refusal(NO_OPEN_REQUEST).
    """
    search = await world.storage.search_of(
        our_id,
        candidate.transaction_id,
        asker=candidate.context.consumer_id or "",
        provider=candidate.sender.id,
        now=candidate.now,
    )
    if search is None or search.asker is None:
        raise Refusal(
            NO_OPEN_REQUEST,
            f"{candidate.sender.id} answers a search that is not open, or that it was not asked in",
            next_step="echo consumer_id and transaction_id of the search, within its time",
        )
    ends = ttl_end(candidate.context, candidate.now)
    return Admitted(
        candidate.legs[0],
        Admission(answers=search.message_id, audience=Audience.of([search.asker])),
        deadline=min(ends or candidate.expires, candidate.expires),
    )


async def who_asked(message: Verified[Wire] | Declined, our_id: str, world: World) -> Audience:
    """The consumer a catalogue is for, found again after a crash.

    Raises: Refusal(NO_OPEN_REQUEST) where its search has been forgotten.
    """
    search: OpenRequest | None = await world.storage.search_of(
        our_id,
        message.thread.transaction_id,
        asker=message.thread.consumer_id,
        provider=message.sender.id,
        now=message.received_at,
    )
    if search is None or search.asker is None:
        raise Refusal(NO_OPEN_REQUEST, "the search of a catalogue has been forgotten")
    return Audience.of([search.asker])

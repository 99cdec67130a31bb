"""The relay: the bytes as they came, the sender's header kept, ours added, to every target, until the sender's
signature or the ttl ends.

Source: decisions 13 (one header serves the first round) and 19 (deadlines of others' bytes).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uhi.exchange.deliveries import Deliveries
from uhi.exchange.parties import ttl_end
from uhi.exchange.retry import DISCOVERY
from uhi.exchange.send import GATEWAYS_HEADER, SENDERS_HEADER, Parcel
from uhi.messages.wire import Wire
from uhi.subscribers import Subscriber
from uhi.verified import Declined, Verified

_AT_A_TIME = 8


def fan_out(message: Verified[Wire] | Declined, path: str, deliveries: Deliveries) -> None:
    """Start one delivery for each member of the message's audience; one header serves them all."""
    way_out = deliveries.way_out
    now = way_out.clock.now()
    header = way_out.stamps.unseen(message.digest, now=now)
    header_until = now + way_out.stamps.signer.profile.lifetime / 2
    ends = ttl_end(message.context, message.received_at)
    deadline = float(message.expires) if ends is None else min(ends, message.expires)
    kept = {SENDERS_HEADER: message.authorization} if message.authorization else {}

    def start(members: tuple[Subscriber, ...]) -> None:
        for member in members:
            deliveries.start(
                Parcel(
                    to=member,
                    path=path,
                    body=message.raw,
                    digest=message.digest,
                    transaction_id=message.thread.transaction_id,
                    message_id=message.context.message_id,
                    schedule=DISCOVERY,
                    deadline=deadline,
                    header_name=GATEWAYS_HEADER,
                    kept=kept,
                    first_header=header,
                    first_until=header_until,
                )
            )

    members = message.admission.audience.members
    if len(members) == 1:
        start(members)
    else:
        deliveries.spawn(_few_by_few(members, start))


async def _few_by_few(members: tuple[Subscriber, ...], start: Callable[[tuple[Subscriber, ...]], None]) -> None:
    for first in range(0, len(members), _AT_A_TIME):
        # The ACK goes before the first of them, and whoever else waits for this loop before each next few.
        await asyncio.sleep(0)
        start(members[first : first + _AT_A_TIME])

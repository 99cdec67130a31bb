"""The relay: the bytes as they came, the sender's header kept, ours added, to every target, until the sender's
signature or the ttl ends.

Source: decisions 13 (one header serves the first round) and 19 (deadlines of others' bytes).
"""

from __future__ import annotations

import asyncio

from uhi.exchange.deliveries import Deliveries
from uhi.exchange.parties import ttl_end
from uhi.exchange.retry import DISCOVERY
from uhi.exchange.send import GATEWAYS_HEADER, SENDERS_HEADER, Parcel
from uhi.messages.wire import Wire
from uhi.verified import Declined, Verified

_AT_A_TIME = 8


async def fan_out(message: Verified[Wire] | Declined, path: str, deliveries: Deliveries) -> None:
    """Start one delivery for each member of the message's audience."""
    way_out = deliveries.way_out
    ends = ttl_end(message.context, message.received_at)
    deadline = float(message.expires) if ends is None else min(ends, message.expires)
    header = way_out.stamps.first_round(message.digest, now=way_out.clock.now())
    kept = {SENDERS_HEADER: message.authorization} if message.authorization else {}
    for number, target in enumerate(message.admission.audience.members):
        # The ACK, and whoever else waits for this loop, goes before the rest of a long list.
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)
        deliveries.start(
            Parcel(
                to=target,
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
            )
        )

"""The relay: the bytes as they came, the sender's header kept, ours added, to every target, until the sender's
signature or the ttl ends.

Source: decisions 13 (one header serves the first round), 19 (deadlines of others' bytes) and 21 (one letter for each
receiver, redone after a crash).
"""

from __future__ import annotations

import asyncio

from uhi.exchange.deliveries import Deliveries
from uhi.exchange.parties import ttl_end
from uhi.exchange.receive import Received
from uhi.exchange.row_ids import new_row_id
from uhi.exchange.send import FirstRound
from uhi.ports import Change, Letter
from uhi.subscribers import Subscriber

_AT_A_TIME = 50


async def fan_out(received: Received, members: tuple[Subscriber, ...], deliveries: Deliveries) -> None:
    """Store and send one letter for each member; one header serves them all. The last few end the message."""
    message = received.message
    way_out = deliveries.way_out
    now = way_out.clock.now()
    first = FirstRound(way_out.stamps.unseen(message.digest, now=now), now + way_out.stamps.signer.profile.lifetime / 2)
    deadline = relay_deadline(received)
    for start in range(0, len(members), _AT_A_TIME):
        # The ACK goes before the first of them, and whoever else waits for this loop before each next few.
        await asyncio.sleep(0)
        letters = tuple(_letter(received, member, now, deadline) for member in members[start : start + _AT_A_TIME])
        is_last = start + _AT_A_TIME >= len(members)
        await deliveries.finish(Change(finishes=received.row if is_last else "", letters=letters), first=first)


def relay_deadline(received: Received) -> float:
    """Until when others' bytes may be passed on: their ttl and their sender's signature."""
    message = received.message
    ends = ttl_end(message.context, message.received_at)
    return float(message.expires) if ends is None else min(ends, message.expires)


def _letter(received: Received, member: Subscriber, now: float, deadline: float) -> Letter:
    message, urgency = received.message, received.leg.urgency
    return Letter(
        id=new_row_id(now),
        to=member,
        path=received.leg.path,
        body=message.raw,
        digest=message.digest,
        transaction_id=message.thread.transaction_id,
        message_id=message.context.message_id,
        not_before=now,
        deadline=deadline,
        is_relayed=True,
        priority=urgency.priority,
        cause=received.row,
        kept=message.authorization,
    )

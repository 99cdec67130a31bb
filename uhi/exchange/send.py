"""The one door out: signs, posts, reads the answer, tries again until a parcel is delivered, refused or too late.

Decisions are in `retry`; time, network and log are ports. Every attempt is signed anew and written to the call log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from uhi.errors import DeliveryError
from uhi.exchange.lanes import Lanes
from uhi.exchange.retry import DISCOVERY, EXPIRED, Attempted, Progress, Schedule, Verdict, next_pause, read_reply
from uhi.exchange.stamps import Stamps
from uhi.ports import CallLog, Clock, Direction, Hop, Reply, Transport
from uhi.subscribers import Subscriber

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 10.0
DISCOVERY_SECONDS = 3.0
SHORTEST_ATTEMPT = 0.5
SENDERS_HEADER = "Authorization"
GATEWAYS_HEADER = "X-Gateway-Authorization"


@dataclass(frozen=True, slots=True)
class Exit:
    """All that stands behind the door out: who we are, how we sign, and the world."""

    me: Subscriber
    stamps: Stamps
    transport: Transport
    clock: Clock
    log: CallLog
    lanes: Lanes = field(default_factory=Lanes)
    random: Random = field(default_factory=Random)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A body on its way to one subscriber. The bytes are final; `digest` is their base64 BLAKE2b-512.

    `deadline` is Unix seconds. `header_name` is where our signature goes, `kept` what else travels along (a relay keeps
    the sender's `Authorization`), `first_header` a signature made once for many receivers, for those whose turn comes
    by `first_until`.
    """

    to: Subscriber
    path: str
    body: bytes = field(repr=False)
    digest: str
    transaction_id: str
    message_id: str
    schedule: Schedule
    deadline: float
    header_name: str = SENDERS_HEADER
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    first_header: str = field(default="", repr=False)
    first_until: float = 0.0


async def deliver(parcel: Parcel, way_out: Exit) -> Attempted:
    """Hand a parcel over: attempt, decide, pause, attempt again. Returns how the last attempt ended."""
    attempts = signed_again = 0
    while True:
        attempts += 1
        attempted = await _attempt(parcel, way_out, attempts)
        progress = Progress(attempts, parcel.deadline, way_out.clock.now(), signed_again)
        pause = next_pause(attempted, parcel.schedule, progress, way_out.random)
        if pause is None:
            _report(parcel, attempted, attempts)
            return attempted
        signed_again += attempted.verdict is Verdict.SIGN_AGAIN
        if pause:
            await way_out.clock.sleep(pause)


async def _attempt(parcel: Parcel, way_out: Exit, attempt: int) -> Attempted:
    async with way_out.lanes.to(parcel.to.id):
        started = way_out.clock.now()
        if started > parcel.deadline:
            attempted, detail = EXPIRED, ""
        else:
            reply, detail = await _post(parcel, way_out, _headers(parcel, way_out, started, attempt))
            attempted = read_reply(reply)
            way_out.lanes.heard(parcel.to.id, answered=reply is not None)
    way_out.log.write(
        Hop(
            at=started,
            direction=Direction.OUT,
            sender=way_out.me.id,
            receiver=parcel.to.id,
            action=parcel.path,
            transaction_id=parcel.transaction_id,
            message_id=parcel.message_id,
            outcome=attempted.outcome,
            status=attempted.status,
            ms=(way_out.clock.now() - started) * 1_000,
            attempt=attempt,
            detail=detail,
        )
    )
    return attempted


async def _post(parcel: Parcel, way_out: Exit, headers: Mapping[str, str]) -> tuple[Reply | None, str]:
    left = parcel.deadline - way_out.clock.now()
    # A hospital that hangs must not keep a place for the whole life of a search.
    longest = DISCOVERY_SECONDS if parcel.schedule is DISCOVERY else ATTEMPT_SECONDS
    try:
        reply = await way_out.transport.post(
            f"{parcel.to.url}/{parcel.path}",
            body=parcel.body,
            headers=headers,
            timeout=min(longest, max(left, SHORTEST_ATTEMPT)),
        )
    except DeliveryError as error:
        return None, str(error)
    return reply, ""


def _headers(parcel: Parcel, way_out: Exit, now: float, attempt: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Digest": f"BLAKE-512={parcel.digest}",
        **parcel.kept,
        parcel.header_name: _signature(parcel, way_out.stamps, now, attempt),
    }


def _signature(parcel: Parcel, stamps: Stamps, now: float, attempt: int) -> str:
    if not parcel.first_header:
        return stamps.unseen(parcel.digest, now=now)
    if attempt == 1 and now <= parcel.first_until:
        return parcel.first_header
    return stamps.header(parcel.digest, receiver=parcel.to.id, now=now)


def _report(parcel: Parcel, attempted: Attempted, attempts: int) -> None:
    """What was not delivered and is not tried again must not vanish: one line for the operator."""
    if attempted.verdict is not Verdict.DELIVERED:
        log.warning(
            "%s was not delivered to %s: %s after %d attempts",
            parcel.path,
            parcel.to.id,
            attempted.outcome,
            attempts,
            extra={"transaction_id": parcel.transaction_id, "message_id": parcel.message_id},
        )


def check_delivered(attempted: Attempted, parcel: Parcel) -> None:
    """Turn an attempt that did not deliver into an error for whoever waits for it.

    Raises: DeliveryError with the peer's status and code.
    """
    if attempted.verdict is Verdict.DELIVERED:
        return
    raise DeliveryError(
        f"{parcel.to.id} did not take {parcel.path}",
        got=f"{attempted.outcome} {attempted.code}".strip(),
        expected="ACK",
        next_step="see the call log of both sides",
        status=attempted.status or None,
        code=attempted.code,
    )

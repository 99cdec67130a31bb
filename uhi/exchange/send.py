"""The one door out: signs a letter, posts it, reads the answer; one attempt at a time.

What follows from an attempt is decided in `retry` and remembered by `deliveries`. Time, network and log are ports;
every attempt is written to the call log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from uhi.errors import DeliveryError
from uhi.exchange.breakers import Breakers, RetryBudget
from uhi.exchange.clock_offset import ClockOffset
from uhi.exchange.lanes import Lanes
from uhi.exchange.retry import EXPIRED, Attempted, read_reply
from uhi.exchange.stamps import Stamps
from uhi.ports import CallLog, Clock, Direction, Ending, Hop, Letter, LetterState, Registry, Reply, Transport
from uhi.subscribers import Subscriber

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 10.0
DISCOVERY_SECONDS = 3.0
SHORTEST_ATTEMPT = 0.5
SENDERS_HEADER = "Authorization"
GATEWAYS_HEADER = "X-Gateway-Authorization"


@dataclass(frozen=True, slots=True)
class Exit:
    """All that stands behind the door out: who we are, how we sign, whether our clock is fit for it, and the world."""

    me: Subscriber
    stamps: Stamps
    transport: Transport
    registry: Registry
    clock: Clock
    log: CallLog
    breakers: Breakers = field(default_factory=Breakers)
    budget: RetryBudget = field(default_factory=RetryBudget)
    random: Random = field(default_factory=Random)
    clock_offset: ClockOffset | None = None
    lanes: Lanes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lanes", Lanes(self.breakers.places))


@dataclass(frozen=True, slots=True)
class FirstRound:
    """A signature made once for the first attempts of many letters with one body, for those whose turn comes by
    `until` (Unix seconds)."""

    header: str = field(repr=False)
    until: float


async def attempt(letter: Letter, way_out: Exit, first: FirstRound | None = None) -> Attempted:
    """Sign a letter and post it once; a letter past its deadline is not posted any more."""
    started = way_out.clock.now()
    if started > letter.deadline:
        attempted, detail = EXPIRED, ""
    else:
        reply, detail = await _post(letter, way_out, _headers(letter, way_out, started, first))
        attempted = read_reply(reply)
    way_out.log.write(
        Hop(
            at=started,
            direction=Direction.OUT,
            sender=way_out.me.id,
            receiver=letter.to.id,
            action=letter.path,
            transaction_id=letter.transaction_id,
            message_id=letter.message_id,
            outcome=attempted.outcome,
            status=attempted.status,
            ms=(way_out.clock.now() - started) * 1_000,
            attempt=letter.attempts + 1,
            detail=detail,
        )
    )
    return attempted


async def _post(letter: Letter, way_out: Exit, headers: Mapping[str, str]) -> tuple[Reply | None, str]:
    left = letter.deadline - way_out.clock.now()
    # A hospital that hangs must not keep a place for the whole life of a search.
    longest = ATTEMPT_SECONDS if letter.is_critical else DISCOVERY_SECONDS
    try:
        reply = await way_out.transport.post(
            f"{letter.to.url}/{letter.path}",
            body=letter.body,
            headers=headers,
            timeout=min(longest, max(left, SHORTEST_ATTEMPT)),
        )
    except DeliveryError as error:
        return None, str(error)
    return reply, ""


def _headers(letter: Letter, way_out: Exit, now: float, first: FirstRound | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Digest": f"BLAKE-512={letter.digest}"}
    signature = _signature(letter, way_out.stamps, now, first)
    if not letter.is_relayed:
        headers[SENDERS_HEADER] = signature
        return headers
    if letter.kept:
        headers[SENDERS_HEADER] = letter.kept
    headers[GATEWAYS_HEADER] = signature
    return headers


def _signature(letter: Letter, stamps: Stamps, now: float, first: FirstRound | None) -> str:
    if not letter.is_relayed:
        return stamps.unseen(letter.digest, now=now)
    if first is not None and letter.attempts == 0 and now <= first.until:
        return first.header
    return stamps.header(letter.digest, receiver=letter.to.id, now=now)


def report(ending: Ending) -> None:
    """What was not delivered and is not tried again must not vanish: one line for the operator."""
    letter = ending.letter
    if ending.state.is_end and ending.state is not LetterState.DELIVERED:
        log.log(
            logging.ERROR if ending.state is LetterState.DEAD else logging.WARNING,
            "%s was not delivered to %s: %s after %d attempts",
            letter.path,
            letter.to.id,
            ending.outcome,
            letter.attempts + 1,
            extra={"transaction_id": letter.transaction_id, "message_id": letter.message_id},
        )


def not_delivered(ending: Ending) -> DeliveryError:
    """The end of a letter that did not deliver it, as an error for whoever waits for it."""
    letter = ending.letter
    return DeliveryError(
        f"{letter.to.id} did not take {letter.path}",
        got=f"{ending.outcome} {ending.code}".strip(),
        expected="ACK",
        next_step="see the call log of both sides",
        status=ending.status or None,
        code=ending.code,
    )

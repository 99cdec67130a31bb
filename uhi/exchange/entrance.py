"""What a server is in front of: takes a POST, answers ACK or NACK, and starts the work only after the decision.

One of the places where any exception is caught: the peer gets a coded answer, the operator one line, nobody a
traceback. Above: servers; below: `receive`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from traceback import extract_tb

from uhi.errors import INTERNAL, OVERLOADED, Refusal, Resend
from uhi.exchange.receive import Door, Received, Repeated, receive
from uhi.messages.receipt import ACK, nack
from uhi.ports import CallLog, Clock, Direction, Hop, Inbound, Reply

log = logging.getLogger(__name__)

JSON = {"Content-Type": "application/json"}
_ACK = Reply(200, JSON, ACK)
_LONGEST_DETAIL = 1_000


@dataclass(frozen=True, slots=True)
class Manners:
    """How refusals are put. `realm` is our subscriber id; `always_200` answers a NACK with HTTP 200, as NHA's peers
    expect, unless sending again later helps."""

    realm: str
    always_200: bool = False


def nack_reply(refusal: Refusal, manners: Manners) -> Reply:
    """The HTTP answer for a refusal: status, challenge, Retry-After and NACK body. Only fixed sentences, no input."""
    fault = refusal.fault
    headers = dict(JSON)
    if fault.status == 401:
        name = "Proxy-Authenticate" if refusal.gateway_header else "WWW-Authenticate"
        headers[name] = f'Signature realm="{manners.realm}",headers="(created) (expires) digest"'
    if refusal.retry_after is not None or fault.status in (429, 503):
        headers["Retry-After"] = str(refusal.retry_after or 1)
    status = 200 if manners.always_200 and fault.resend is not Resend.LATER else fault.status
    return Reply(status, headers, nack(fault, refusal.path))


def unforeseen(error: Exception) -> Refusal:
    """An error nobody planned for, as a refusal that names its type and place and quotes nothing."""
    frames = extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
    return Refusal(INTERNAL, f"unforeseen {type(error).__name__} at {place}", next_step="report it as a bug")


@dataclass(frozen=True, slots=True)
class Ledger:
    """How an entrance puts down what came: one hop in the call log, and one line of `lines` for what it refuses."""

    manners: Manners
    log: CallLog
    clock: Clock
    lines: logging.Logger

    def refused(self, refusal: Refusal, inbound: Inbound, started: float) -> Reply:
        """Write a refusal down; returns its answer. `started` is Unix seconds."""
        self.write(inbound, started, refusal.about, refusal)
        self.lines.log(
            logging.ERROR if refusal.fault is INTERNAL else logging.WARNING,
            "refused: %s",
            refusal,
            extra={
                "path": inbound.path[:64],
                "sender": refusal.about[0],
                "address": inbound.address,
                "error_type": refusal.fault.type,
                "http_status": refusal.fault.status,
            },
        )
        return nack_reply(refusal, self.manners)

    def write(self, inbound: Inbound, started: float, about: tuple[str, str, str], outcome: str | Refusal) -> None:
        """Write a hop; `about` is the sender, the transaction and the message id."""
        sender, transaction_id, message_id = about
        refusal = outcome if isinstance(outcome, Refusal) else None
        self.log.write(
            Hop(
                at=started,
                direction=Direction.IN,
                sender=sender,
                receiver=self.manners.realm,
                action=inbound.path[:64],
                transaction_id=transaction_id,
                message_id=message_id,
                outcome=refusal.fault.type if refusal else str(outcome),
                status=refusal.fault.status if refusal else 200,
                ms=(self.clock.now() - started) * 1_000,
                detail=str(refusal or "")[:_LONGEST_DETAIL],
            )
        )


@dataclass(slots=True)
class DoorEntrance:
    """The entrance of a participant or a gateway: one door, and what happens with what comes through it."""

    door: Door
    start: Callable[[Received], None]
    log: CallLog
    manners: Manners
    is_full: Callable[[], bool] = lambda: False
    is_open: bool = field(default=True)
    _ledger: Ledger = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.manners, self.log, self.door.trust.clock, log)

    @property
    def paths(self) -> Mapping[str, int]:
        """The paths served, with the most bytes of a body."""
        return self.door.legs.paths

    async def take(self, inbound: Inbound) -> Reply:
        """Decide on one message; see `uhi.ports.Entrance`."""
        started = self.door.trust.clock.now()
        try:
            if not self.is_open:
                raise Refusal(OVERLOADED, "stopping; not accepting messages", next_step="send again in a moment")
            if self.is_full():
                raise Refusal(OVERLOADED, "too much is under way", next_step="send again in a moment")
            received = await receive(inbound, self.door)
            if isinstance(received, Received):
                self.start(received)
            outcome = "repeated" if isinstance(received, Repeated) else "ACK"
            self._ledger.write(inbound, started, _about(received), outcome)
        except Refusal as refusal:
            return self._ledger.refused(refusal, inbound, started)
        except Exception as error:
            return self._ledger.refused(unforeseen(error), inbound, started)
        return _ACK

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for what a server refuses itself; see `uhi.ports.Entrance`."""
        return self._ledger.refused(refusal, Inbound(path, {}, b""), self.door.trust.clock.now())


def _about(received: Received | Repeated) -> tuple[str, str, str]:
    if isinstance(received, Repeated):
        context = received.context
        return received.sender.id, context.transaction_id or "", context.message_id
    message = received.message
    return message.sender.id, message.thread.transaction_id, message.context.message_id

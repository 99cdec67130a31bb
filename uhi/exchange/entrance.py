"""What a server is in front of: takes a POST, answers ACK or NACK, and starts the work only after the decision.

One of the places where any exception is caught: the peer gets a coded answer, the operator one line, nobody a
traceback. Above: servers; below: `receive`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from traceback import extract_tb

from uhi.errors import Refusal
from uhi.exchange.credentials import is_forwarded
from uhi.exchange.opened import check_head
from uhi.exchange.receive import Door, Received, Repeated, receive
from uhi.faults import INTERNAL, OVERLOADED, Resend
from uhi.messages.receipt import ACK, nack
from uhi.ports import CallLog, Clock, Description, Direction, Hop, Inbound, Reply

log = logging.getLogger(__name__)

JSON = {"Content-Type": "application/json"}
_ACK = Reply(200, JSON, ACK)
_LONGEST_DETAIL = 1_000
NOTHING_SAID = Description()


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


def unforeseen(error: BaseException) -> Refusal:
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

    def write(
        self,
        inbound: Inbound,
        started: float,
        about: tuple[str, str, str],
        outcome: str | Refusal,
        said: Description = NOTHING_SAID,
    ) -> None:
        """Write a hop; `about` is the sender, the transaction and the message id, `said` what the message tells."""
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
                consumer_url=said.consumer_url,
                category=said.category,
                stage=said.stage,
                address=inbound.address,
            )
        )


@dataclass(slots=True)
class DoorEntrance:
    """The entrance of a participant or a gateway: one door, and what happens with what comes through it.

    `check_room` refuses what there is no room for, by path, before anything is read. `described` adds to the call log
    what a gateway knows of a message.
    """

    door: Door
    start: Callable[[Received], None]
    log: CallLog
    manners: Manners
    check_room: Callable[[str], None] = lambda path: None
    described: Callable[[Received], Description] = lambda received: NOTHING_SAID
    is_open: bool = field(default=True)
    _taking: int = field(default=0, init=False)
    _none: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _ledger: Ledger = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.manners, self.log, self.door.trust.clock, log)

    @property
    def paths(self) -> Mapping[str, int]:
        """The paths served, with the most bytes of a body."""
        return self.door.legs.paths

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """Refuse what can be refused before the body is there; see `uhi.ports.Entrance`."""
        started = self.door.trust.clock.now()
        try:
            self._check_open(inbound.path)
            leg = self.door.legs.at(inbound.path, forwarded=is_forwarded(inbound))[0]
            await check_head(inbound, leg, self.door.trust, size=size)
        except Refusal as refusal:
            return self._ledger.refused(refusal, inbound, started)
        except Exception as error:
            return self._ledger.refused(unforeseen(error), inbound, started)
        return None

    async def take(self, inbound: Inbound) -> Reply:
        """Decide on one message; see `uhi.ports.Entrance`."""
        self._taking += 1
        try:
            return await self._take(inbound)
        finally:
            self._taking -= 1
            self._none.set()

    async def close(self) -> None:
        """Take no more messages; returns when all that were being decided on are."""
        self.is_open = False
        while self._taking:
            self._none.clear()
            await self._none.wait()

    async def _take(self, inbound: Inbound) -> Reply:
        started = self.door.trust.clock.now()
        try:
            self._check_open(inbound.path)
            received = await receive(inbound, self.door)
            if isinstance(received, Received):
                self.start(received)
                self._ledger.write(inbound, started, _about(received), "ACK", self.described(received))
            else:
                self._ledger.write(inbound, started, _about(received), "repeated")
        except Refusal as refusal:
            return self._ledger.refused(refusal, inbound, started)
        except Exception as error:
            return self._ledger.refused(unforeseen(error), inbound, started)
        return _ACK

    def _check_open(self, path: str) -> None:
        if not self.is_open:
            raise Refusal(OVERLOADED, "stopping; not accepting messages", next_step="send again in a moment")
        self.check_room(path)

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for what a server refuses itself; see `uhi.ports.Entrance`."""
        return self._ledger.refused(refusal, Inbound(path, {}, b""), self.door.trust.clock.now())


def _about(received: Received | Repeated) -> tuple[str, str, str]:
    if isinstance(received, Repeated):
        context = received.context
        return received.sender.id, context.transaction_id or "", context.message_id
    message = received.message
    return message.sender.id, message.thread.transaction_id, message.context.message_id

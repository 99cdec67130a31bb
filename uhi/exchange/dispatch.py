"""What we say, put on its way: questions, callbacks, news, and the audit copies of what an appointment's fate hangs on.

Composes once, addresses by the registry's entries, and leaves the rest to `Deliveries`. An audit copy is the very bytes
of the callback, sent a second time to the gateway. Source: UHI guide 2.1 (audit), decisions 13 and 19.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from uhi.actions import Decline
from uhi.errors import SetupError
from uhi.exchange.compose import Heading, compose, compose_decline
from uhi.exchange.deliveries import Deliveries, Ended
from uhi.exchange.legs import AnyLeg
from uhi.exchange.parties import ttl_end
from uhi.exchange.retry import CRITICAL_LIFE, DISCOVERY, Schedule, schedule_of
from uhi.exchange.send import Parcel
from uhi.messages.wire import Wire
from uhi.signing import body_digest
from uhi.subscribers import Subscriber
from uhi.verified import Thread, Verified

DISCOVERY_LIFE = 30.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message of ours: which leg, in which conversation, to whom.

    `counterpart` is None for a search addressed to everybody. `until` is the delivery's deadline in Unix seconds, None
    for the leg's own. `via` is the gateway to use in place of the one that is set.
    """

    leg: AnyLeg
    thread: Thread
    message_id: str
    counterpart: Subscriber | None = None
    until: float | None = None
    via: Subscriber | None = None


def new_id() -> str:
    """A fresh message or transaction id: a UUID, as UHI documents."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The sending half of a participant. `gateway` is where forwarded legs and audit copies go, None without one;
    `city` is written where the other side left it out, as UHI's own samples do."""

    me: Subscriber
    gateway: Subscriber | None
    audited_domains: frozenset[str]
    deliveries: Deliveries
    city: str = ""

    def send(self, outgoing: Outgoing, message: Wire | Decline, *, ended: Ended | None = None) -> None:
        """Compose a message and start its delivery, and that of its audit copy where the leg has one.

        `ended` is told how the last attempt to deliver the message itself went.
        Raises: IncompleteMessage; SetupError where it goes through a gateway and none is set.
        """
        now = self.deliveries.way_out.clock.now()
        thread = outgoing.thread if outgoing.thread.city else replace(outgoing.thread, city=self.city)
        heading = Heading(outgoing.leg, thread, outgoing.message_id, self.me, outgoing.counterpart, now)
        body = compose_decline(heading, message) if isinstance(message, Decline) else compose(heading, message)
        # A plain no changes nothing; only what tells an order's state is worth three days.
        is_plain_no = isinstance(message, Decline) and message.message is None
        parcel = self._parcel(outgoing, body, now, DISCOVERY if is_plain_no else schedule_of(outgoing.leg.name))
        self.deliveries.start(parcel, ended=ended)
        if outgoing.leg.audit and not is_plain_no:
            self._copy(outgoing, parcel)

    def answer(self, leg: AnyLeg, request: Verified[Wire], answer: Wire | Decline) -> None:
        """Send a handler's answer to whoever asked, by the way the question came.

        Raises: IncompleteMessage.
        """
        self.send(
            Outgoing(
                leg=leg,
                thread=request.thread,
                message_id=request.context.message_id,
                counterpart=request.sender,
                until=ttl_end(request.context, request.received_at),
                via=request.via,
            ),
            answer,
        )

    def _parcel(self, outgoing: Outgoing, body: bytes, now: float, schedule: Schedule) -> Parcel:
        until = now + DISCOVERY_LIFE if outgoing.until is None else outgoing.until
        return Parcel(
            to=self._destination(outgoing),
            path=outgoing.leg.path,
            body=body,
            digest=body_digest(body),
            transaction_id=outgoing.thread.transaction_id,
            message_id=outgoing.message_id,
            schedule=schedule,
            deadline=until if schedule is DISCOVERY else now + CRITICAL_LIFE,
        )

    def _destination(self, outgoing: Outgoing) -> Subscriber:
        to = (outgoing.via or self.gateway) if outgoing.leg.forwarded else outgoing.counterpart
        if to is None:
            raise SetupError(
                f"{outgoing.leg.name} has nowhere to go",
                got="no gateway" if outgoing.leg.forwarded else "no counterpart",
                expected="a gateway address for searches, a provider for everything else",
                next_step="set UHI_GATEWAY_URL, or pass the thread of an answer",
            )
        return to

    def _copy(self, outgoing: Outgoing, parcel: Parcel) -> None:
        if self.gateway is None or outgoing.thread.domain not in self.audited_domains:
            return
        self.deliveries.start(
            Parcel(
                to=self.gateway,
                path=outgoing.leg.audit,
                body=parcel.body,
                digest=parcel.digest,
                transaction_id=parcel.transaction_id,
                message_id=parcel.message_id,
                schedule=parcel.schedule,
                deadline=parcel.deadline,
            )
        )

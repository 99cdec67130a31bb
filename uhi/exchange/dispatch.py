"""What we say, as letters: questions, callbacks, news, and the audit copies of what an appointment's fate hangs on.

Composes once and addresses by the registry's entries; storing and sending is the business of `Deliveries`. An audit
copy is the very bytes of the callback, sent a second time to the gateway. Source: UHI guide 2.1 (audit), decisions 13
and 19.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from uhi.actions import Decline, Urgency
from uhi.errors import SetupError
from uhi.exchange.compose import Heading, compose, compose_decline
from uhi.exchange.legs import AnyLeg
from uhi.exchange.parties import ttl_end
from uhi.exchange.retry import CRITICAL_LIFE, DISCOVERY_LIFE
from uhi.exchange.row_ids import new_row_id
from uhi.messages.tags import TELECONSULTATION_URI
from uhi.messages.values import ONLINE, Fulfillment, tag
from uhi.messages.wire import Wire
from uhi.ports import Letter
from uhi.signing import body_digest
from uhi.subscribers import Role, Subscriber
from uhi.verified import Thread, Verified


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message of ours: which leg, in which conversation, to whom.

    `counterpart` is None for a search addressed to everybody. `until` is the delivery's deadline in Unix seconds, None
    for the leg's own. `via` is the gateway to use in place of the one that is set. `cause` is the journal's id of the
    message it answers.
    """

    leg: AnyLeg
    thread: Thread
    message_id: str
    counterpart: Subscriber | None = None
    until: float | None = None
    via: Subscriber | None = None
    cause: str = ""


def new_id() -> str:
    """A fresh message or transaction id: a UUID, as UHI documents."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The writing half of a participant. `gateway` is where forwarded legs and audit copies go, None without one;
    `city` is written where the other side left it out, as UHI's own samples do."""

    me: Subscriber
    gateway: Subscriber | None
    audited_domains: frozenset[str]
    city: str = ""

    def letters(self, outgoing: Outgoing, message: Wire | Decline, *, now: float) -> tuple[Letter, ...]:
        """Compose a message: its letter, and that of its audit copy where the leg has one; `now` is Unix seconds.

        Raises: IncompleteMessage; SetupError where it goes through a gateway and none is set.
        """
        thread = outgoing.thread if outgoing.thread.city else replace(outgoing.thread, city=self.city)
        heading = Heading(outgoing.leg, thread, outgoing.message_id, self.me, outgoing.counterpart, now)
        body = compose_decline(heading, message) if isinstance(message, Decline) else compose(heading, message)
        # A plain no changes nothing; only what tells an order's state is worth three days.
        is_plain_no = isinstance(message, Decline) and message.message is None
        urgency = Urgency.OFFER if is_plain_no else outgoing.leg.urgency
        letter = self._letter(outgoing, body, now, urgency)
        order = _order_of(message)
        is_secret = shows_secrets(order)
        letter = replace(letter, order_id=str(getattr(order, "id", None) or ""), is_secret=is_secret)
        if not outgoing.leg.audit or is_plain_no or self.gateway is None:
            return (letter,)
        if outgoing.thread.domain not in self.audited_domains or _kind_of(order) == ONLINE:
            return (letter,)
        copy = replace(letter, id=new_row_id(now), to=self.gateway, path=outgoing.leg.audit)
        # A copy never goes before an order.
        return letter, replace(copy, line=_line(copy), priority=Urgency.SEARCH.priority)

    def answer(
        self, leg: AnyLeg, request: Verified[Wire], answer: Wire | Decline, *, row: str, now: float
    ) -> tuple[Letter, ...]:
        """A handler's answer to whoever asked, by the way the question came; `row` is the question's in the journal.

        Raises: IncompleteMessage.
        """
        outgoing = Outgoing(
            leg=leg,
            thread=request.thread,
            message_id=request.context.message_id,
            counterpart=request.sender,
            until=ttl_end(request.context, request.received_at),
            via=request.via,
            cause=row,
        )
        return self.letters(outgoing, answer, now=now)

    def _letter(self, outgoing: Outgoing, body: bytes, now: float, urgency: Urgency) -> Letter:
        until = now + DISCOVERY_LIFE if outgoing.until is None else outgoing.until
        letter = Letter(
            id=new_row_id(now),
            to=self._destination(outgoing),
            path=outgoing.leg.path,
            body=body,
            digest=body_digest(body),
            transaction_id=outgoing.thread.transaction_id,
            message_id=outgoing.message_id,
            not_before=now,
            deadline=now + CRITICAL_LIFE if urgency.is_critical else until,
            is_critical=urgency.is_critical,
            priority=urgency.priority,
            cause=outgoing.cause,
        )
        return replace(letter, line=_line(letter))

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


def _line(letter: Letter) -> str:
    """News of an order must not overtake one another; a search may be answered in any order."""
    if not letter.is_critical or letter.to.role is Role.REGISTRY:
        return ""
    return f"{letter.to.id} {letter.transaction_id}"


def shows_secrets(order: object) -> bool:
    """Whether an order shows a PIN, or the link to a call: its body is kept no longer than it takes to deal with it."""
    fulfillment = getattr(order, "fulfillment", None)
    tags = fulfillment.tags if isinstance(fulfillment, Fulfillment) else None
    return getattr(order, "authorization", None) is not None or tag(tags, TELECONSULTATION_URI) is not None


def _kind_of(order: object) -> str | None:
    """The kind of consultation: UHI has audit copies for those at a facility only."""
    fulfillment = getattr(order, "fulfillment", None)
    return fulfillment.kind if isinstance(fulfillment, Fulfillment) else None


def _order_of(message: Wire | Decline) -> object:
    """The order a message is about, which may show a PIN."""
    return getattr(message.message if isinstance(message, Decline) else message, "order", None)

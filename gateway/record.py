"""What a gateway writes down of a message beside who, when and outcome: consumer's address, category, stage.

Pure. Never a name, never a patient's own words: the category is made of words of ours alone. Above: `gateway.app`.
Source: FRS BR-008.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.relays import RELAYED_ON_SEARCH, RELAYED_SEARCH, RelayedSearch
from gateway.specialities import known_word
from uhi.exchange.receive import Received
from uhi.messages import OnCancelAudit, OnConfirmAudit, OnStatusAudit, OnUpdateAudit
from uhi.messages.values import ONLINE, PHYSICAL, Fulfillment
from uhi.messages.wire import Wire
from uhi.observability.timeline import NOTED, Stage
from uhi.ports import Description, Direction, Hop
from uhi.subscribers import Role
from uhi.verified import Declined, Verified

OTHER = "other"
"""The category of a search for something that has no word of ours."""

_LONGEST_DOMAIN = 64
_AUDIT_COPIES = (OnConfirmAudit, OnStatusAudit, OnUpdateAudit, OnCancelAudit)
_STAGES = {
    "CONFIRMED": Stage.CONFIRMED,
    "BOOKED": Stage.CONFIRMED,
    "FAILED": Stage.FAILED,
    "APPOINTMENT_STARTED": Stage.RENDERED,
    "COMPLETED": Stage.RENDERED,
    "CANCELLED": Stage.CANCELLED,
    "NO_SHOW": Stage.MISSED,
    "DOCTOR_NO_SHOW": Stage.MISSED,
}


def describe(received: Received) -> Description:
    """What the hop of an accepted message tells beside the rest."""
    message, leg = received.message, received.leg
    if leg is RELAYED_SEARCH:
        return of_search(message)
    if leg is RELAYED_ON_SEARCH:
        return of_on_search(message)
    return Description(stage=of_audit_copy(message))


def stage_hop(received: Received, *, gateway_id: str, now: float) -> Hop:
    """What an audit copy says, as a hop to be written down together with the end of its row in the journal.

    Its outcome is `noted`: the hop that tells that the copy came is another one. `now` is Unix seconds.
    """
    message = received.message
    return Hop(
        at=message.received_at,
        direction=Direction.IN,
        sender=message.sender.id,
        receiver=gateway_id,
        action=received.leg.path,
        transaction_id=message.thread.transaction_id,
        message_id=message.context.message_id,
        outcome=NOTED,
        status=200,
        ms=max(0.0, now - message.received_at) * 1_000,
        stage=of_audit_copy(message),
    )


def of_search(message: Verified[Wire] | Declined) -> Description:
    """A search: the registered address of who searches, and what for."""
    asked = message.message if isinstance(message, Verified) else None
    intent = asked.intent if isinstance(asked, RelayedSearch) else {}
    return Description(message.sender.url, category_of(message.thread.domain, intent), Stage.REQUESTED)


def of_on_search(message: Verified[Wire] | Declined) -> Description:
    """An answer to a search: the registered address of who gets it."""
    audience = message.admission.audience.members
    consumer = next((member.url for member in audience if member.role is Role.CONSUMER), "")
    return Description(consumer, stage=Stage.RESPONDED)


def of_audit_copy(message: Verified[Wire] | Declined) -> str:
    """The stage that the order of an audit copy has reached; empty where its state tells none."""
    copied = message.message if isinstance(message, Verified) else None
    if not isinstance(copied, _AUDIT_COPIES):
        return ""
    return _STAGES.get((copied.order.state or "").upper(), "")


def category_of(domain: str, intent: Mapping[str, object]) -> str:
    """What a search is for, as `nic2004:85111 Physical CARDIOLOGY`: domain, kind of consultation, speciality or item.

    A kind or a speciality without a word of ours is `other`; what is not named is left out. Free text, names and places
    of the intent are not looked at.
    """
    parts = (_domain(domain), _kind(intent), _subject(intent))
    return " ".join(part for part in parts if part)


def _domain(text: str) -> str:
    is_plain = len(text) <= _LONGEST_DOMAIN and text.isascii() and text.isprintable() and " " not in text
    return text if is_plain else OTHER


def _kind(intent: Mapping[str, object]) -> str:
    told = _text(_inner(intent, "fulfillment"), "type")
    if not told or told in (ONLINE, PHYSICAL):
        return told
    kind = Fulfillment(type=told).kind
    return kind if kind in (ONLINE, PHYSICAL) else OTHER


def _subject(intent: Mapping[str, object]) -> str:
    """The speciality, else the item, each by its code or its name."""
    for member in ("category", "item"):
        descriptor = _inner(_inner(intent, member), "descriptor")
        texts = [text for name in ("code", "name") if (text := _text(descriptor, name))]
        if texts:
            return next((word for word in map(known_word, texts) if word), OTHER)
    return ""


def _inner(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(value: Mapping[str, object], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""

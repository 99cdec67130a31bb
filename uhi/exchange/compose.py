"""Makes the bytes of a message we send: context, message, once, strictly.

Pure: the clock's time is an argument. What the protocol requires and is missing is an `IncompleteMessage`, before
anything leaves. Source: UHI context table and required fields (spec 2.0.2, core 0.7.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from uhi import strict_json
from uhi.actions import Decline
from uhi.errors import IncompleteMessage
from uhi.exchange.legs import AnyLeg
from uhi.messages.required import missing
from uhi.messages.times import utc_time
from uhi.messages.wire import Wire, emit
from uhi.subscribers import Role, Subscriber
from uhi.verified import Thread

CORE_VERSION = "0.7.1"
COUNTRY = "IND"

_MOST_NAMED = 10
"""How many missing fields an error names: a long catalogue may lack thousands."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Who says what to whom, when: everything of the context that is not the message.

    `counterpart` is the other party, None for a search addressed to everybody; `now` is Unix seconds.
    """

    leg: AnyLeg
    thread: Thread
    message_id: str
    me: Subscriber
    counterpart: Subscriber | None
    now: float


def compose(heading: Heading, message: Wire) -> bytes:
    """The body of a message: serialised once, these bytes are signed and sent.

    Raises: IncompleteMessage naming the fields the protocol requires and the message lacks.
    """
    return _write(heading, {"context": _context(heading), "message": emit(message)})


def compose_decline(heading: Heading, decline: Decline) -> bytes:
    """The body of a callback that says no: an `error` in place of the message, or beside the message it brings.

    Raises: IncompleteMessage naming the fields the protocol requires and that message lacks.
    """
    error = {
        "type": "DOMAIN-ERROR",
        "code": decline.outcome.code,
        "message": decline.text or decline.outcome.sentence,
    }
    body: dict[str, object] = {"context": _context(heading), "error": error}
    if decline.message is None:
        return _bytes(heading, body)
    return _write(heading, {**body, "message": emit(decline.message)})


def _write(heading: Heading, body: dict[str, object]) -> bytes:
    absent = missing(heading.leg.name, body)
    if absent:
        more = f" and {len(absent) - _MOST_NAMED} more" if len(absent) > _MOST_NAMED else ""
        raise IncompleteMessage(
            f"{heading.leg.name} cannot be sent",
            got=f"no {', '.join(absent[:_MOST_NAMED])}{more}",
            expected="every field the protocol requires",
            next_step="fill them and send again",
        )
    return _bytes(heading, body)


def _bytes(heading: Heading, body: dict[str, object]) -> bytes:
    try:
        return strict_json.write(body)
    except TypeError:
        raise IncompleteMessage(
            f"{heading.leg.name} cannot be sent", got="a value that JSON cannot hold", expected="text, numbers, objects"
        ) from None


def _context(heading: Heading) -> dict[str, object]:
    thread = heading.thread
    context: dict[str, object] = {
        "domain": thread.domain,
        "country": COUNTRY,
        "city": thread.city,
        "action": heading.leg.accepts[0],
        "core_version": CORE_VERSION,
        **_party(Role.CONSUMER, thread.consumer_id, heading),
        **_party(Role.PROVIDER, thread.provider_id, heading),
        "transaction_id": thread.transaction_id,
        "message_id": heading.message_id,
        "timestamp": utc_time(datetime.fromtimestamp(heading.now, UTC)),
    }
    return {name: value for name, value in context.items() if value != ""}


def _party(role: Role, subscriber_id: str, heading: Heading) -> dict[str, object]:
    for party in (heading.me, heading.counterpart):
        if party is not None and party.role is role:
            return {f"{role.value}_id": party.id, f"{role.value}_uri": party.url}
    return {f"{role.value}_id": subscriber_id}

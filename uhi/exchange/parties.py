"""Steps 7 and 8 on the context alone: who it names, whom it is addressed to, whether its time has passed.

Pure. Source: decision 3 (sender), UHI context rules (`uhi` core 0.7.1), security error table.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from uhi.actions import Leg
from uhi.errors import Refusal
from uhi.faults import (
    CONSUMER_UNKNOWN,
    CONSUMER_URI_MISMATCH,
    MESSAGE_INVALID,
    SIGNER_NOT_SENDER,
    SUBSCRIBER_UNKNOWN,
    TTL_PASSED,
    WRONG_CONSUMER,
    WRONG_PROVIDER,
)
from uhi.messages import Context
from uhi.messages.wire import Wire
from uhi.signing.authorization import KEY_ID_PART
from uhi.subscribers import Role, Subscriber

log = logging.getLogger(__name__)


def id_of(context: Context, role: Role) -> str | None:
    """The id the context gives for a role; None where the protocol has no field for it."""
    if role is Role.CONSUMER:
        return context.consumer_id or None
    return (context.provider_id or None) if role is Role.PROVIDER else None


def check_id(named: str, role: Role) -> None:
    """What a message names as consumer can be a subscriber's id at all; nothing else is looked up anywhere.

    Raises: Refusal(CONSUMER_UNKNOWN); for another role Refusal(SUBSCRIBER_UNKNOWN).
    """
    if KEY_ID_PART.fullmatch(named) is None:
        raise Refusal(
            CONSUMER_UNKNOWN if role is Role.CONSUMER else SUBSCRIBER_UNKNOWN,
            f"the {role.value}_id is no subscriber's id",
            expected="1 to 255 letters, digits and ._:-",
            path=f"$.context.{role.value}_id",
        )


def check_sender(context: Context, sender: Subscriber) -> None:
    """Step 7: the signer is the party the context names as sender; a missing id is taken from the verified key.

    Raises: Refusal(SIGNER_NOT_SENDER), Refusal(CONSUMER_UNKNOWN) for a name that no consumer can have.
    """
    named = id_of(context, sender.role)
    if named is not None and named != sender.id:
        check_id(named, sender.role)
        raise Refusal(
            SIGNER_NOT_SENDER,
            f"{sender.id} signed for another party",
            got=f"{sender.role.value}_id {named}",
            expected=sender.id,
            path=f"$.context.{sender.role.value}_id",
        )
    uri = context.consumer_uri if sender.role is Role.CONSUMER else context.provider_uri
    if uri and uri != sender.url:
        log.info("%s gives another address than the registry's, which is used", sender.id)


def check_recipient(context: Context, leg: Leg[Wire], our_id: str) -> bool:
    """Step 7: the message is addressed to us. Returns whether the context says so itself.

    A gateway has no field in the context; a first search has no provider yet.
    Raises: Refusal(WRONG_PROVIDER), Refusal(WRONG_CONSUMER).
    """
    named = id_of(context, leg.receiver)
    if named is None:
        return leg.receiver is Role.GATEWAY or leg.forwarded
    if named != our_id:
        fault = WRONG_PROVIDER if leg.receiver is Role.PROVIDER else WRONG_CONSUMER
        raise Refusal(
            fault,
            "the message is addressed to somebody else",
            got=named,
            expected=our_id,
            path=f"$.context.{leg.receiver.value}_id",
        )
    return True


def check_registered_consumer(context: Context, consumer: Subscriber) -> None:
    """A gateway's own rule for a first search: the consumer and its address are there, exactly as registered.

    Raises: Refusal(CONSUMER_UNKNOWN), Refusal(CONSUMER_URI_MISMATCH).
    """
    if not context.consumer_id:
        raise Refusal(CONSUMER_UNKNOWN, "consumer_id is missing", expected=consumer.id, path="$.context.consumer_id")
    if context.consumer_uri != consumer.url:
        raise Refusal(
            CONSUMER_URI_MISMATCH,
            "consumer_uri is not the registered address",
            got="none" if not context.consumer_uri else "another",
            expected=consumer.url,
            path="$.context.consumer_uri",
        )


def transaction_of(context: Context) -> str:
    """The transaction the message belongs to.

    Raises: Refusal(MESSAGE_INVALID) where it is missing.
    """
    if not context.transaction_id:
        raise Refusal(MESSAGE_INVALID, "context.transaction_id is missing", path="$.context.transaction_id")
    return context.transaction_id


def ttl_end(context: Context, received_at: float) -> float | None:
    """When the message's explicit ttl ends (Unix seconds), counted from its timestamp, or from arrival where that is
    absent or lies in the future; None without a ttl."""
    if not context.ttl:
        return None
    end = context.deadline(received=datetime.fromtimestamp(received_at, UTC))
    return end.timestamp() if end else None


def check_ttl(context: Context, now: float) -> None:
    """Step 8: an explicit ttl has not passed.

    Raises: Refusal(TTL_PASSED).
    """
    end = ttl_end(context, now)
    if end is not None and end < now:
        raise Refusal(TTL_PASSED, f"the ttl of the message passed {now - end:.0f} s ago", path="$.context.ttl")

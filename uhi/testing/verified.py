"""Verified messages for testing handlers alone, without a network.

Together with the doors the only holder of the proof; never import it from a program.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import uuid4

from uhi.messages import Context
from uhi.messages.wire import Wire
from uhi.subscribers import Role, Subscriber
from uhi.testing.clock import START
from uhi.verified import Admission, Thread, Verified, _Proof

M = TypeVar("M", bound=Wire)

A_THREAD = Thread("nic2004:85111", "t-1", "app.example", "clinic.example", "std:011")


def verified(
    message: M, *, thread: Thread = A_THREAD, sender: Role = Role.CONSUMER, action: str = "init"
) -> Verified[M]:
    """What a handler would get for this message, as if it had come through the door.

    `thread` names the parties, `sender` which of them sent it.
    """
    sender_id = thread.consumer_id if sender is Role.CONSUMER else thread.provider_id
    return Verified(
        message=message,
        context=Context(
            domain=thread.domain,
            action=action,
            message_id=str(uuid4()),
            transaction_id=thread.transaction_id,
            consumer_id=thread.consumer_id,
            provider_id=thread.provider_id,
        ),
        sender=Subscriber(sender_id, sender, f"https://{sender_id}"),
        via=None,
        signed_by_sender=True,
        thread=thread,
        admission=Admission(),
        raw=b"{}",
        digest="",
        expires=int(START) + 10,
        received_at=START,
        proof=_Proof(),
    )

"""How the registry's answers are numbered and signed, so that a stale, forged or misplaced one is noticed.

Every answer, refusals too: the number of the latest change, the time, the digest of the question, and the registry's
own signature over the bytes. Below: `uhi.signing`; above: `entrance`. Source: decision 26.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from uhi import strict_json
from uhi.exchange.entrance import JSON
from uhi.ports import Clock, Reply
from uhi.signing import UHI, Signer, body_digest, sign

SIGNATURE = "X-Registry-Authorization"
"""The header of an answer with the registry's signature."""


class Answers:
    """Writes answers for one registry. Without a signer they are what they are, neither numbered nor signed.

    `seq` tells the number of the latest change of the members that answers are taken from.
    """

    def __init__(self, signer: Signer | None, clock: Clock, seq: Callable[[], int]) -> None:
        self._signer = replace(signer, profile=UHI) if signer is not None else None
        self._clock = clock
        self._seq = seq

    def reply(self, value: object, question: bytes) -> Reply:
        """The answer `value` (rows, or one object) to a question with these bytes."""
        return self._reply(Reply(200, JSON), value, question)

    def refusal(self, reply: Reply, question: bytes) -> Reply:
        """A NACK that is written already, numbered and signed like any other answer."""
        return reply if self._signer is None else self._reply(reply, strict_json.parse(reply.body), question)

    def _reply(self, reply: Reply, value: object, question: bytes) -> Reply:
        if self._signer is None:
            return replace(reply, body=strict_json.write(value))
        now = self._clock.now()
        marks = {"registry_seq": self._seq(), "registry_time": round(now, 3), "request_digest": body_digest(question)}
        body = strict_json.write(_marked(value, marks))
        return replace(
            reply, headers={**reply.headers, SIGNATURE: sign(body, self._signer, created=int(now))}, body=body
        )


def _marked(value: object, marks: dict[str, object]) -> object:
    """The marks in every outermost object: each row of a list, or the one object."""
    match value:
        case list():
            return [_marked(each, marks) for each in value]
        case dict():
            return {**value, **marks}
    return value

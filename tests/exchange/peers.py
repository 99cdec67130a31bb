"""A peer that answers as it is told, a way out to it, and letters for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from uhi.errors import DeliveryError
from uhi.exchange.send import Exit
from uhi.exchange.stamps import Stamps
from uhi.messages.receipt import ACK
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Letter, Reply
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, Signer, body_digest
from uhi.subscribers import Role, Subscriber, SubscriberKey
from uhi.testing import FakeClock
from uhi.testing.clock import START

KEY = PrivateKey(bytes(32))
ITS_KEY = SubscriberKey("k1", KEY.public, UHI, 0, 4_000_000_000)
CLINIC = Subscriber("clinic", Role.PROVIDER, "https://clinic.example/uhi")
OTHER = Subscriber("other", Role.PROVIDER, "https://other.example/uhi")
BODY = b'{"a": 1 }'
OK, BUSY, NACK = Reply(200, {}, ACK), Reply(503, {"retry-after": "7"}, b""), Reply(400, {}, b"")

_NUMBERS = count(1)


@dataclass
class Peer:
    """Answers each post with the next of its replies, the last one for ever; None is no answer.

    `posts` are what came, `times` when.
    """

    clock: FakeClock
    replies: list[Reply | None] = field(default_factory=lambda: [OK])
    posts: list[tuple[str, bytes, Mapping[str, str], float]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        self.posts.append((url, body, headers, timeout))
        self.times.append(self.clock.now() - START)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply is None:
            raise DeliveryError("no answer")
        return reply

    @property
    def bodies(self) -> list[bytes]:
        """What was posted, in order."""
        return [body for _, body, _, _ in self.posts]


def way_out(*replies: Reply | None, clock: FakeClock | None = None) -> Exit:
    """The app's way out to one peer, whatever address a letter has."""
    clock = clock or FakeClock()
    me = Subscriber("app", Role.CONSUMER, "https://app.example/uhi")
    stamps = Stamps(Signer("app", "k1", KEY, UHI))
    registry = MemoryRegistry([Member(each, (ITS_KEY,)) for each in (CLINIC, OTHER)])
    return Exit(me, stamps, Peer(clock, list(replies or [OK])), registry, clock, RememberedCalls())


def letter(**changes: object) -> Letter:
    """An init to the clinic that may take a minute."""
    number = next(_NUMBERS)
    made = Letter(
        id=f"{number:032x}",
        to=CLINIC,
        path="init",
        digest="",
        transaction_id="t-1",
        message_id="m-1",
        deadline=START + 60,
        body=BODY,
    )
    made = replace(made, **changes)
    return replace(made, digest=body_digest(made.body))

"""What the two doors hand out: `Signed` (steps 1–6) and `Verified` or `Declined` (all nine).

Handlers, gateway and storage accept nothing else. Only `uhi.exchange.receive` and `uhi.testing` hold the proof that
makes one, so an unverified message is a type error. Below: actions, subscribers; above: ports, exchange.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from math import inf
from typing import Generic, TypeVar, final

from uhi.messages import Context, Error
from uhi.subscribers import Audience, Subscriber

M_co = TypeVar("M_co", covariant=True)

NOBODY = Audience()


@final
class _Proof:
    """Held by the doors alone."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation between one consumer and one provider; storable, and enough to go on with it later.

    `provider_id` is empty while a search is addressed to everybody.
    """

    domain: str
    transaction_id: str
    consumer_id: str
    provider_id: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """What step 8 found out: which open request a callback answers, whether it is late, whom a relay passes it to.

    `answers` is the `message_id` of the open request, empty for requests and unasked news; `until` (Unix seconds) is
    when that stops waiting.
    `audience` are the subscribers a gateway passes the message on to; participants leave it empty.
    """

    answers: str = ""
    late: bool = False
    until: float = inf
    audience: Audience = NOBODY


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[M_co]):
    """A message whose signatures, JSON and form are checked; the context is not weighed yet.

    `context` is None for the registry's context-free messages. `sender` is the registry's entry of who signed it (or,
    where a gateway dropped that signature and the preset allows it, of whom the context names); `via` is the gateway
    that passed it on; `digest` is base64 BLAKE2b-512 of `raw`, the bytes as they came.
    """

    message: M_co = field(repr=False)
    context: Context | None
    sender: Subscriber
    via: Subscriber | None
    signed_by_sender: bool
    raw: bytes = field(repr=False)
    digest: str
    expires: int
    proof: InitVar[_Proof]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Generic[M_co]):
    """A message that is verified, addressed to us, new and in the journal.

    `thread` names the conversation, with the parties as verified. `error` is what a callback says beside its message
    (an order that FAILED, and why), mostly None. `received_at` is Unix seconds. `expires` is when the
    sender's signature ends, Unix seconds. `authorization` is the sender's own header, for a relay that keeps it.
    """

    message: M_co = field(repr=False)
    context: Context
    sender: Subscriber
    via: Subscriber | None
    signed_by_sender: bool
    thread: Thread
    admission: Admission
    raw: bytes = field(repr=False)
    digest: str
    expires: int
    received_at: float
    error: Error | None = None
    authorization: str = field(default="", repr=False)
    proof: InitVar[_Proof]

    @property
    def is_late(self) -> bool:
        """True for an answer that came after its question had stopped waiting."""
        return self.admission.late


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """A verified callback that carries an `error` instead of a message: the business answer is no."""

    error: Error
    context: Context
    sender: Subscriber
    via: Subscriber | None
    thread: Thread
    admission: Admission
    raw: bytes = field(repr=False)
    digest: str
    expires: int
    received_at: float
    authorization: str = field(default="", repr=False)
    proof: InitVar[_Proof]

    @property
    def is_late(self) -> bool:
        """True for an answer that came after its question had stopped waiting."""
        return self.admission.late

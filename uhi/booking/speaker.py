"""How a booking speaks to the network: the part of a participant it needs, and the time.

`uhi.Participant` satisfies it, and so does a fake in a test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from uhi.actions import Broadcast, Notice, Question
from uhi.messages.values import IST
from uhi.messages.wire import Wire
from uhi.ports import Clock, Letter
from uhi.verified import Declined, Thread, Verified
from uhi.world import World

WAIT = 10.0
"""How long to wait for an answer, in seconds."""

Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)
M = TypeVar("M", bound=Wire)
A_co = TypeVar("A_co", bound=Wire, covariant=True)


class Answers(Protocol[A_co]):
    """The answers to one question: iterate for all, await for the first."""

    def __aiter__(self) -> AsyncIterator[Verified[A_co] | Declined]:
        """Yield answers as they come, until the wait is over."""

    def __await__(self) -> Generator[Any, None, Verified[A_co] | Declined]:
        """Return the first answer.

        Raises: NoAnswer when the wait is over.
        """


class Speaker(Protocol):
    """Asks, tells, and knows the time."""

    @property
    def clock(self) -> Clock:
        """The time by which holds and PINs are judged."""

    @property
    def subscriber_id(self) -> str:
        """Who speaks."""

    @property
    def world(self) -> World:
        """What surrounds whoever speaks; a provider keeps its orders there unless told otherwise."""

    def ask(
        self,
        action: Question[Q, A] | Broadcast[Q, A],
        message: Q,
        thread: Thread | None = None,
        *,
        wait: float = WAIT,
    ) -> Answers[A]:
        """Send a question; it is on its way once the answers are awaited or iterated."""

    async def tell(self, notice: Notice[M], message: M, thread: Thread) -> None:
        """Send news."""

    async def compose(self, notice: Notice[M], message: M, thread: Thread) -> Sequence[Letter]:
        """Write news without sending it: the letters to keep together with what they announce, then to `post`.

        Raises: IncompleteMessage; DeliveryError when the registry does not tell where the other party is.
        """

    def post(self, letters: Sequence[Letter], *, mine: Sequence[Letter]) -> None:
        """Send letters that are kept already; `mine` are those of them that this process has taken to send."""


def moment(clock: Clock) -> datetime:
    """Return the time of a clock, in India."""
    return datetime.fromtimestamp(clock.now(), IST)

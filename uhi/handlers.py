"""Handlers: which function answers which action, grouped, and run after the ACK.

A handler's return value is the callback. One of the places where any exception is caught: a handler that raises owes
its peer an answer all the same. Above: participants; below: the exchange.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from uhi.actions import Broadcast, Decline, Leg, Notice, Question
from uhi.errors import IncompleteMessage, Refusal, SetupError
from uhi.exchange.background import is_being_cancelled
from uhi.exchange.entrance import unforeseen
from uhi.exchange.legs import AnyLeg
from uhi.exchange.receive import Received
from uhi.faults import ANSWER_FAILED, OVERLOADED
from uhi.messages.wire import Wire
from uhi.verified import Declined, Verified

log = logging.getLogger(__name__)

Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)
M = TypeVar("M", bound=Wire)

Function = Callable[[Any], Awaitable[Wire | Decline | None]]  # the overloads of `on` are where handlers are typed


@dataclass(frozen=True, slots=True)
class Handler:
    """A function and the leg it takes; `answer` is the leg its return value goes out on, None for news. A handler that
    `may_be_silent` may return None in place of an answer."""

    leg: AnyLeg
    function: Function
    answer: AnyLeg | None = None
    may_be_silent: bool = True


class Handlers:
    """A group of handlers, declared apart from the participant that runs them."""

    def __init__(self) -> None:
        self._by_leg: dict[str, Handler] = {}

    def __iter__(self) -> Iterator[Handler]:
        return iter(tuple(self._by_leg.values()))

    @overload
    def on(
        self, action: Question[Q, A]
    ) -> Callable[
        [Callable[[Verified[Q]], Awaitable[A | Decline]]], Callable[[Verified[Q]], Awaitable[A | Decline]]
    ]: ...
    @overload
    def on(
        self, action: Broadcast[Q, A]
    ) -> Callable[
        [Callable[[Verified[Q]], Awaitable[A | Decline | None]]], Callable[[Verified[Q]], Awaitable[A | Decline | None]]
    ]: ...
    @overload
    def on(
        self, action: Notice[M]
    ) -> Callable[[Callable[[Verified[M]], Awaitable[None]]], Callable[[Verified[M]], Awaitable[None]]]: ...
    @overload
    def on(
        self, action: Leg[A]
    ) -> Callable[
        [Callable[[Verified[A] | Declined], Awaitable[None]]], Callable[[Verified[A] | Declined], Awaitable[None]]
    ]: ...
    def on(self, action: Question[Any, Any] | Broadcast[Any, Any] | Notice[Any] | Leg[Any]) -> Callable[[Any], Any]:
        """Declare the handler of an action: `@app.on(INIT)` answers a request, `@app.on(INIT.answer)` hears a callback.

        Raises: SetupError when the action already has a handler.
        """

        def declare(function: Function) -> Function:
            self._add(_handler(action, function))
            return function

        return declare

    def include(self, others: Handlers) -> None:
        """Take over all handlers of another group, or none.

        Raises: SetupError when an action has a handler in both.
        """
        for handler in others:
            self._check_free(handler.leg)
        for handler in others:
            self._by_leg[handler.leg.name] = handler

    def of(self, leg: AnyLeg) -> Handler | None:
        """The handler of a leg, if there is one."""
        return self._by_leg.get(leg.name)

    def _add(self, handler: Handler) -> None:
        self._check_free(handler.leg)
        self._by_leg[handler.leg.name] = handler

    def _check_free(self, leg: AnyLeg) -> None:
        taken = self._by_leg.get(leg.name)
        if taken is not None:
            raise SetupError(
                f"{leg.name} has two handlers",
                got=getattr(taken.function, "__qualname__", "a function"),
                expected="one handler per action",
                next_step="remove one of them",
            )


def _handler(action: Question[Any, Any] | Broadcast[Any, Any] | Notice[Any] | Leg[Any], function: Function) -> Handler:
    if isinstance(action, Notice):
        return Handler(action.leg, function)
    if isinstance(action, Leg):
        return Handler(action, function)
    return Handler(action.request, function, action.answer, may_be_silent=isinstance(action, Broadcast))


async def run(handler: Handler, received: Received) -> Wire | Decline | None:
    """Run a handler on what came; returns its answer, or a Decline when it raised or returned what is no answer.

    Raises: Refusal(OVERLOADED) when what it needed cannot be reached at the moment: then it is to be run again.
    """
    try:
        answer = await handler.function(received.message)
        _check_answer(handler, answer)
    except (Exception, CancelledError) as error:
        is_away = isinstance(error, Refusal) and error.fault is OVERLOADED
        # A handler that awaits something cancelled has failed; one that is itself cancelled is run again.
        if is_away or (isinstance(error, CancelledError) and is_being_cancelled()):
            raise
        log.error(
            "the handler of %s failed: %s",
            handler.leg.name,
            error if isinstance(error, IncompleteMessage) else f"{unforeseen(error).what}; see the handler",
            extra={"transaction_id": received.message.thread.transaction_id},
        )
        return Decline(ANSWER_FAILED)
    return answer


def _check_answer(handler: Handler, answer: object) -> None:
    if handler.answer is None or isinstance(answer, handler.answer.kind | Decline):
        return
    if answer is None and handler.may_be_silent:
        return
    raise IncompleteMessage(
        "it returned no answer",
        got=type(answer).__name__,
        expected=f"{handler.answer.kind.__name__} or Decline",
        next_step="return the answer from the handler",
    )

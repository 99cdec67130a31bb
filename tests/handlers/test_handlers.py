"""Groups of handlers: what may be declared, taken over, and what they owe."""

from __future__ import annotations

import pytest

from tests.network.messages import A_WISH, AN_OFFER, CATALOGUE, SEARCH_ALL
from uhi.actions import INIT, SEARCH, SLOTS, UPDATED, Decline
from uhi.errors import SetupError
from uhi.exchange.receive import Received
from uhi.faults import ANSWER_FAILED, SLOT_UNAVAILABLE
from uhi.handlers import Handlers, run
from uhi.testing import verified


async def nothing(request: object) -> None:
    """A handler that says nothing."""


def group(*actions: object) -> Handlers:
    handlers = Handlers()
    for action in actions:
        handlers.on(action)(nothing)
    return handlers


def test_handler_is_found_by_its_leg():
    """Decision 29: `on(INIT)` answers requests, `on(INIT.answer)` hears callbacks, a notice has no answer."""
    handlers = group(INIT, SEARCH, UPDATED, SLOTS.answer)

    found = [handlers.of(leg) for leg in (INIT.request, SEARCH.request, UPDATED.leg, SLOTS.answer)]

    assert [handler.answer for handler in found] == [INIT.answer, SEARCH.answer, None, None]
    assert handlers.of(INIT.answer) is None


def test_decorated_function_stays_itself():
    """Ours: a handler can be called and tested as the function it is."""
    assert Handlers().on(INIT)(nothing) is nothing


def test_second_handler_of_an_action_is_the_developers_mistake():
    """Decision 29: SetupError that names the action and the first handler."""
    handlers = group(INIT)

    with pytest.raises(SetupError, match="init has two handlers, got nothing"):
        handlers.on(INIT)(nothing)


def test_group_is_taken_over_whole_or_not_at_all():
    """Decision 29: an interrupted include leaves nothing behind."""
    mine, theirs = group(INIT), group(SEARCH, INIT, UPDATED)

    with pytest.raises(SetupError):
        mine.include(theirs)

    assert [handler.leg for handler in mine] == [INIT.request]
    mine.include(group(SEARCH, UPDATED))
    assert {handler.leg for handler in mine} == {INIT.request, SEARCH.request, UPDATED.leg}


def test_group_stays_its_own_after_it_was_included():
    """Ours: what is added to it later does not slip past the check."""
    mine, theirs = Handlers(), group(INIT)
    mine.include(theirs)

    theirs.on(SEARCH)(nothing)

    assert [handler.leg for handler in mine] == [INIT.request]


async def ran(action: object, function: object, message: object) -> object:
    handlers = Handlers()
    handlers.on(action)(function)
    leg = action.leg if hasattr(action, "leg") else action.request
    return await run(handlers.of(leg), Received(leg, verified(message), None))


@pytest.mark.parametrize(
    ("action", "message", "answer"),
    [
        (INIT, A_WISH, AN_OFFER),
        (INIT, A_WISH, Decline(SLOT_UNAVAILABLE)),
        (SEARCH, SEARCH_ALL, CATALOGUE),
        (SEARCH, SEARCH_ALL, None),
    ],
)
async def test_answer_is_what_the_handler_returns(action, message, answer):
    """Architecture 1.4: the return value is the callback; silence is one for a broadcast."""

    async def handler(request: object) -> object:
        return answer

    assert await ran(action, handler, message) == answer


@pytest.mark.parametrize("returned", [None, CATALOGUE, {"order": {}}, "yes", A_WISH])
async def test_what_is_no_answer_to_a_question_becomes_a_decline(returned, caplog):
    """Decision 29: the peer is owed one; the log says what came and what was expected."""

    async def handler(request: object) -> object:
        return returned

    assert await ran(INIT, handler, A_WISH) == Decline(ANSWER_FAILED)
    assert f"got {type(returned).__name__}, expected OnInit or Decline" in caplog.text


@pytest.mark.parametrize(
    "error", [ValueError("Kanari"), KeyError("Kanari"), TimeoutError("Kanari"), AssertionError("Kanari")]
)
async def test_handler_that_raises_becomes_a_decline(error, caplog):
    """Architecture 1.4; the log names type and place and quotes nothing."""

    async def handler(request: object) -> object:
        raise error

    assert await ran(INIT, handler, A_WISH) == Decline(ANSWER_FAILED)
    assert f"unforeseen {type(error).__name__} at test_handlers.py" in caplog.text
    assert "Kanari" not in caplog.text


async def test_news_may_be_handled_with_any_result():
    """Decision 29: a notice has no answer, so nothing is made of what its handler returns."""

    async def handler(request: object) -> object:
        return "done"

    assert await ran(UPDATED, handler, AN_OFFER) == "done"

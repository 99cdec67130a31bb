"""Messages that arrive at the same moment, at a storage that takes its time: one effect, whoever comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.network.letters import Letter
from tests.network.messages import A_STATUS_QUESTION, A_WISH, SEARCH_ALL
from tests.network.scene import A_THREAD, Scene, asked
from tests.stores import Shelves, others_first
from uhi.actions import INIT, SEARCH, STATUS
from uhi.participant import Participant
from uhi.testing import Network, Options


@pytest.fixture
async def stage() -> AsyncIterator[Scene]:
    """A scene whose programs yield to one another at every step of their storage."""
    async with Network(Options(keeping=Shelves(before=others_first))) as network:
        yield await Scene.on(network)


async def outcomes(stage: Scene, copies: list[Letter], to: Participant) -> Counter[str]:
    """Hand in all of them at once and count what came back."""
    answers = await asyncio.gather(*(stage.send(each, to, settle=False) for each in copies))
    await stage.network.settle()
    return Counter("ACK" if answer.is_ack else answer.error["type"] for answer in answers)


@pytest.mark.case("CB-05")
async def test_question_is_answered_once_though_five_answers_come_at_once(stage):
    """Decision 18: one request, one answer; those who come second are told that nothing is open any more."""
    async with asked(stage, INIT, A_WISH, thread=A_THREAD) as (_, first):
        copies = [stage.callback("on_init", message_id=f"own-{number}") for number in range(5)]

        found = await outcomes(stage, copies, stage.app)

        assert found == {"ACK": 1, "CTX_NO_PENDING_REQUEST": 4}
        assert (await first).context.message_id.startswith("own-")
    assert stage.handled == [("app.example", "on_init")]


async def test_two_answers_at_once_find_a_question_each(stage):
    """Decision 18: whoever loses the oldest request gets the next; its header has come once, not twice."""
    async with (
        asked(stage, INIT, A_WISH, thread=A_THREAD) as (one, _),
        asked(stage, INIT, A_WISH, thread=A_THREAD) as (
            other,
            _,
        ),
    ):
        copies = [stage.callback("on_init", message_id=f"own-{number}") for number in range(3)]

        found = await outcomes(stage, copies, stage.app)

    assert found == {"ACK": 2, "CTX_NO_PENDING_REQUEST": 1}
    assert {each.admission.answers for each in stage.heard} == {one.message_id, other.message_id}


async def test_answer_with_the_questions_id_and_one_with_its_own_at_once(stage):
    """Decision 18: the exact id is answered or not; for any other the question is open once."""
    async with asked(stage, INIT, A_WISH, thread=A_THREAD) as (asking, _):
        copies = [stage.callback("on_init", message_id=name) for name in (asking.message_id, "own-1", "own-2")]

        found = await outcomes(stage, copies, stage.app)

    assert found["ACK"] >= 1
    assert set(found) <= {"ACK", "CTX_NO_PENDING_REQUEST"}
    assert stage.handled.count(("app.example", "on_init")) == found["ACK"] <= 2


async def test_answers_beyond_the_first_are_news_where_news_may_come(stage):
    """Decision 29: of three on_status at once one answers, and the others come of the provider's own accord."""
    async with asked(stage, STATUS, A_STATUS_QUESTION, thread=A_THREAD):
        copies = [stage.callback("on_status", message_id=f"own-{number}") for number in range(3)]

        found = await outcomes(stage, copies, stage.app)

    assert found == {"ACK": 3}
    assert sorted(name for _, name in stage.handled) == ["on_status", "status_news", "status_news"]


@pytest.mark.case("SIG-19")
@pytest.mark.parametrize("path", ["init", "confirm", "status"])
async def test_hundred_copies_at_once_have_one_effect(stage, path):
    """Issue: 100 copies in parallel have one effect, whatever the storage does in between."""
    letter, signer = stage.letter(path).without("Authorization"), stage.network.signers["app.example"]
    copies = [letter.signed(signer, stage.now, life=100 + number) for number in range(100)]

    found = await outcomes(stage, copies, stage.clinic)

    assert found == {"ACK": 100}
    assert stage.handled.count(("clinic.example", path)) == 1


@pytest.mark.case("SIG-19")
async def test_hundred_posts_of_one_header_at_once_have_one_effect(stage):
    """Decision 14: the hop's header is taken once."""
    found = await outcomes(stage, [stage.letter("init")] * 100, stage.clinic)

    assert found == {"ACK": 1, "AUT_REPLAY_DETECTED": 99}
    assert stage.handled == [("clinic.example", "init")]


async def test_catalogue_that_comes_while_the_search_still_goes_out_is_relayed(stage):
    """Decision 21: the search is open from its acceptance on, and whoever was asked may answer at once."""
    answers = [answer.sender.id async for answer in stage.app.ask(SEARCH, SEARCH_ALL)]

    assert sorted(answers) == ["clinic.example", "other.example"]
    assert stage.refusals() == []

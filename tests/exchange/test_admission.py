"""Step 8 at a participant: which open request a callback answers, and what may come unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from uhi.actions import CANCEL, CONFIRM, INIT, REPORTED, SEARCH, STATUS, STATUS_NEWS, Leg, legs_of
from uhi.errors import Refusal
from uhi.exchange.admission import Admitted, Candidate, Correlation
from uhi.exchange.legs import Legs
from uhi.faults import NO_OPEN_REQUEST, TTL_PASSED, WRONG_PROVIDER
from uhi.messages import Context
from uhi.ports import Arrival, Arrived, Change, OpenRequest
from uhi.storage.memory import MemoryStorage
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"
NOW = 1_790_000_000.0
CONSUMER, PROVIDER = Legs(legs_of(Role.CONSUMER)), Legs(legs_of(Role.PROVIDER))
CLINIC = Subscriber("clinic", Role.PROVIDER, "https://clinic.example/uhi")
APP = Subscriber("app", Role.CONSUMER, "https://app.example/uhi")


class Desk:
    """A consumer's or provider's correlation with its memory."""

    def __init__(self, our_id: str = "app") -> None:
        self.storage = MemoryStorage(FakeClock())
        self.correlation = Correlation(our_id, self.storage)

    async def open(self, leg: Leg, message_id: str, **changes: object) -> OpenRequest:
        """Remember a question, by default one that ends in ten seconds."""
        request = OpenRequest("app", leg.name, message_id, "t-1", "clinic", NOW, NOW + 10)
        request = replace(request, **changes)
        await self.storage.commit(Change(opens=request))
        return request

    async def admit(self, candidate: Candidate) -> Admitted:
        """Step 8 alone."""
        return await self.correlation(candidate, "row")

    async def accept(self, signer: str, path_role: str, message_id: str, **changes: object) -> Arrived:
        """Step 9 alone, for a message of the transaction that the questions belong to."""
        arrival = Arrival(
            id=f"row-{message_id}",
            receiver=self.correlation._our_id,
            signer=signer,
            path_role=path_role,
            message_id=message_id,
            variant="",
            digest="d",
            transaction_id="t-1",
            received_at=NOW,
            cap=50,
            deadline=NOW + 30,
            body=b"{}",
        )
        return await self.storage.accept(replace(arrival, **changes))

    async def hear(self, path: str, message_id: str, **changes: object) -> Admitted:
        """Admit a callback and tell that it was new."""
        candidate = callback(path, message_id, **changes)
        admitted = await self.admit(candidate)
        transaction = admitted.request.transaction_id if admitted.request else candidate.transaction_id
        changes = {"answers": admitted.request, "transaction_id": transaction}
        await self.accept(candidate.sender.id, admitted.leg.name, message_id, **changes)
        return admitted


def callback(
    path: str, message_id: str, *, sender: Subscriber = CLINIC, transaction: str = "t-1", now: float = NOW
) -> Candidate:
    legs = CONSUMER.at(path, forwarded=path == "on_search")
    return candidate(legs, message_id, sender=sender, transaction=transaction, now=now)


def candidate(
    legs: tuple[Leg, ...], message_id: str, *, sender: Subscriber, transaction: str = "t-1", now: float = NOW
) -> Candidate:
    context = Context(domain="d", action=legs[0].path, message_id=message_id)
    return Candidate(legs, None, context, transaction, sender, True, now, int(now) + 10)


async def test_exact_message_id_wins_over_the_older_request():
    """Decision 18."""
    desk = Desk()
    await desk.open(INIT.request, "older")
    await desk.open(INIT.request, "newer")

    admitted = await desk.hear("on_init", "newer")

    assert admitted.admission.answers == "newer"


async def test_other_message_id_answers_the_oldest_open_request_of_the_transaction():
    """Decision 18: NHA's own callbacks carry ids of their own."""
    desk = Desk()
    await desk.open(INIT.request, "first")
    await desk.open(INIT.request, "second")

    answers = [(await desk.hear("on_init", message_id)).admission.answers for message_id in ("x", "y")]

    assert answers == ["first", "second"]


async def test_answer_that_comes_again_is_the_same_answer_again():
    """Decision 18: a repeated callback must reach the journal as what it was, not as a further one."""
    desk = Desk()
    await desk.open(STATUS.request, "asked")
    once = await desk.hear("on_status", "other-id")

    again = await desk.hear("on_status", "other-id")

    assert (again.leg, again.admission.answers) == (once.leg, "asked") == (STATUS.answer, "asked")


async def test_second_answer_of_its_own_id_is_refused_for_a_question_asked_once():
    """Decision 18: one request, one answer."""
    desk = Desk()
    await desk.open(INIT.request, "asked")
    await desk.hear("on_init", "first-answer")

    with pytest.raises(Refusal) as raised:
        await desk.hear("on_init", "second-answer")

    assert raised.value.fault is NO_OPEN_REQUEST


async def test_search_may_be_answered_by_many_and_often():
    """Decision 29: a broadcast has no counterpart and does not end with its first answer."""
    desk = Desk()
    await desk.open(SEARCH.request, "asked", counterpart="")
    senders = [CLINIC, Subscriber("other", Role.PROVIDER, "https://other.example"), CLINIC]

    answers = [
        (await desk.hear("on_search", f"m-{number}", sender=sender)).admission.answers
        for number, sender in enumerate(senders)
    ]

    assert answers == ["asked"] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": Subscriber("other", Role.PROVIDER, "https://other.example")},
        {"transaction": "t-2"},
    ],
)
async def test_answer_of_another_party_or_transaction_is_refused(changes):
    """Decision 18: same action pair, same counterpart."""
    desk = Desk()
    await desk.open(INIT.request, "asked")

    with pytest.raises(Refusal) as raised:
        await desk.hear("on_init", "unknown-id", **changes)

    assert raised.value.fault is NO_OPEN_REQUEST


async def test_answer_to_another_action_is_refused():
    """Decision 18: an on_confirm does not answer an init, though it has its id."""
    desk = Desk()
    await desk.open(INIT.request, "asked")

    with pytest.raises(Refusal) as raised:
        await desk.hear("on_confirm", "asked")

    assert raised.value.fault is NO_OPEN_REQUEST


async def test_exact_message_id_is_believed_under_another_transaction(caplog):
    """Decision 18: the exact id wins; the operator is told."""
    desk = Desk()
    await desk.open(INIT.request, "asked")

    admitted = await desk.hear("on_init", "asked", transaction="t-2")

    assert admitted.request.transaction_id == "t-1"
    assert "under another transaction_id" in caplog.text


@pytest.mark.case("CB-04")
@pytest.mark.parametrize(("now", "late"), [(NOW + 10, False), (NOW + 10.1, True), (NOW + 86_400 * 30, True)])
async def test_answer_after_the_wait_is_late_and_taken(now, late):
    """Decision 20."""
    desk = Desk()
    await desk.open(CONFIRM.request, "asked")

    assert (await desk.hear("on_confirm", "asked", now=now)).admission.late is late


@pytest.mark.case("CB-04")
async def test_answer_past_the_requests_ttl_is_refused():
    """Decision 20: 410 only past an explicit ttl."""
    desk = Desk()
    await desk.open(CONFIRM.request, "asked", ttl_until=NOW + 30)
    assert not (await desk.admit(callback("on_confirm", "asked", now=NOW + 5))).admission.late

    with pytest.raises(Refusal) as raised:
        await desk.hear("on_confirm", "asked", now=NOW + 31)

    assert raised.value.fault is TTL_PASSED


async def test_status_is_news_when_nobody_asked_and_an_answer_when_somebody_did():
    """Decision 29: one path, two legs; the answer is looked for first."""
    desk = Desk()
    await desk.open(INIT.request, "init")

    news = await desk.hear("on_status", "n-1")
    await desk.open(STATUS.request, "asked")
    answer = await desk.hear("on_status", "asked")
    further = await desk.hear("on_status", "n-2")

    assert [each.leg for each in (news, answer, further)] == [STATUS_NEWS.leg, STATUS.answer, STATUS_NEWS.leg]
    assert (news.admission.answers, news.request) == ("", None)


async def test_news_needs_a_conversation():
    """Sender table: a transaction id is no authority of its own."""
    desk = Desk()
    await desk.open(INIT.request, "init")

    with pytest.raises(Refusal):
        await desk.hear("on_update", "n-1", transaction="t-2")
    with pytest.raises(Refusal):
        await desk.hear("on_update", "n-1", sender=Subscriber("other", Role.PROVIDER, "https://other.example"))
    assert (await desk.hear("on_update", "n-1")).admission.answers == ""


async def test_providers_answer_to_a_search_opens_a_conversation():
    """Decision 29: who answered a search may write; who did not may not."""
    desk = Desk()
    await desk.open(SEARCH.request, "asked", counterpart="")
    with pytest.raises(Refusal):
        await desk.hear("on_message", "n-1")

    await desk.hear("on_search", "asked")

    await desk.hear("on_message", "n-1")


async def test_request_opens_a_conversation_at_the_provider():
    """Sender table: init to cancel come of the consumer's own accord; its report needs that they talk."""
    desk = Desk("clinic")
    request = candidate(PROVIDER.at("init", forwarded=False), "m-1", sender=APP)
    report = candidate(PROVIDER.at("on_update", forwarded=False), "m-2", sender=APP)

    assert (await desk.admit(request)).leg is INIT.request
    with pytest.raises(Refusal):
        await desk.admit(report)
    await desk.accept("app", "init", "m-1")
    assert (await desk.admit(report)).leg is REPORTED.leg


async def test_request_without_provider_id_needs_a_known_conversation():
    """Decision 3: a missing id is taken from the open transaction, else refused."""
    desk = Desk("clinic")
    silent = replace(candidate(PROVIDER.at("init", forwarded=False), "m-1", sender=APP), is_addressed=False)

    with pytest.raises(Refusal) as raised:
        await desk.admit(silent)

    assert raised.value.fault is WRONG_PROVIDER
    await desk.accept("app", "search", "m-0")
    assert (await desk.admit(silent)).leg is INIT.request


async def test_second_search_always_names_its_provider():
    """UHI second search: without the id it would be the bytes of a first search whose gateway header is gone."""
    desk = Desk("clinic")
    silent = replace(candidate(PROVIDER.at("search", forwarded=False), "m-1", sender=APP), is_addressed=False)
    await desk.accept("app", "search", "m-0")

    with pytest.raises(Refusal) as raised:
        await desk.admit(silent)

    assert raised.value.fault is WRONG_PROVIDER


def sample(number: str) -> dict[str, str]:
    """The context of one published message."""
    [file] = SAMPLES.glob(f"physical-{number}-*.json")
    return json.loads(file.read_text(encoding="utf-8"))["context"]


LIFECYCLE = [
    ("01", SEARCH, "02"),
    ("05", INIT, "06"),
    ("07", CONFIRM, "08"),
    ("09", STATUS, "10"),
    ("13", CANCEL, "14"),
]


async def test_published_conversation_is_understood_though_each_callback_has_an_id_of_its_own():
    """NHA Physical Consultation v2.0, samples: one transaction, and no callback echoes its request's message_id."""
    desk = Desk()
    for asked, action, answered in LIFECYCLE:
        request, reply = sample(asked), sample(answered)
        counterpart = "" if action is SEARCH else reply["provider_id"]
        place = {"transaction_id": request["transaction_id"], "counterpart": counterpart}
        await desk.open(action.request, request["message_id"], **place)
        sender = Subscriber(reply["provider_id"], Role.PROVIDER, "https://hspa.example")

        admitted = await desk.hear(
            action.answer.path, reply["message_id"], sender=sender, transaction=reply["transaction_id"]
        )

        assert reply["message_id"] != request["message_id"]
        assert (admitted.leg, admitted.admission.answers) == (action.answer, request["message_id"])

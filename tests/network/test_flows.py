"""Whole conversations: every action of the protocol from its question to its answer, and news both ways."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.network.messages import (
    A_BOOKING,
    A_CANCELLATION,
    A_CHOICE,
    A_QUOTE,
    A_STATUS,
    A_STATUS_QUESTION,
    A_WISH,
    AN_AGREEMENT,
    AN_OFFER,
    CANCELLED_ORDER,
    CATALOGUE,
    DOCTOR_WRITES,
    FREE_SLOTS,
    NO_DOCTOR,
    PATIENT_WRITES,
    SEARCH_ALL,
    SLOTS_OF_ASHA,
    STARTED,
)
from tests.network.scene import A_THREAD
from uhi.actions import (
    CANCEL,
    CANCELLED,
    CONFIRM,
    INIT,
    REPORTED,
    SEARCH,
    SELECT,
    SLOTS,
    STATUS,
    STATUS_NEWS,
    TO_CONSUMER,
    TO_PROVIDER,
    UPDATED,
    Decline,
)
from uhi.errors import DeliveryError, IncompleteMessage, NoAnswer, SetupError
from uhi.faults import SLOT_UNAVAILABLE
from uhi.messages import Init, OnInit
from uhi.network import NHA_SANDBOX
from uhi.testing import Network, Options
from uhi.verified import Declined, Thread

QUESTIONS = {
    "slots": (SLOTS, SLOTS_OF_ASHA, FREE_SLOTS),
    "select": (SELECT, A_CHOICE, A_QUOTE),
    "init": (INIT, A_WISH, AN_OFFER),
    "confirm": (CONFIRM, AN_AGREEMENT, A_BOOKING),
    "status": (STATUS, A_STATUS_QUESTION, A_STATUS),
    "cancel": (CANCEL, A_CANCELLATION, CANCELLED_ORDER),
}


@pytest.mark.parametrize(("action", "question", "answer"), QUESTIONS.values(), ids=QUESTIONS)
async def test_question_gets_its_answer_straight_from_the_provider(scene, action, question, answer):
    """UHI guide 2.1: everything after the first search goes between the two, without the gateway."""
    heard = await scene.app.ask(action, question, A_THREAD)
    await scene.network.settle()

    assert heard.message == answer
    assert heard.thread == A_THREAD
    assert (heard.sender.id, heard.via, heard.is_late) == ("clinic.example", None, False)
    assert scene.handled == [("clinic.example", action.request.name), ("app.example", action.answer.name)]
    assert [hop.receiver for hop in scene.deliveries(action.request.path)] == ["clinic.example"]


async def test_booking_goes_on_from_the_answer_of_the_search(scene):
    """Architecture: a thread is enough to go on with a conversation."""
    found = await scene.app.ask(SEARCH, SEARCH_ALL)
    provider = found.sender.id

    for action, question, answer in QUESTIONS.values():
        heard = await scene.app.ask(action, question, found.thread)
        assert (heard.message, heard.sender.id) == (answer, provider)

    assert heard.thread.transaction_id == found.thread.transaction_id


async def test_answers_stream_in_and_end_with_the_wait(stage):
    """Decision 29: iterate for all; the iteration ends when the wait does, whoever has not answered by then."""
    stage.network.faults.delay(3, "on_search", to=stage.gateway.identity.me.url)

    times = [(answer.sender.id, stage.now) async for answer in stage.app.ask(SEARCH, SEARCH_ALL, wait=8)]

    start = stage.network.clock.now() - 8
    assert sorted(round(at - start) for _, at in times) == [0, 3]


async def test_handler_that_returns_nothing_for_a_broadcast_stays_silent(network):
    """Decision 29: silence is an answer to a search."""
    app, clinic = await network.consumer(), await network.provider()
    ran = asyncio.Event()

    @clinic.on(SEARCH)
    async def nothing_here(request):
        ran.set()

    answers = [answer async for answer in app.ask(SEARCH, SEARCH_ALL, wait=0.2)]
    await network.settle()

    assert ran.is_set()
    assert answers == []
    assert not [hop for hop in network.calls if hop.action == "on_search"]


async def test_decline_arrives_as_declined(network):
    """Decision 10: a business outcome is a callback with an error, never a NACK."""
    app, clinic = await network.consumer(), await network.provider()

    @clinic.on(INIT)
    async def full(request):
        return Decline(SLOT_UNAVAILABLE, "taken a minute ago")

    answer = await app.ask(INIT, A_WISH, A_THREAD)

    assert isinstance(answer, Declined)
    assert (answer.error.code, answer.error.message) == ("40002", "taken a minute ago")
    assert {hop.status for hop in network.calls} == {200}


async def test_declined_search_travels_through_the_gateway_too(network):
    """Decision 10: an error in place of a catalogue is relayed like one."""
    app, clinic = await network.consumer(), await network.provider()
    clinic.on(SEARCH)(_returning(Decline(SLOT_UNAVAILABLE)))

    answer = await app.ask(SEARCH, SEARCH_ALL)

    assert isinstance(answer, Declined)
    assert (answer.sender.id, answer.via.id, answer.error.code) == ("clinic.example", "gateway.example", "40002")


async def test_failed_order_tells_the_order_and_why(network):
    """Decision 10: on_confirm with FAILED carries both."""
    app, clinic = await network.consumer(), await network.provider()
    failed = A_BOOKING.model_copy(update={"order": A_BOOKING.order.model_copy(update={"state": "FAILED"})})

    @clinic.on(CONFIRM)
    async def too_late(request):
        return Decline(SLOT_UNAVAILABLE, message=failed)

    answer = await app.ask(CONFIRM, AN_AGREEMENT, A_THREAD)

    assert (answer.message.order.state, answer.error.code) == ("FAILED", "40002")


async def test_handler_that_raises_still_answers(network, caplog):
    """Architecture 1.4: the callback carries an error; the log names type and place, and nothing that was said."""
    app, clinic = await network.consumer(), await network.provider()

    @clinic.on(INIT)
    async def broken(request):
        raise ValueError(f"no room for {request.message.order.billing.name}")

    answer = await app.ask(INIT, A_WISH, A_THREAD)

    assert isinstance(answer, Declined)
    assert answer.error.code == "23001"
    assert "the handler of init failed: unforeseen ValueError at test_flows.py" in caplog.text
    assert "no room" not in caplog.text


@pytest.mark.parametrize("returned", [None, {"order": {}}, OnInit.model_validate({"order": {"id": "1"}}), CATALOGUE])
async def test_handler_that_returns_no_whole_answer_still_answers(network, caplog, returned):
    """Decision 29: a question has exactly one answer, also when the types were not checked."""
    app, clinic = await network.consumer(), await network.provider()
    clinic.on(INIT)(_returning(returned))

    answer = await app.ask(INIT, A_WISH, A_THREAD)

    assert isinstance(answer, Declined)
    assert answer.error.code == "23001"
    assert "the handler of init" in caplog.text


async def test_handler_that_returns_what_json_cannot_hold_still_answers(network):
    """Decision 29: half a surrogate pair cannot be written."""
    app, clinic = await network.consumer(), await network.provider()
    order = AN_OFFER.order.model_copy(update={"state": "\ud800"})
    clinic.on(INIT)(_returning(OnInit(order=order)))

    answer = await app.ask(INIT, A_WISH, A_THREAD)

    assert answer.error.code == "23001"


def _returning(answer: object) -> object:
    async def handler(request: object) -> object:
        return answer

    return handler


async def test_question_without_answer_raises_no_answer(stage):
    """Decision 29: await for the first, or NoAnswer; it says what to do."""
    stage.network.faults.drop("on_init", times=-1)

    with pytest.raises(NoAnswer, match="nothing within 5 s"):
        await stage.app.ask(INIT, A_WISH, A_THREAD, wait=5)


async def test_refused_question_raises_a_delivery_error(network):
    """Decision 29: with the peer's status and code."""
    app, _ = await network.consumer(), await network.provider()

    with pytest.raises(DeliveryError) as raised:
        await app.ask(INIT, A_WISH, A_THREAD)

    assert (raised.value.status, raised.value.code) == (400, "UHI-1404")


async def test_question_refused_with_http_200_raises_a_delivery_error():
    """Reliability rules: a NACK inside 200 is a failure too."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        app, _ = await network.consumer(), await network.provider()

        with pytest.raises(DeliveryError) as raised:
            await app.ask(INIT, A_WISH, A_THREAD)

        assert (raised.value.status, raised.value.code) == (200, "UHI-1404")


async def test_question_to_a_party_the_registry_does_not_know_raises_a_delivery_error(scene):
    """Decision 29: whoever asks hears DeliveryError, whatever kept the question from leaving."""
    thread = Thread("nic2004:85111", "t-1", "app.example", "nobody.example", "std:011")

    with pytest.raises(DeliveryError) as raised:
        await scene.app.ask(INIT, A_WISH, thread)

    assert raised.value.code == "UHI-1406"
    assert "nobody.example" in str(raised.value)


async def test_incomplete_question_is_not_sent(scene):
    """Decision 8: what we write is strict; the error names every field."""
    with pytest.raises(IncompleteMessage, match=r"\$\.message\.order\.provider\.id"):
        await scene.app.ask(INIT, Init.model_validate({"order": {}}), A_THREAD)

    assert scene.deliveries("init") == []


async def test_question_to_nobody_is_the_callers_mistake(scene):
    """Decision 29: only a search needs no thread of an answer."""
    with pytest.raises(SetupError):
        await scene.app.ask(INIT, A_WISH)

    assert scene.deliveries("init") == []


async def test_question_is_sent_once_however_often_it_is_looked_at(stage):
    """Decision 29: await for the first answer, then iterate for the others."""
    asking = stage.app.ask(SEARCH, SEARCH_ALL, wait=5)

    await asking
    [_ async for _ in asking]
    await stage.network.settle()

    assert len(stage.deliveries("search", sender="app.example")) == 1
    assert stage.handled.count(("clinic.example", "search")) == 1


async def test_late_answer_reaches_its_handler_and_is_marked(stage):
    """Decision 20: the asker has given up, the handler has not."""
    stage.network.faults.delay(9, "on_init", times=-1)

    with pytest.raises(NoAnswer):
        await stage.app.ask(INIT, A_WISH, A_THREAD, wait=5)
    await stage.network.settle()

    assert stage.handled[-1] == ("app.example", "on_init")
    assert stage.heard[-1].is_late


async def test_asker_is_answered_without_a_handler(network):
    """Decision 29: `ask` hears answers itself; a handler is for late ones and after a crash."""
    app, clinic = await network.consumer(), await network.provider()
    clinic.on(INIT)(_returning(AN_OFFER))

    assert (await app.ask(INIT, A_WISH, A_THREAD)).message == AN_OFFER


NEWS_TO_CONSUMER = {
    "updated": (UPDATED, STARTED),
    "to_consumer": (TO_CONSUMER, DOCTOR_WRITES),
    "status_news": (STATUS_NEWS, A_STATUS),
    "cancelled": (CANCELLED, CANCELLED_ORDER),
}


@pytest.mark.parametrize(("notice", "message"), NEWS_TO_CONSUMER.values(), ids=NEWS_TO_CONSUMER)
async def test_news_reaches_the_consumer_unasked(scene, notice, message):
    """Decision 29: notices have no answer; on_status and on_cancel may come of the provider's own accord."""
    await scene.app.ask(INIT, A_WISH, A_THREAD)

    await scene.clinic.tell(notice, message, A_THREAD)
    await scene.network.settle()

    assert scene.handled[-1] == ("app.example", notice.leg.name)
    assert (scene.heard[-1].message, scene.heard[-1].admission.answers) == (message, "")


@pytest.mark.parametrize(
    ("notice", "message"), [(REPORTED, NO_DOCTOR), (TO_PROVIDER, PATIENT_WRITES)], ids=["reported", "to_provider"]
)
async def test_news_reaches_the_provider(scene, notice, message):
    """Decision 3: on_update and on_message are two actions each, one per direction."""
    await scene.app.ask(INIT, A_WISH, A_THREAD)

    await scene.app.tell(notice, message, A_THREAD)
    await scene.network.settle()

    assert scene.handled[-1] == ("clinic.example", notice.leg.name)
    assert scene.heard[-1].message == message


AUDITED = {
    "on_confirm": lambda scene: scene.app.ask(CONFIRM, AN_AGREEMENT, A_THREAD),
    "on_status": lambda scene: scene.app.ask(STATUS, A_STATUS_QUESTION, A_THREAD),
    "on_cancel": lambda scene: scene.app.ask(CANCEL, A_CANCELLATION, A_THREAD),
    "on_update": lambda scene: scene.clinic.tell(UPDATED, STARTED, A_THREAD),
}


@pytest.mark.parametrize("path", AUDITED)
async def test_gateway_gets_the_very_bytes_of_the_callback(scene, path):
    """UHI audit: a copy, byte for byte."""
    kept: list[tuple[str, bytes]] = []
    _watch(scene, kept)
    await scene.app.ask(INIT, A_WISH, A_THREAD)

    await AUDITED[path](scene)
    await scene.network.settle()

    [(_, body)] = [each for each in kept if each[0] == path]
    [(_, copy)] = [each for each in kept if each[0] == f"{path}_audit"]
    assert copy == body
    assert [hop.outcome for hop in scene.deliveries(f"{path}_audit")] == ["ACK"]


def _watch(scene: object, kept: list) -> None:
    inner = scene.network.faults.inner
    post = inner.post

    async def watched(url: str, *, body: bytes, headers: dict, timeout: float) -> object:
        kept.append((url.rpartition("/")[2], body))
        return await post(url, body=body, headers=headers, timeout=timeout)

    scene.network.faults.inner = type("Watched", (), {"post": staticmethod(watched)})()


@pytest.mark.parametrize("path", ["on_init", "on_message"])
async def test_other_callbacks_have_no_audit_copy(scene, path):
    """UHI audit: confirm, status, update and cancel only."""
    await scene.app.ask(INIT, A_WISH, A_THREAD)
    await scene.clinic.tell(TO_CONSUMER, DOCTOR_WRITES, A_THREAD)
    await scene.network.settle()

    assert {hop.action for hop in scene.network.calls if "audit" in hop.action} == set()


async def test_other_services_send_no_audit_copies(network):
    """Network preset: audit copies belong to the consultation's domain."""
    app, clinic = await network.consumer(), await network.provider()
    clinic.on(STATUS)(_returning(A_STATUS))
    thread = Thread("nic2004:00000", "t-1", "app.example", "clinic.example", "std:011")

    await app.ask(STATUS, A_STATUS_QUESTION, thread)
    await network.settle()

    assert [hop.action for hop in network.calls if "audit" in hop.action] == []


async def test_request_that_leaves_out_its_city_is_answered(scene):
    """Decision 8: published status messages carry neither city nor country; our answers carry both."""
    kept: list[tuple[str, bytes]] = []
    _watch(scene, kept)
    letter = scene.letter("status", city=None, country=None, core_version=None, consumer_uri=None)

    await scene.send(letter, scene.clinic)

    answer = json.loads(dict(kept)["on_status"])
    assert (answer["context"]["city"], answer["context"]["country"]) == ("std:011", "IND")
    assert answer["message"]["order"]["id"] == "order-1"
    assert "error" not in answer

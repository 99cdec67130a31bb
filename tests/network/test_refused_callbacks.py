"""Callbacks that nobody waits for, from whoever may or may not send them, in time and out of time."""

from __future__ import annotations

import pytest

from tests.network.letters import Letter
from tests.network.messages import A_WISH, AN_AGREEMENT, SEARCH_ALL, body_of
from tests.network.scene import A_THREAD, Scene, asked
from uhi.actions import CONFIRM, INIT, SEARCH
from uhi.faults import NO_OPEN_REQUEST, ROLE_NOT_ALLOWED, SIGNATURE_INVALID, SIGNER_NOT_SENDER, TTL_PASSED
from uhi.network import NHA_SANDBOX
from uhi.testing import Network, Options

CALLBACKS = ("on_init", "on_confirm", "on_status", "on_cancel", "on_search", "on_select", "on_update", "on_message")
NAMED_OTHERWISE = {"on_message": "to_consumer"}


def unasked(scene: Scene, path: str, **changes: object) -> Letter:
    return scene.callback(path, message=body_of(NAMED_OTHERWISE.get(path, path)), **changes)


@pytest.mark.case("CB-01")
@pytest.mark.parametrize("path", CALLBACKS)
async def test_callback_for_an_unknown_transaction_is_refused(scene, refuses, path):
    """Decision 18: neither its message_id nor its transaction is open, nor do the two talk: 404."""
    await refuses(scene)(unasked(scene, path), scene.app, NO_OPEN_REQUEST)


@pytest.mark.case("CB-01")
async def test_catalogue_for_an_unknown_transaction_is_refused_at_the_gateway(scene, refuses):
    """Decision 18: nothing is passed on."""
    await refuses(scene)(unasked(scene, "on_search"), scene.gateway, NO_OPEN_REQUEST)


@pytest.mark.case("CB-01")
async def test_peers_of_nha_get_refused_callbacks_with_http_200(refuses):
    """Decision table: the same NACK body in the compatibility mode."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        scene = await Scene.on(network)

        await refuses(scene)(unasked(scene, "on_search"), scene.gateway, NO_OPEN_REQUEST)


@pytest.mark.case("CB-02")
async def test_confirmation_by_another_provider_is_refused(scene, refuses):
    """Threat T16: only the provider that was asked answers, under its own name or under the one that was asked."""
    async with asked(scene, CONFIRM, AN_AGREEMENT, thread=A_THREAD) as (asking, first):
        ids = {"message_id": asking.message_id}
        as_itself = scene.callback("on_confirm", by=scene.other, **ids)
        as_the_clinic = scene.callback("on_confirm", by=scene.other, provider_id="clinic.example", **ids)

        await refuses(scene)(as_itself, scene.app, NO_OPEN_REQUEST)
        await refuses(scene)(as_the_clinic, scene.app, SIGNER_NOT_SENDER)

        assert not first.done()


async def test_answer_under_a_forwarded_path_it_was_not_asked_on_is_refused(scene, refuses):
    """Decision 4: a direct catalogue answers the second search, never the first."""
    async with asked(scene, SEARCH, SEARCH_ALL) as (asking, first):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}

        await refuses(scene)(scene.callback("on_search", **ids), scene.app, NO_OPEN_REQUEST)

        assert not first.done()


@pytest.mark.case("CB-03")
async def test_catalogue_of_a_provider_that_was_not_asked_is_refused(stage, refuses):
    """Threat T16: it registered after the search went out, and knows the transaction."""
    await stage.send(stage.letter("search"), stage.gateway)
    late = await stage.network.provider("late.example")

    await refuses(stage)(stage.callback("on_search", by=late), stage.gateway, NO_OPEN_REQUEST)


async def test_news_of_a_provider_the_consumer_never_asked_is_refused(scene, refuses):
    """Sender table: only between these two; a transaction id is no authority of its own."""
    await scene.app.ask(INIT, A_WISH, A_THREAD)
    await scene.network.settle()

    for path in ("on_status", "on_cancel", "on_update", "on_message"):
        stranger = scene.callback(path, by=scene.other, message=body_of(NAMED_OTHERWISE.get(path, path)))
        await refuses(scene)(stranger, scene.app, NO_OPEN_REQUEST)


async def test_report_of_a_consumer_the_provider_never_talked_with_is_refused(scene, refuses):
    """Sender table: on_update and on_message to a provider need a conversation too."""
    for path, name in (("on_update", "reported"), ("on_message", "to_provider")):
        await refuses(scene)(scene.letter(path, message=body_of(name)), scene.clinic, NO_OPEN_REQUEST)


async def test_news_by_a_consumer_on_a_consumers_path_is_refused_for_its_role(scene, refuses):
    """Sender table: a consumer does not send on_cancel."""
    forged = scene.letter("on_cancel")

    await refuses(scene)(forged, scene.app, ROLE_NOT_ALLOWED)


@pytest.mark.case("CB-04")
async def test_callback_past_its_own_ttl_is_refused(stage, refuses):
    """Decision 20: 410 only past an explicit ttl, counted from the message's timestamp."""
    async with asked(stage, INIT, A_WISH, thread=A_THREAD) as (asking, first):
        old = {"timestamp": "2026-09-21T14:13:00Z", "ttl": "PT10S", "message_id": asking.message_id}

        await refuses(stage)(stage.callback("on_init", **old), stage.app, TTL_PASSED)

        assert not first.done()


@pytest.mark.case("CB-04")
async def test_callback_within_its_ttl_is_accepted(stage):
    """Decision 20: 20 s after it was written, with a ttl of 30 s."""
    async with asked(stage, INIT, A_WISH, thread=A_THREAD) as (asking, first):
        recent = {"timestamp": "2026-09-21T14:13:00Z", "ttl": "PT30S", "message_id": asking.message_id}

        assert (await stage.send(stage.callback("on_init", **recent), stage.app)).is_ack

        assert not (await first).is_late


@pytest.mark.case("CB-04")
async def test_late_callback_without_a_ttl_is_accepted_and_marked_late(stage):
    """Decision 20: of a known transaction it is ACKed and shown."""
    async with asked(stage, INIT, A_WISH, thread=A_THREAD, wait=60) as (asking, _):
        await stage.network.clock.advance(61)

        answer = await stage.send(stage.callback("on_init", message_id=asking.message_id), stage.app)

    assert answer.is_ack
    assert stage.handled == [("app.example", "on_init")]
    assert stage.heard[0].is_late


async def test_bad_gateway_signature_on_a_catalogue_is_refused_as_the_gateways(scene, refuses):
    """Decision 1, step 5: a gateway's header that is present must verify; the challenge is the proxy's."""
    async with asked(scene, SEARCH, SEARCH_ALL) as (asking, first):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}
        forwarded = scene.forwarded(scene.callback("on_search", **ids))
        bad = Letter(forwarded.path, forwarded.body, (*forwarded.headers[:-1], (forwarded.headers[-1][0], "none")))

        answer = await refuses(scene)(bad, scene.app, SIGNATURE_INVALID)

        assert "Proxy-Authenticate" in answer.headers
        assert not first.done()


@pytest.mark.case("CB-08")
async def test_twenty_catalogues_of_one_provider_are_the_most(stage):
    """Limits table: beyond 20 differing on_search in one transaction 429; the consumer gets 20."""
    async with asked(stage, SEARCH, SEARCH_ALL) as (asking, _):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}
        stage.network.faults.heal()
        await stage.send(stage.letter("search", **ids), stage.gateway)
        answers = [
            await stage.send(stage.callback("on_search", core_version=f"0.7.{number}", **ids), stage.gateway)
            for number in range(100)
        ]

    limited = [answer for answer in answers if not answer.is_ack]
    # One of the twenty was the clinic's own answer to the search.
    assert [answer.is_ack for answer in answers] == [True] * 19 + [False] * 81
    assert {(answer.status, answer.error["type"], answer.headers["Retry-After"]) for answer in limited} == {
        (429, "AUT_RATE_LIMITED", "60")
    }
    from_clinic = [message for message in stage.heard if getattr(message, "sender", None) == stage.clinic.identity.me]
    assert len(from_clinic) == 20

"""The same again: the same header, the same body, the same id with another body. One message has one effect."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from tests.network import letters
from tests.network.letters import Answer, Letter
from tests.network.messages import A_CANCELLATION, A_WISH, AN_AGREEMENT, body_of
from tests.network.scene import A_THREAD, Scene, asked
from uhi.actions import CANCEL, CONFIRM, INIT
from uhi.faults import MESSAGE_ID_REUSED, REPLAYED, SIGNATURE_INVALID
from uhi.signing import BECKN, UHI, Profile, Signer
from uhi.subscribers import Role, Subscriber

HAND = Subscriber("hand.example", Role.CONSUMER, "https://hand.example/uhi", domains=("nic2004:85111",))
REPLAYS_REFUSED = Counter({"ACK": 1, "AUT_REPLAY_DETECTED": 99})
ALL_ACCEPTED = Counter({"ACK": 100})


def outcome(answer: Answer) -> str:
    return "ACK" if answer.is_ack else answer.error["type"]


async def hundred_times(scene: Scene, copies: list[Letter], to: object) -> Counter[str]:
    """Post a hundred copies, twenty at a time, and count what came back."""
    answers: list[Answer] = []
    for start in range(0, 100, 20):
        answers += await asyncio.gather(*(scene.send(each, to, settle=False) for each in copies[start : start + 20]))
    await scene.network.settle()
    return Counter(map(outcome, answers))


def unsigned(scene: Scene, path: str) -> Letter:
    provider = None if path == "search" else scene.clinic.identity.me
    return letters.letter(path, letters.context(path, HAND, provider))


@pytest.mark.case("SIG-19")
@pytest.mark.parametrize(("profile", "expected"), [(UHI, REPLAYS_REFUSED), (BECKN, ALL_ACCEPTED)], ids=["uhi", "beckn"])
async def test_same_header_a_hundred_times_has_one_effect(stage, profile: Profile, expected):
    """Replay rules: profile UHI refuses the hop's header the second time, BECKN accepts it without effect."""
    signer = stage.network.register(HAND, profile=profile)
    letter = unsigned(stage, "init").signed(signer, stage.now)

    outcomes = await hundred_times(stage, [letter] * 100, stage.clinic)

    assert outcomes == expected
    assert stage.handled == [("clinic.example", "init")]


@pytest.mark.case("SIG-19")
@pytest.mark.parametrize("profile", [UHI, BECKN], ids=["uhi", "beckn"])
async def test_same_body_under_a_hundred_fresh_headers_has_one_effect(stage, profile: Profile):
    """Replay rules: the same bytes under a fresh header get their ACK again."""
    signer = stage.network.register(HAND, profile=profile)
    copies = [unsigned(stage, "init").signed(signer, stage.now, life=100 + number) for number in range(100)]

    outcomes = await hundred_times(stage, copies, stage.clinic)

    assert outcomes == ALL_ACCEPTED
    assert stage.handled == [("clinic.example", "init")]
    assert [hop.attempt for hop in stage.deliveries("on_init")].count(1) == 1


@pytest.mark.case("SIG-19")
@pytest.mark.parametrize("profile", [UHI, BECKN], ids=["uhi", "beckn"])
async def test_same_search_a_hundred_times_is_fanned_out_once(stage, profile: Profile):
    """Replay rules at the gateway: one effect is one fan-out, to each provider once."""
    signer = stage.network.register(HAND, profile=profile)
    copies = [unsigned(stage, "search").signed(signer, stage.now, life=100 + number) for number in range(100)]

    outcomes = await hundred_times(stage, copies, stage.gateway)

    assert outcomes == ALL_ACCEPTED
    assert sorted(stage.handled) == [("clinic.example", "search"), ("other.example", "search")]


@pytest.mark.case("SIG-19")
async def test_replayed_header_is_refused_over_either_network(scene, refuses):
    """Replay rules: 401 UHI-1405 AUT_REPLAY_DETECTED."""
    letter = scene.letter("init")
    await scene.send(letter, scene.clinic)

    await refuses(scene)(letter, scene.clinic, REPLAYED)


async def test_respelled_header_is_still_the_same_header(scene, refuses):
    """Replay rules: the signature counts; white space and order of a header can be changed by anybody."""
    letter = scene.letter("init")
    await scene.send(letter, scene.clinic)
    spelled = json.dumps(dict(reversed(json.loads(dict(letter.headers)["Authorization"]).items())), indent=1)
    other = letter.without("Authorization").with_header("Authorization", spelled.replace("\n", " "))

    await refuses(scene)(other, scene.clinic, REPLAYED)


async def test_forwarded_search_may_carry_the_senders_header_again(scene):
    """Decision 14: the rule is about the hop's header; a gateway that tries again keeps the sender's."""
    search = scene.letter("search")
    signer = scene.network.signers["gateway.example"]
    attempts = [search.signed(signer, scene.now, life=life, header="X-Gateway-Authorization") for life in (10, 11)]

    answers = [await scene.send(attempt, scene.clinic) for attempt in attempts]

    assert [answer.is_ack for answer in answers] == [True, True]
    assert scene.handled[:1] == [("clinic.example", "search")]
    assert scene.handled.count(("clinic.example", "search")) == 1


async def test_replayed_gateway_header_is_refused_as_the_gateways(scene, refuses):
    """Decision 14: on forwarded calls the gateway is the hop."""
    search = scene.forwarded(scene.letter("search"))
    await scene.send(search, scene.clinic)
    resigned = search.without("Authorization").signed(scene.network.signers["app.example"], scene.now, life=99)

    await refuses(scene)(resigned, scene.clinic, REPLAYED)


@pytest.mark.case("SIG-20")
async def test_same_bytes_after_the_signature_expired_are_refused(stage, refuses):
    """Replay rules: after `expires` it is 401 and no effect, whatever is remembered."""
    letter = stage.letter("init")
    await stage.send(letter, stage.clinic)
    await stage.network.clock.advance(11)

    await refuses(stage)(letter, stage.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-21")
@pytest.mark.parametrize("path", ["init", "confirm", "cancel"])
async def test_other_body_under_the_same_message_id_is_refused(scene, refuses, path):
    """Decision 17: single-shot messages; 409, and what the first one did stays."""
    await scene.send(scene.letter(path), scene.clinic)

    await refuses(scene)(scene.letter(path, core_version="0.7.2"), scene.clinic, MESSAGE_ID_REUSED)

    assert scene.handled.count(("clinic.example", path)) == 1


@pytest.mark.case("SIG-21")
@pytest.mark.parametrize(
    ("action", "message"),
    [(INIT, A_WISH), (CONFIRM, AN_AGREEMENT), (CANCEL, A_CANCELLATION)],
    ids=["init", "confirm", "cancel"],
)
async def test_other_body_of_a_callback_under_the_same_message_id_is_refused(scene, refuses, action, message):
    """Decision 17: their callbacks as well, so that a confirmed order is not confirmed again otherwise."""
    answer = await scene.app.ask(action, message, A_THREAD)
    await scene.network.settle()

    other = scene.callback(action.answer.path, message_id=answer.context.message_id, core_version="0.7.2")

    await refuses(scene)(other, scene.app, MESSAGE_ID_REUSED)


@pytest.mark.parametrize("path", ["status", "select", "search"])
async def test_other_body_under_the_same_message_id_is_a_further_message_elsewhere(scene, path):
    """Decision 17: published samples use one id for several messages; this must not refuse them."""
    message = body_of("slots" if path == "search" else path)
    first, other = (
        scene.letter(path, message=message, provider_id="clinic.example", core_version=version)
        for version in ("0.7.1", "0.7.2")
    )

    answers = [await scene.send(first, scene.clinic), await scene.send(other, scene.clinic)]

    assert [answer.is_ack for answer in answers] == [True, True]
    assert [who for who, _ in scene.handled].count("clinic.example") == 2


async def test_one_message_id_may_serve_different_actions(scene):
    """Decision 17: the path's role is part of the identity; most samples use one id for message and transaction."""
    answers = [
        await scene.send(scene.letter(path, message_id="t-1"), scene.clinic)
        for path in ("init", "confirm", "status", "cancel")
    ]

    assert [answer.is_ack for answer in answers] == [True] * 4
    assert [name for _, name in scene.handled if not name.startswith("on_")] == ["init", "confirm", "status", "cancel"]


async def test_one_message_id_may_be_used_by_two_senders(stage):
    """Decision 17: the signer is part of the identity."""
    signer: Signer = stage.network.register(HAND)
    await stage.send(stage.letter("init"), stage.clinic)

    answer = await stage.send(unsigned(stage, "init").signed(signer, stage.now), stage.clinic)

    assert answer.is_ack
    assert [name for _, name in stage.handled].count("init") == 2


@pytest.mark.case("CB-05")
async def test_same_callback_a_hundred_times_is_handled_once(stage):
    """Replay rules at the consumer: fresh headers, one effect."""
    async with asked(stage, INIT, A_WISH, thread=A_THREAD) as (asking, _):
        callback = stage.callback("on_init", message_id=asking.message_id).without("Authorization")
        signer = stage.network.signers["clinic.example"]
        copies = [callback.signed(signer, stage.now, life=100 + number) for number in range(100)]

        outcomes = await hundred_times(stage, copies, stage.app)

    assert outcomes == ALL_ACCEPTED
    assert stage.handled == [("app.example", "on_init")]

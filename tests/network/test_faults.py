"""What the network does to messages, and what holds all the same: tried again under a fresh signature, one effect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests.network import letters
from tests.network.letters import Letter
from tests.network.messages import A_STATUS_QUESTION, A_WISH, AN_OFFER, SEARCH_ALL
from tests.network.scene import A_THREAD, Scene
from uhi.actions import INIT, SEARCH, STATUS
from uhi.errors import DeliveryError
from uhi.ports import Reply, Transport
from uhi.signing import BECKN
from uhi.subscribers import Role, Subscriber
from uhi.testing import Network

PLACES = ["init", "on_init"]


@dataclass
class Tap:
    """Sees every post that is really made, and when."""

    scene: Scene
    inner: Transport
    posts: list[tuple[str, str, float, Mapping[str, str]]] = field(default_factory=list)

    @classmethod
    def on(cls, scene: Scene) -> Tap:
        """Put one between a network's faults and its wire."""
        tap = cls(scene, scene.network.faults.inner)
        scene.network.faults.inner = tap
        return tap

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        base, _, path = url.rpartition("/")
        self.posts.append((path, base, self.scene.now, headers))
        return await self.inner.post(url, body=body, headers=headers, timeout=timeout)


def check_one_effect(scene: Scene) -> None:
    """The init was handled once at the clinic, its answer once at the app."""
    assert scene.handled == [("clinic.example", "init"), ("app.example", "on_init")]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("times", [1, 3])
async def test_dropped_message_is_sent_again(stage, path, times):
    """Reliability rules: no answer means unknown, so again, with the same message_id."""
    stage.network.faults.drop(path, times=times)

    answer = await stage.app.ask(INIT, A_WISH, A_THREAD, wait=60)
    await stage.network.settle()

    assert answer.message == AN_OFFER
    assert [hop.outcome for hop in stage.deliveries(path)] == ["no answer"] * times + ["ACK"]
    assert len({hop.message_id for hop in stage.deliveries(path)}) == 1
    check_one_effect(stage)


@pytest.mark.case("REL-05")
@pytest.mark.parametrize("path", PLACES)
async def test_message_whose_ack_was_lost_has_one_effect(stage, path):
    """Reliability rules: the receiver absorbs the second one; its header is a new one, so it is not refused."""
    stage.network.faults.lose_answer(path, times=2)

    await stage.app.ask(INIT, A_WISH, A_THREAD, wait=60)
    await stage.network.settle()

    assert [hop.outcome for hop in stage.deliveries(path)] == ["no answer", "no answer", "ACK"]
    taken = [hop.outcome for hop in stage.network.calls if hop.action == path and hop.direction.value == "in"]
    assert taken == ["ACK", "repeated", "repeated"]
    check_one_effect(stage)


@pytest.mark.parametrize("path", PLACES)
async def test_duplicated_message_has_one_effect(scene, path):
    """Decision 14: the copy is refused as a replay, which the sender takes for its own answer: it signs again."""
    scene.network.faults.duplicate(path)

    await scene.app.ask(INIT, A_WISH, A_THREAD, wait=30)
    await scene.network.settle()

    assert [hop.outcome for hop in scene.deliveries(path)] == ["AUT_REPLAY_DETECTED", "ACK"]
    check_one_effect(scene)


@pytest.mark.parametrize("path", PLACES)
async def test_corrupted_message_is_refused_and_sent_again(scene, path):
    """Reliability rules: a bad signature is signed again once."""
    scene.network.faults.corrupt(path)

    await scene.app.ask(INIT, A_WISH, A_THREAD, wait=30)
    await scene.network.settle()

    assert [hop.outcome for hop in scene.deliveries(path)] == ["AUT_SIGNATURE_INVALID", "ACK"]
    check_one_effect(scene)


async def test_message_that_is_always_corrupted_is_given_up_after_the_second_time(scene):
    """Reliability rules: re-signed once, then refused."""
    scene.network.faults.corrupt("init", times=-1)

    with pytest.raises(DeliveryError, match="AUT_SIGNATURE_INVALID"):
        await scene.app.ask(INIT, A_WISH, A_THREAD)

    assert len(scene.deliveries("init")) == 2
    assert scene.handled == []


async def test_overtaken_message_has_one_effect(stage):
    """Reliability rules: order of arrival decides nothing; the late copy is absorbed."""
    stage.network.faults.reorder("init")

    first, second = await asyncio.gather(
        stage.app.ask(INIT, A_WISH, A_THREAD, wait=60), stage.app.ask(STATUS, A_STATUS_QUESTION, A_THREAD, wait=60)
    )
    await stage.network.settle()

    assert first.message == AN_OFFER
    assert second.context.action == "on_status"
    assert stage.handled.count(("clinic.example", "init")) == 1
    assert stage.handled.count(("app.example", "on_init")) == 1


async def test_message_that_arrives_after_its_sender_gave_up_has_one_effect(stage):
    """Reliability rules: a timeout is not a failure; the first copy comes when the second has been answered."""
    stage.network.faults.delay(10.5, "init")
    stage.network.clock.jumps = True

    await stage.app.ask(INIT, A_WISH, A_THREAD, wait=60)
    await stage.network.settle()

    check_one_effect(stage)


async def test_every_attempt_carries_a_signature_of_its_own(stage):
    """Decision 13: never the same header twice for one body and receiver."""
    tap = Tap.on(stage)
    stage.network.faults.lose_answer("init", times=5)

    await stage.app.ask(INIT, A_WISH, A_THREAD, wait=60)
    await stage.network.settle()

    headers = [headers["Authorization"] for path, _, _, headers in tap.posts if path == "init"]
    assert len(headers) == len(set(headers)) == 6


async def test_relay_keeps_the_senders_signature_and_renews_its_own(stage):
    """Decision 13: the gateway's retries are signed afresh, the consumer's header stays."""
    tap = Tap.on(stage)
    stage.network.faults.lose_answer("search", to=stage.clinic.identity.me.url, times=2)

    await stage.send(stage.letter("search"), stage.gateway)

    to_clinic = [
        headers for path, base, _, headers in tap.posts if (path, base) == ("search", stage.clinic.identity.me.url)
    ]
    assert len(to_clinic) == 3
    assert len({headers["Authorization"] for headers in to_clinic}) == 1
    assert len({headers["X-Gateway-Authorization"] for headers in to_clinic}) == 3
    assert stage.handled.count(("clinic.example", "search")) == 1


async def test_first_round_of_a_fan_out_shares_one_signature(stage):
    """Decision 13: sign once per body and attempt, not per target."""
    tap = Tap.on(stage)

    await stage.send(stage.letter("search"), stage.gateway)

    signatures = [headers["X-Gateway-Authorization"] for path, _, _, headers in tap.posts if path == "search"]
    assert len(signatures) == 2
    assert len(set(signatures)) == 1


async def test_relay_ends_with_the_senders_signature(stage, caplog):
    """Decision 19: nothing is delivered after the sender's `expires`; the operator is told once."""
    tap = Tap.on(stage)
    stage.network.faults.lose_answer("search", to=stage.clinic.identity.me.url, times=-1)
    expires = int(stage.now) + 10

    await stage.send(stage.letter("search"), stage.gateway)

    times = [at for path, base, at, _ in tap.posts if (path, base) == ("search", stage.clinic.identity.me.url)]
    assert len(times) > 1
    assert max(times) <= expires
    assert stage.handled.count(("clinic.example", "search")) == 1
    assert caplog.text.count("search was not delivered to clinic.example:") == 1


async def test_relay_ends_with_the_ttl_where_that_is_shorter(stage):
    """Decision 19: min(received + ttl, the sender's expires)."""
    tap = Tap.on(stage)
    start = stage.now
    stage.network.faults.lose_answer("search", times=-1)

    await stage.send(stage.letter("search", ttl="PT3S"), stage.gateway)

    assert max(at for path, _, at, _ in tap.posts if path == "search") <= start + 3


async def test_own_gateway_signature_is_renewed_when_the_first_round_waited_too_long(stage):
    """Decision 13: a sender of profile BECKN signs for 300 s, the gateway for 10; a queue must not spoil the relay."""
    slow = stage.clinic.identity.me.url
    hand = Subscriber("hand.example", Role.CONSUMER, "https://hand.example/uhi", domains=("nic2004:85111",))
    stage.network.register(hand, profile=BECKN)
    stage.network.faults.delay(2, "search", to=slow, times=24)

    for number in range(30):
        await stage.send(_search_of(stage, hand, f"t-{number}"), stage.gateway, settle=False)
    await stage.network.settle()

    assert {hop.outcome for hop in stage.deliveries("search") if hop.receiver == "clinic.example"} == {"ACK"}
    assert stage.handled.count(("clinic.example", "search")) == 30


def _search_of(stage: Scene, hand: Subscriber, transaction_id: str) -> Letter:
    context = letters.context("search", hand, transaction_id=transaction_id, message_id=transaction_id)
    return letters.letter("search", context).signed(stage.network.signers[hand.id], stage.now)


async def test_search_that_waited_past_its_deadline_is_not_sent_and_is_seen(stage, caplog):
    """Reliability rules: each target ends delivered, refused or expired, visibly; at most 8 posts wait for one peer."""
    start = stage.now
    black_hole = stage.clinic.identity.me.url
    stage.network.faults.delay(60, "search", to=black_hole, times=-1)

    for number in range(20):
        letter = stage.letter("search", transaction_id=f"t-{number}", message_id=f"m-{number}")
        await stage.send(letter, stage.gateway, settle=False)
    await stage.network.settle()

    posts = [hop for hop in stage.deliveries("search") if hop.receiver == "clinic.example"]
    assert {hop.outcome for hop in posts} <= {"no answer", "expired"}
    assert max(hop.at for hop in posts if hop.outcome == "no answer") <= start + 10
    assert caplog.text.count("search was not delivered to clinic.example:") == 20
    assert stage.handled.count(("clinic.example", "search")) == 0


async def test_slow_provider_does_not_delay_another(stage):
    """Reliability rules: bulkheads; twenty searches hang at one provider, the other has them all at once."""
    start = stage.now
    stage.network.faults.delay(9, "search", to=stage.clinic.identity.me.url, times=-1)

    for number in range(20):
        letter = stage.letter("search", transaction_id=f"t-{number}", message_id=f"m-{number}")
        await stage.send(letter, stage.gateway, settle=False)
    await stage.network.settle()

    quick = [hop for hop in stage.deliveries("search") if hop.receiver == "other.example"]
    assert len(quick) == 20
    assert {hop.at - start for hop in quick} == {0.0}


async def test_search_is_answered_by_whom_it_reaches(stage):
    """Architecture 1.6: a provider that is gone takes nothing from the others."""
    stage.network.faults.drop("search", to=stage.clinic.identity.me.url, times=-1)

    answers = [answer.sender.id async for answer in stage.app.ask(SEARCH, SEARCH_ALL)]

    assert answers == ["other.example"]


async def test_critical_callback_is_tried_for_three_days(stage):
    """Decision 19: on_status, like all that an appointment depends on, outlives its question by far."""
    start = stage.now
    stage.network.faults.drop("on_status", times=-1)

    await stage.send(stage.letter("status"), stage.clinic)

    times = [hop.at - start for hop in stage.deliveries("on_status")]
    steps = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    pauses = [after - before for before, after in pairwise(times)]
    assert times[0] == 0
    assert len(pauses) == len(steps)
    assert all(step <= pause <= step + min(step, 300) for step, pause in zip(steps, pauses, strict=True))


async def test_program_that_stops_refuses_for_now_and_ends_what_is_under_way(stage):
    """Error table: draining is 503 with Retry-After; what was ACKed is done first."""
    await stage.send(stage.letter("init"), stage.clinic, settle=False)

    await stage.clinic.stop(seconds=5)

    answer = await stage.send(stage.letter("init", message_id="m-2"), stage.clinic)
    assert (answer.status, answer.error["code"], answer.headers["Retry-After"]) == (503, "UHI-1407", "1")
    assert stage.handled == [("clinic.example", "init")]
    assert [hop.action for hop in stage.deliveries("on_init")] == ["on_init"]


async def test_faults_hold_as_often_as_they_were_asked_for(stage):
    """Test network: `times` counts, `heal` ends, a path and an address narrow a rule."""
    faults = stage.network.faults
    faults.drop("status", times=-1)
    faults.drop("init", to="https://elsewhere", times=-1)

    await stage.app.ask(INIT, A_WISH, A_THREAD)
    faults.heal()
    await stage.app.ask(STATUS, A_STATUS_QUESTION, A_THREAD)

    assert {hop.outcome for hop in stage.network.calls} == {"ACK"}


async def test_network_leaves_nothing_behind():
    """Test network: leaving the block ends retries, delayed posts and waits."""
    before = asyncio.all_tasks()

    async with Network() as network:
        scene = await Scene.on(network)
        network.clock.jumps = False
        network.faults.delay(60, "on_init", times=-1)
        await scene.send(scene.letter("init"), scene.clinic, settle=False)

    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before

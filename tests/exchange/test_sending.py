"""The way out: deliveries, their lanes, and questions that wait for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from uhi.errors import DeliveryError, NoAnswer
from uhi.exchange.answers import Asking, Request, Taps
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.lanes import Lanes
from uhi.exchange.retry import CRITICAL, DISCOVERY, Verdict
from uhi.exchange.send import Exit, Parcel, check_delivered, deliver
from uhi.exchange.stamps import Stamps
from uhi.messages.receipt import ACK
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Reply
from uhi.signing import UHI, PrivateKey, Signer, body_digest
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock
from uhi.testing.clock import START
from uhi.verified import Thread

CLINIC = Subscriber("clinic", Role.PROVIDER, "https://clinic.example/uhi")
BODY = b'{"a": 1 }'
OK, BUSY = Reply(200, {}, ACK), Reply(503, {"retry-after": "7"}, b"")


@dataclass
class Peer:
    """Answers each post with the next of its replies, the last one for ever; None is no answer."""

    replies: list[Reply | None] = field(default_factory=lambda: [OK])
    posts: list[tuple[str, bytes, Mapping[str, str], float]] = field(default_factory=list)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        self.posts.append((url, body, headers, timeout))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply is None:
            raise DeliveryError("no answer")
        return reply


def way_out(*replies: Reply | None) -> Exit:
    me = Subscriber("app", Role.CONSUMER, "https://app.example/uhi")
    stamps = Stamps(Signer("app", "k1", PrivateKey(bytes(32)), UHI))
    return Exit(me, stamps, Peer(list(replies or [OK])), FakeClock(), RememberedCalls())


def parcel(**changes: object) -> Parcel:
    fields = {"schedule": DISCOVERY, "deadline": START + 60} | changes
    return Parcel(CLINIC, "init", BODY, body_digest(BODY), "t-1", "m-1", **fields)


async def test_parcel_arrives_as_these_bytes_with_signature_and_digest():
    """Architecture 1.1: what was signed is what is sent."""
    mine = way_out()

    attempted = await deliver(parcel(kept={"X-Kept": "1"}), mine)

    [(url, body, headers, timeout)] = mine.transport.posts
    assert (attempted.verdict, url, body, timeout) == (Verdict.DELIVERED, "https://clinic.example/uhi/init", BODY, 3.0)
    assert headers["Digest"] == f"BLAKE-512={body_digest(BODY)}"
    assert set(headers) == {"Content-Type", "Digest", "Authorization", "X-Kept"}


async def test_each_attempt_is_a_line_of_the_call_log():
    """Issue: who, what, when, outcome, milliseconds; no bodies."""
    mine = way_out(None, BUSY, OK)

    await deliver(parcel(), mine)

    assert [(hop.attempt, hop.outcome, hop.status) for hop in mine.log] == [
        (1, "no answer", 0),
        (2, "HTTP 503", 503),
        (3, "ACK", 200),
    ]
    assert {(hop.sender, hop.receiver, hop.action, hop.message_id) for hop in mine.log} == {
        ("app", "clinic", "init", "m-1")
    }


async def test_peers_wish_for_a_pause_is_kept():
    """Reliability rules: Retry-After."""
    mine = way_out(BUSY, OK)

    await deliver(parcel(), mine)

    first, second = mine.log
    assert second.at - first.at >= 7


async def test_attempt_near_the_deadline_is_shorter():
    """Reliability rules: one deadline for each target."""
    mine = way_out()

    await deliver(parcel(deadline=START + 3), mine)
    await deliver(parcel(deadline=START), mine)

    assert [timeout for *_, timeout in mine.transport.posts] == [3.0, 0.5]


async def test_parcel_past_its_deadline_is_not_posted():
    """Decision 19."""
    mine = way_out()

    attempted = await deliver(parcel(deadline=START - 0.1), mine)

    assert attempted.verdict is Verdict.EXPIRED
    assert mine.transport.posts == []
    assert [hop.outcome for hop in mine.log] == ["expired"]


@pytest.mark.parametrize(
    ("replies", "posts", "status"),
    [
        ([Reply(400, {}, b"")], 1, 400),
        ([Reply(302, {}, b"")], 1, 302),
        ([Reply(200, {}, b"NACK")], 1, 200),
        ([None], 4, None),
    ],
)
async def test_what_was_not_delivered_is_said(replies, posts, status, caplog):
    """Ours: one line for the operator, one error for whoever waits."""
    mine = way_out(*replies)
    sent = parcel(schedule=CRITICAL, deadline=START + 200)

    attempted = await deliver(sent, mine)

    assert len(mine.transport.posts) == posts
    assert caplog.text.count("init was not delivered to clinic") == 1
    with pytest.raises(DeliveryError) as raised:
        check_delivered(attempted, sent)
    assert raised.value.status == status


async def test_given_header_serves_the_first_attempt_only():
    """Decision 13: and only while it is fresh."""
    mine = way_out(None, OK)

    await deliver(parcel(first_header="shared", first_until=START), mine)
    await deliver(parcel(first_header="shared", first_until=START - 1), mine)

    first, second, other = [headers["Authorization"] for _, _, headers, _ in mine.transport.posts]
    assert first == "shared"
    assert "shared" not in (second, other)


async def test_lane_lets_eight_through_at_a_time():
    """Reliability rules: at most eight posts under way to one peer, and the others' lanes are free."""
    lanes, most, under_way, release = Lanes(), 0, 0, asyncio.Event()

    async def travel(destination: str) -> None:
        nonlocal most, under_way
        async with lanes.to(destination):
            under_way += destination == "slow"
            most = max(most, under_way)
            await (release.wait() if destination == "slow" else asyncio.sleep(0))
            under_way -= destination == "slow"

    slow = [asyncio.ensure_future(travel("slow")) for _ in range(30)]
    await travel("quick")
    release.set()
    await asyncio.gather(*slow)

    assert most == 8
    assert (lanes._lanes, lanes._users) == ({}, {})


async def test_place_in_a_lane_is_free_again_after_a_cancelled_post():
    """Ours: a delivery that is given up blocks nobody."""
    lanes = Lanes(per_destination=1, in_all=1)
    holding, waiting = (asyncio.ensure_future(_hold(lanes)) for _ in range(2))
    await asyncio.sleep(0)

    for task in (waiting, holding):
        task.cancel()
    await asyncio.gather(holding, waiting, return_exceptions=True)

    async with asyncio.timeout(1), lanes.to("clinic"):
        assert lanes._users == {"clinic": 1}


async def _hold(lanes: Lanes) -> None:
    async with lanes.to("clinic"):
        await asyncio.Event().wait()


async def test_drain_waits_for_what_follows_too():
    """Error table: draining ends what was ACKed, its callback included."""
    mine, ended = Deliveries(way_out()), []

    async def handler() -> None:
        mine.start(parcel(), ended=lambda sent, attempted: ended.append(attempted.verdict))

    mine.spawn(handler())
    given_up = await mine.drain(5)

    assert (given_up, ended, mine.waiting) == (0, [Verdict.DELIVERED], 0)


async def test_drain_gives_up_on_what_takes_too_long(caplog):
    """Ours: and says how much that was."""
    mine = Deliveries(way_out())
    mine.spawn(asyncio.sleep(3_600))

    assert await mine.drain(0) == 1
    assert "1 deliveries were given up" in caplog.text


async def test_work_that_fails_is_said_and_quotes_nothing(caplog):
    """Log rules: a bug after the ACK is one line with type and place, not a lost task with its text."""
    mine = Deliveries(way_out())

    async def broken() -> None:
        raise ValueError("Kanari Patientsson")

    mine.spawn(broken())
    await mine.idle()

    assert "work after an ACK failed: unforeseen ValueError at test_sending.py" in caplog.text
    assert "Kanari" not in caplog.text
    assert mine.waiting == 0


def asking(clock: FakeClock, *, wait: float = 10.0, error: Exception | None = None) -> tuple[Asking, Taps, list[str]]:
    taps, sent = Taps(), []

    async def send() -> None:
        sent.append("sent")
        if error is not None:
            raise error

    return Asking(Request("m-1", Thread("d", "t-1", "app"), wait, "search"), send, taps, clock), taps, sent


async def test_nothing_is_sent_before_somebody_listens():
    """Decision 29: `ask` alone sends nothing."""
    question, _, sent = asking(FakeClock())

    assert sent == []
    with pytest.raises(NoAnswer):
        await question
    assert sent == ["sent"]


async def test_answers_are_yielded_until_the_wait_ends():
    """Decision 29; what comes later is not heard here."""
    clock = FakeClock(jumps=False)
    question, taps, _ = asking(clock)
    heard: list[object] = []

    async def listen() -> None:
        heard.extend([answer async for answer in question])

    listening = asyncio.ensure_future(listen())
    await clock.advance(0)
    await clock.advance(9)
    assert taps.pour("m-1", "first")
    assert taps.pour("m-1", "second")
    await clock.advance(2)

    assert listening.done()
    assert heard == ["first", "second"]
    assert not taps.pour("m-1", "third")


async def test_failure_to_send_reaches_whoever_waits_and_is_not_hidden_by_the_wait():
    """Decision 29: DeliveryError, not NoAnswer."""
    clock = FakeClock(jumps=False)
    question, taps, _ = asking(clock)
    waiting = asyncio.ensure_future(question._first())
    await clock.advance(0)

    taps.pour("m-1", DeliveryError("refused", status=400))

    with pytest.raises(DeliveryError):
        await waiting
    assert taps._queues == {}


async def test_question_that_could_not_be_sent_may_be_tried_again():
    """Ours: only what was sent is not sent twice."""
    question, taps, sent = asking(FakeClock(), error=DeliveryError("no"))

    for _ in range(2):
        with pytest.raises(DeliveryError):
            await question

    assert sent == ["sent", "sent"]
    assert taps._queues == {}

"""Letters on their way: sent at once, one after the other in a line, again after a while, and again in another life."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from tests.exchange.peers import BUSY, CLINIC, ITS_KEY, NACK, OK, OTHER, Peer, letter, way_out
from tests.stores import Away, Stored
from uhi.errors import Refusal
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.pressure import Bounds, Pressure
from uhi.exchange.send import Exit
from uhi.faults import REGISTRY_AWAY
from uhi.ports import Arrival, Change, Ending, LetterState, Reply, Tripped
from uhi.registry.memory import Member
from uhi.signals.local import LocalSignals
from uhi.storage.memory import MemoryStorage
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock
from uhi.testing.clock import START

LINE = {"line": "clinic t-1", "is_critical": True, "deadline": START + 400_000}


@dataclass
class Post:
    """One program's letters: where they are kept, who sends them, who gets them, and how they ended."""

    deliveries: Deliveries
    stored: Stored
    way_out: Exit
    ended: list[Ending]

    @property
    def peer(self) -> Peer:
        """Whoever gets the letters."""
        return self.way_out.transport

    @property
    def clock(self) -> FakeClock:
        """The time of this program."""
        return self.way_out.clock


def post(*replies: Reply | None, stored: Stored | None = None) -> Post:
    """A program at work; with a storage given, the next life of another one."""
    clock = stored.inner.clock if stored else FakeClock()
    exit_, stored = way_out(*replies, clock=clock), stored or Stored(MemoryStorage(clock))
    ended: list[Ending] = []
    deliveries = Deliveries(
        exit_, stored, pressure=Pressure(Bounds(), clock), signals=LocalSignals(), ended=ended.append
    )
    return Post(deliveries, stored, exit_, ended)


async def test_letter_of_a_change_is_sent_at_once():
    """Ours: nobody waits for a look into the outbox; what is committed is this process's to send."""
    mine = post()

    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.deliveries.idle()

    assert mine.peer.times == [0.0]
    assert [ending.state for ending in mine.ended] == [LetterState.DELIVERED]
    assert mine.deliveries.waiting == 0


async def test_letter_of_a_line_waits_for_the_one_before_it_through_all_its_retries():
    """Reliability rules: news of an order must not overtake one another."""
    mine = post(None, BUSY, OK)
    bodies = [f'{{"n":{number}}}'.encode() for number in range(3)]
    letters = tuple(letter(body=body, message_id=str(number), **LINE) for number, body in enumerate(bodies))

    for each in letters[:2]:
        await mine.deliveries.commit(Change(letters=(each,)))
    await mine.deliveries.commit(Change(letters=(letters[2],)))
    await mine.deliveries.idle()

    assert mine.peer.bodies == [bodies[0]] * 3 + bodies[1:]
    assert [ending.letter.id for ending in mine.ended] == [each.id for each in letters]
    assert mine.deliveries.waiting == 0


@pytest.mark.parametrize("reply", [NACK, None], ids=["refused", "given up"])
async def test_letter_that_comes_to_a_bad_end_lets_the_next_of_its_line_go(reply):
    """Ours: a line is an order, not a chain; what is given up does not keep back what follows."""
    mine = post(reply, OK)
    first = letter(**LINE | {"deadline": START + 1})

    await mine.deliveries.commit(Change(letters=(first, letter(**LINE))))
    await mine.deliveries.idle()

    assert [ending.state.is_end for ending in mine.ended] == [True, True]
    assert mine.ended[1].state is LetterState.DELIVERED


async def test_letters_of_different_lines_do_not_wait_for_each_other():
    """Ours: an order that hangs keeps no other one back."""
    mine = post(None, OK)

    await mine.deliveries.commit(Change(letters=(letter(**LINE), letter(**LINE | {"line": "clinic t-2"}))))
    await mine.deliveries.idle()

    assert mine.peer.times[:2] == [0.0, 0.0]


async def test_peers_wish_for_a_pause_is_kept():
    """Reliability rules: Retry-After."""
    mine = post(BUSY, OK)

    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.deliveries.idle()

    assert mine.peer.times[1] >= 7


@pytest.mark.parametrize(
    ("reply", "posts", "state"),
    [
        (Reply(400, {}, b""), 1, LetterState.REFUSED),
        (Reply(302, {}, b""), 1, LetterState.REFUSED),
        (Reply(200, {}, b"NACK"), 1, LetterState.REFUSED),
        (None, 4, LetterState.DEAD),
    ],
)
async def test_what_was_not_delivered_is_said(reply, posts, state, caplog):
    """Ours: one line for the operator, one ending for whoever waits."""
    mine = post(reply)

    await mine.deliveries.commit(Change(letters=(letter(is_critical=True, deadline=START + 330),)))
    await mine.deliveries.idle()

    assert len(mine.peer.posts) == posts
    assert caplog.text.count("init was not delivered to clinic") == 1
    assert [ending.state for ending in mine.ended] == [state]
    assert mine.ended[0].status == (reply.status if reply else 0)


async def test_retry_goes_on_in_the_next_life_when_its_time_comes():
    """Reliability rules: state lives in rows; a restart neither forgets a pause nor starts the schedule anew."""
    mine = post(None)
    mine.clock.jumps = False
    await mine.deliveries.commit(Change(letters=(letter(**LINE),)))
    await mine.clock.advance(0)
    await mine.deliveries.drain(0)

    next_life = post(stored=mine.stored)
    await next_life.stored.reclaim(now=mine.clock.now())
    next_life.deliveries.wake()
    await mine.clock.advance(4)
    assert next_life.peer.times == []
    await mine.clock.advance(6)

    [at] = next_life.peer.times
    assert 5 <= at <= 10
    assert [hop.attempt for hop in next_life.way_out.log] == [2]


async def test_letter_that_was_being_sent_when_the_process_died_is_sent_again():
    """Crash points K6 and K7: what was leased is free in the next life; the receiver absorbs a second copy."""
    mine = post()
    await mine.stored.commit(Change(letters=(letter(),)))

    next_life = post(stored=mine.stored)
    await next_life.stored.reclaim(now=mine.clock.now())
    next_life.deliveries.wake()
    await next_life.deliveries.idle()

    assert len(next_life.peer.posts) == 1
    assert (await mine.stored.lease(now=START + 1e6, most=10)).letters == ()


async def test_letter_goes_to_where_its_receiver_has_moved_meanwhile():
    """Decision 3: the address used is the registry's, at each attempt."""
    mine = post(None, OK)
    mine.clock.jumps = False
    await mine.deliveries.commit(Change(letters=(letter(**LINE),)))
    await mine.clock.advance(0)
    mine.way_out.registry.replace(Member(replace(CLINIC, url="https://moved.example"), (ITS_KEY,)))

    await mine.clock.advance(20)

    assert [url for url, *_ in mine.peer.posts] == ["https://clinic.example/uhi/init", "https://moved.example/init"]


async def test_receiver_that_cannot_be_looked_up_is_tried_where_it_was():
    """Ours: a registry that is away stops no letter."""
    mine = post(None, OK)
    mine.way_out.registry.subscriber = _away

    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.deliveries.idle()

    assert {url for url, *_ in mine.peer.posts} == {"https://clinic.example/uhi/init"}
    assert mine.ended[0].state is LetterState.DELIVERED


async def _away(subscriber_id: str, role: Role) -> Subscriber:
    raise Refusal(REGISTRY_AWAY)


async def test_receiver_whom_the_network_does_not_know_any_more_gets_nothing():
    """Security rules: an address that was somebody's once is not sent what is about a patient."""
    mine = post(None, OK)
    stranger = replace(CLINIC, id="stranger")

    await mine.deliveries.commit(Change(letters=(letter(to=stranger, **LINE),)))
    await mine.deliveries.idle()

    assert len(mine.peer.posts) == 1
    assert (mine.ended[0].state, mine.ended[0].outcome) == (LetterState.DEAD, "left alone")
    assert mine.ended[0].attempts == 1


async def test_letter_that_waits_is_tried_when_its_receiver_shows_signs_of_life():
    """Ours: a consumer that is back must not wait for hours behind a pause."""
    mine = post(*[None] * 6, OK)
    await mine.deliveries.commit(Change(letters=(letter(**LINE),)))
    while len(mine.peer.posts) < 6:
        await mine.way_out.clock.sleep(60)
    before = mine.way_out.clock.now()

    await mine.deliveries.heard_from(CLINIC.id)
    await mine.deliveries.idle()

    assert len(mine.peer.posts) == 7
    assert mine.way_out.clock.now() - before < 1
    assert mine.ended[0].state is LetterState.DELIVERED


async def test_peer_that_is_left_alone_is_not_posted_to_and_costs_no_attempt():
    """Reliability rules, breakers: critical letters wait until it may be tried again."""
    mine = post()
    mine.way_out.breakers.restore([Tripped(CLINIC.id, START + 40, 1)])

    await mine.deliveries.commit(Change(letters=(letter(**LINE), letter(to=OTHER))))
    await mine.deliveries.idle()

    assert [url.partition(".")[0] for url, *_ in mine.peer.posts] == ["https://other", "https://clinic"]
    assert mine.peer.times == [0.0, 40.0]
    assert [hop.attempt for hop in mine.way_out.log] == [1, 1]
    assert mine.stored.endings[0].outcome == "left alone"


async def test_letter_that_does_not_live_as_long_as_its_peer_is_left_alone_ends_at_once():
    """Reliability rules, breakers: discovery ends without connecting, and whoever asked is told."""
    mine = post()
    mine.way_out.breakers.restore([Tripped(CLINIC.id, START + 100, 2)])

    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.deliveries.idle()

    assert mine.peer.posts == []
    assert [(ending.state, ending.at) for ending in mine.ended] == [(LetterState.EXPIRED, START)]


async def test_breaker_that_opens_is_remembered():
    """Reliability rules, breakers: a restart does not forget it; five posts without an answer open it."""
    mine = post(None)

    await mine.deliveries.commit(Change(letters=tuple(letter(message_id=str(number)) for number in range(5))))
    await mine.deliveries.idle()

    assert [each.destination for each in await mine.stored.tripped()] == [CLINIC.id]


@pytest.mark.case("REL-07")
async def test_letter_that_we_fail_on_is_left_to_the_operator_and_the_others_go_on(caplog):
    """Reliability rules: after ten failures of our own code DEAD, and the worker goes on with other letters."""
    mine = post()
    send = mine.peer.post

    async def breaks(url: str, **given: object) -> Reply:
        if url.endswith("/init"):
            raise KeyError("Kanari Patientsson")
        return await send(url, **given)

    mine.peer.post = breaks
    await mine.deliveries.commit(Change(letters=(letter(deadline=START + 1e6), letter(path="status"))))
    await mine.deliveries.idle()

    ends = {ending.letter.path: ending.state for ending in mine.ended}
    assert ends == {"init": LetterState.DEAD, "status": LetterState.DELIVERED}
    assert caplog.text.count("sending init failed: unforeseen KeyError at test_deliveries.py") == 10
    assert "Kanari" not in caplog.text


async def test_look_into_the_outbox_that_fails_is_not_the_last_one(caplog):
    """Ours: a bug in the worker costs a moment, not the worker."""
    mine, failures = post(None, OK), [ZeroDivisionError("Kanari")]

    async def before(step: str) -> None:
        if step == "lease" and failures:
            raise failures.pop()

    mine.stored.before = before
    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.deliveries.idle()

    assert [ending.state for ending in mine.ended] == [LetterState.DELIVERED]
    assert "looking into the outbox failed: unforeseen ZeroDivisionError" in caplog.text
    assert "Kanari" not in caplog.text


async def test_storage_that_is_away_is_said_to_whoever_sends():
    """Reliability rules: there is no promise without a committed row."""
    mine = post()
    mine.stored.before = Away({"commit": 1})

    with pytest.raises(Refusal, match="does not answer"):
        await mine.deliveries.commit(Change(letters=(letter(),)))

    assert mine.peer.posts == []
    assert mine.deliveries.waiting == 0


@pytest.mark.parametrize("step", ["commit", "settle", "lease", "trip"])
async def test_storage_that_is_away_for_a_while_loses_nothing(step, caplog):
    """Reliability rules: what follows from an accepted message is stored, sent and settled once it is back."""
    mine = post(None, None, None, None, None, OK)
    mine.stored.before = away = Away({step: 3})

    await mine.deliveries.finish(Change(letters=(letter(**LINE),)))
    await mine.deliveries.idle()

    assert [ending.state for ending in mine.ended] == [LetterState.DELIVERED]
    assert len(mine.peer.posts) == 6
    assert away.refused == (2 if step == "trip" else 3)
    assert "Traceback" not in caplog.text


async def test_message_that_was_dealt_with_by_another_leaves_nothing_waiting():
    """Ours: its letters were not stored, so this process waits for none of them."""
    mine = post()
    arrival = Arrival(
        **{name: name for name in ("id", "receiver", "signer", "path_role", "message_id", "variant", "digest")},
        transaction_id="t-1",
        received_at=START,
        cap=9,
        deadline=START + 9,
        body=b"{}",
    )
    await mine.stored.accept(arrival)

    for _ in range(2):
        await mine.deliveries.finish(Change(finishes="id", letters=(letter(cause="id"), letter(cause="id"))))
    await mine.deliveries.idle()

    assert len(mine.peer.posts) == 1
    assert mine.deliveries.waiting == 0


async def test_drain_waits_for_what_follows_too():
    """Error table: draining ends what was ACKed, its callback included."""
    mine = post()

    async def handler() -> None:
        await mine.deliveries.finish(Change(letters=(letter(),)))

    mine.deliveries.spawn(handler())
    given_up = await mine.deliveries.drain(5)

    assert (given_up, [each.state for each in mine.ended], mine.deliveries.waiting) == (0, [LetterState.DELIVERED], 0)


async def test_drain_gives_up_on_what_takes_too_long(caplog):
    """Ours: and says how much that was, letters that wait included where they end with the process."""
    mine = post(None)
    mine.clock.jumps = False
    await mine.deliveries.commit(Change(letters=(letter(**LINE), letter(**LINE))))
    await mine.clock.advance(0)
    mine.deliveries.spawn(asyncio.sleep(3_600))

    assert await mine.deliveries.drain(0) == 3
    assert "3 deliveries were given up at the end of the process\n" in caplog.text


async def test_drain_leaves_what_is_stored_to_the_next_life(caplog):
    """Reliability rules: SIGTERM ends what is under way; what waits in rows is not waited for."""
    mine = post(None, stored=Stored(MemoryStorage(FakeClock(jumps=False)), is_durable=True))
    await mine.deliveries.commit(Change(letters=(letter(**LINE), letter(**LINE))))
    await mine.clock.advance(0)

    given_up = await mine.deliveries.drain(5)

    assert (given_up, mine.deliveries.waiting) == (0, 0)
    assert caplog.text == ""
    assert (await mine.stored.backlog(now=START)).letters == 2


async def test_drain_that_cuts_a_delivery_short_says_that_it_goes_on(caplog):
    """Ours: with a storage that outlives the process nothing is lost, and the operator is told so."""
    mine = post(stored=Stored(MemoryStorage(FakeClock(jumps=False)), is_durable=True))
    hanging = asyncio.Event()

    async def hangs(url: str, **given: object) -> Reply:
        await hanging.wait()
        return OK

    mine.peer.post = hangs
    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.clock.advance(0)

    assert await mine.deliveries.drain(0) == 1
    assert "1 deliveries were given up at the end of the process; they go on with the next" in caplog.text
    assert mine.stored.endings == []


async def test_nothing_begins_after_the_drain():
    """Ours: a change that is committed at the very end is stored, and sent in the next life."""
    mine = post()
    await mine.deliveries.drain(1)

    await mine.deliveries.commit(Change(letters=(letter(),)))
    await mine.deliveries.idle()

    assert mine.peer.posts == []
    assert (await mine.stored.backlog(now=START)).letters == 1


async def test_work_that_fails_is_said_and_quotes_nothing(caplog):
    """Log rules: a bug after the ACK is one line with type and place, not a lost task with its text."""
    mine = post()

    async def broken() -> None:
        raise ValueError("Kanari Patientsson")

    mine.deliveries.spawn(broken())
    await mine.deliveries.idle()

    assert "work after an ACK failed: unforeseen ValueError at test_deliveries.py" in caplog.text
    assert "Kanari" not in caplog.text
    assert mine.deliveries.waiting == 0

"""A consumer of two processes: a question asked in one is answered at the door of the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest

from tests.network.messages import A_BOOKING, A_WISH, AN_AGREEMENT, AN_OFFER, SEARCH_ALL, body_of
from tests.network.scene import A_THREAD, Scene, asked
from tests.stores import Away, Stored, keeping
from uhi.actions import CONFIRM, INIT, SEARCH
from uhi.errors import NoAnswer
from uhi.exchange.stamps import Stamps
from uhi.participant import Participant
from uhi.signals.local import LocalBus, LocalSignals
from uhi.storage.memory import MemoryStorage
from uhi.testing import Network, Options
from uhi.world import World


@dataclass
class Two:
    """The scene, whose consumer asks in one process while messages arrive at another one, `door`."""

    scene: Scene
    door: Participant
    storage: Stored
    heard: list[object] = field(default_factory=list)

    @property
    def asker(self) -> Participant:
        """The process that asks."""
        return self.scene.app


async def two(network: Network, storage: Stored, bus: LocalBus, *, prepare: Callable[[Participant], None]) -> Two:
    """Make a scene of which the consumer's address leads to a second process."""
    scene = await Scene.on(network)
    identity = scene.app.identity
    clock = network.clock
    world = World(
        registry=network._registry(Stamps(identity.signer), network.clock),
        transport=network.faults,
        clock=clock,
        log=network.calls,
        keeping=keeping(storage, clock, signals=LocalSignals(bus)),
    )
    door = Participant(identity, world=world)
    prepare(door)
    await door.start()
    network._participants.append(door)
    network.put_behind(scene.app.subscriber_id, door.entrance)
    return Two(scene, door, storage)


@pytest.fixture(params=["told", "looked for"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    """Two processes on one storage, with signals from one to the other and without any."""
    bus, storages = LocalBus(), {}

    def kept(subscriber_id: str, clock: object) -> object:
        if subscriber_id != "app.example":
            return None
        storages["app"] = Stored(MemoryStorage(clock), is_durable=True, is_shared=True)
        return keeping(storages["app"], clock, signals=LocalSignals(bus))

    async with Network(Options(keeping=kept)) as network:
        other_bus = bus if request.param == "told" else LocalBus()
        heard: list[object] = []
        made = await two(network, _Same(storages), other_bus, prepare=lambda door: _listen(door, heard))
        made.heard = heard
        yield made


class _Same:
    """The storage that the first process was given, once there is one."""

    def __init__(self, storages: dict[str, Stored]) -> None:
        self._storages = storages

    def __getattr__(self, name: str) -> object:
        return getattr(self._storages["app"], name)


def _listen(door: Participant, heard: list[object]) -> None:
    async def hear(message: object) -> None:
        heard.append(message)

    for action in (INIT, CONFIRM, SEARCH):
        door.on(action.answer)(hear)


async def test_answer_that_another_process_took_is_heard_by_whoever_asked(both):
    """Issue: answers awaited by another process; a signal brings them at once, a look once a second otherwise."""
    started = both.scene.now

    answer = await both.asker.ask(INIT, A_WISH, A_THREAD)

    assert answer.message == AN_OFFER
    assert both.scene.now - started <= 1.0
    assert [each.message for each in both.heard] == [AN_OFFER]
    assert ("app.example", "on_init") not in both.scene.handled


async def test_each_answer_of_another_process_is_heard_once(both):
    """Ours: an answer may come by its signal and by a look; its row tells that it is the same."""
    answers = [answer.sender.id async for answer in both.asker.ask(SEARCH, SEARCH_ALL, wait=8)]

    assert sorted(answers) == ["clinic.example", "other.example"]
    assert len(both.heard) == 2


async def test_answer_that_shows_a_pin_is_there_until_it_has_been_heard(both):
    """Decision 37: such a body is deleted when it is handled, but not before whoever waits for it has read it."""
    answer = await both.asker.ask(CONFIRM, AN_AGREEMENT, A_THREAD)
    await both.scene.network.settle()

    assert answer.message == A_BOOKING
    [row] = [each for each in both.storage.accepted if each.path_role == "on_confirm"]
    assert [change.forgets for change in both.storage.changes if change.finishes == row.id] == [True]


async def test_answer_without_a_handler_is_kept_for_whoever_asked(both):
    """Ours: where several processes may wait, an answer is stored though nothing follows from it here."""
    both.door.handlers._by_leg.clear()

    answer = await both.asker.ask(INIT, A_WISH, A_THREAD)
    await both.scene.network.settle()

    assert answer.message == AN_OFFER
    assert (await both.storage.backlog(now=both.scene.now)).unfinished == 0


async def test_answer_that_nobody_waits_for_any_more_reaches_its_handler(both):
    """Decision 20: late answers are for the handler, whichever process has it."""
    both.scene.network.faults.delay(7, "on_init", times=-1)

    with pytest.raises(NoAnswer):
        await both.asker.ask(INIT, A_WISH, A_THREAD, wait=5)
    await both.scene.network.settle()

    [late] = both.heard
    assert late.is_late


async def test_answer_of_the_last_moment_is_heard_when_the_wait_ends(both):
    """Ours: between two looks of a second each nothing is lost that was kept while somebody waited."""
    both.scene.network.faults.delay(4.6, "on_init", times=-1)

    answer = await both.asker.ask(INIT, A_WISH, A_THREAD, wait=4.7)

    assert answer.message == AN_OFFER
    assert not answer.is_late


async def test_answer_is_heard_though_the_storage_was_away_for_a_while(both):
    """Reliability rules: what cannot be read now is read a second later."""
    both.storage._storages["app"].before = away = Away({"answers_to": 3})

    answer = await both.asker.ask(INIT, A_WISH, A_THREAD)

    assert answer.message == AN_OFFER
    assert away.refused >= 1


async def test_answer_that_cannot_be_read_does_not_hide_the_next(both, caplog):
    """Ours: a row of another version is said and passed over."""
    storage = both.storage._storages["app"]
    async with asked(both.scene, SEARCH, SEARCH_ALL) as (asking, first):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}
        both.scene.network.faults.heal()
        for number, provider in enumerate((both.scene.clinic, both.scene.other)):
            letter = both.scene.callback("on_search", by=provider, message=body_of("on_search"), **ids)
            await both.scene.send(both.scene.forwarded(letter), both.door, settle=False)
            if not number:
                object.__setattr__(storage.accepted[0], "facts", b"{}")
        await both.scene.network.clock.advance(2)

        answer = await first

    assert answer.sender.id == "other.example"
    assert "an answer that another process has accepted cannot be read" in caplog.text


async def test_question_and_answer_in_one_process_need_no_look(both):
    """Ours: where the answer comes to the process that asked, it is heard there and then, once."""
    network = both.scene.network
    network.put_behind(both.asker.subscriber_id, both.asker.entrance)

    answers = [answer.sender.id async for answer in both.asker.ask(SEARCH, SEARCH_ALL, wait=5)]

    assert sorted(answers) == ["clinic.example", "other.example"]
    assert both.heard == []


@pytest.mark.parametrize("is_own_door", [True, False])
async def test_what_has_been_heard_is_not_read_again(both, monkeypatch, is_own_door):
    """Ours: a look costs a short query while nothing is new, also where the answers came to this process."""
    storage, read = both.storage._storages["app"], []
    answers_to = storage.answers_to

    async def looked(*request: str, known: object) -> object:
        found = await answers_to(*request, known=known)
        read.extend(kept.id for kept in found)
        return found

    monkeypatch.setattr(storage, "answers_to", looked)
    if is_own_door:
        both.scene.network.put_behind(both.asker.subscriber_id, both.asker.entrance)

    answers = [answer.sender.id async for answer in both.asker.ask(SEARCH, SEARCH_ALL, wait=5)]

    assert len(answers) == 2
    assert sorted(read) == ([] if is_own_door else sorted(each.id for each in storage.accepted))


async def test_answer_committed_after_a_later_one_is_heard(both):
    """Ours: rows get their ids before they are committed; the order of the ids is not that of the commits."""
    storage = both.storage._storages["app"]
    async with asked(both.scene, SEARCH, SEARCH_ALL) as (asking, first):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}
        both.scene.network.faults.heal()
        callback = both.scene.callback("on_search", by=both.scene.clinic, message=body_of("on_search"), **ids)
        await both.scene.send(both.scene.forwarded(callback), both.door, settle=False)
        await first
        watched, heard = both.asker._office._elsewhere, both.asker._office.taps
        storage.accepted.append(replace(storage.accepted[0], id="0"))
        heard.open(asking.message_id)

        await watched._pour(asking.message_id, set())

        assert "0" in heard.heard(asking.message_id)
        heard.close(asking.message_id)


async def test_asker_that_is_gone_leaves_nothing_that_looks(both):
    """Ours: whoever stops listening is not looked for any longer."""
    both.scene.network.faults.drop("on_init", times=-1)
    with pytest.raises(NoAnswer):
        await both.asker.ask(INIT, A_WISH, A_THREAD, wait=3)

    await both.scene.network.clock.advance(2)
    await asyncio.sleep(0)

    assert both.asker._office._elsewhere._waiting == {}

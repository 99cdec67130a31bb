"""What every storage holds to: journal, requests and outbox, in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from tests.storage.keepsakes import (
    BODY,
    NOW,
    OTHER_DOOR,
    OTHERS,
    THEM,
    US,
    arrival,
    asked,
    callback,
    delivered,
    letter,
    put_off,
)
from uhi.ports import Arrived, Backlog, Change, Leased, Tripped
from uhi.subscribers import Role, Subscriber


async def test_same_body_again_is_repeated_and_another_one_is_in_conflict(storage):
    """Decision on duplicates: a single-shot leg has one body for each message id."""
    first = arrival(variant="")

    assert await storage.accept(first) is Arrived.NEW
    assert await storage.accept(replace(first, id="again")) is Arrived.REPEATED
    assert await storage.accept(replace(first, id="other", digest="other")) is Arrived.CONFLICT


@pytest.mark.parametrize("differs", ["receiver", "signer", "path_role", "message_id", "variant"])
async def test_identity_is_receiver_signer_role_message_and_variant(storage, differs):
    """Decision on duplicates: what differs in one of the five is another message."""
    first = arrival()
    await storage.accept(first)

    assert await storage.accept(replace(arrival(message_id=first.message_id), **{differs: "else"})) is Arrived.NEW


async def test_a_hundred_copies_in_parallel_are_one_message(storage):
    """The issue, on duplicates: 100 copies in parallel have one effect."""
    first = arrival()
    copies = [replace(first, id=f"copy-{number:03}") for number in range(100)]

    arrived = await asyncio.gather(*(storage.accept(copy) for copy in copies))

    assert Counter(arrived) == {Arrived.NEW: 1, Arrived.REPEATED: 99}


async def test_hop_header_is_used_once_for_each_receiver(storage):
    """Decision on replays: remembered per receiver until it expires, whatever became of the message."""
    header = {"hop_header": "Signature gateway", "hop_expires": NOW + 10}
    first = arrival(**header)

    assert await storage.accept(first) is Arrived.NEW
    assert await storage.accept(replace(first, id="again")) is Arrived.REPLAYED
    assert await storage.accept(arrival(**header)) is Arrived.REPLAYED
    assert await storage.accept(arrival(receiver=OTHERS, **header)) is Arrived.NEW


async def test_refused_and_repeated_messages_use_up_their_header(storage):
    """Decision on replays: the same header again is refused, although the message was known before."""
    first = arrival()
    repeated = replace(first, id="again", hop_header="Signature new", hop_expires=NOW + 10)
    beyond = arrival(cap=1, hop_header="Signature beyond", hop_expires=NOW + 10)
    await storage.accept(first)

    assert [await storage.accept(each) for each in (repeated, beyond)] == [Arrived.REPEATED, Arrived.TOO_MANY]
    assert [await storage.accept(each) for each in (repeated, beyond)] == [Arrived.REPLAYED, Arrived.REPLAYED]


async def test_header_that_came_twice_at_once_counts_once(storage):
    """Decision on replays: two arrivals of one group are no exception."""
    header = {"hop_header": "Signature gateway", "hop_expires": NOW + 10}

    arrived = await asyncio.gather(*(storage.accept(arrival(**header)) for _ in range(5)))

    assert Counter(arrived) == {Arrived.NEW: 1, Arrived.REPLAYED: 4}


async def test_differing_messages_of_a_transaction_are_capped_for_each_signer(storage):
    """Decision on duplicates: 20 on_search of one provider, then no more; what is refused is not kept."""
    arrived = await asyncio.gather(*(storage.accept(arrival(cap=3)) for _ in range(5)))

    assert arrived == [Arrived.NEW] * 3 + [Arrived.TOO_MANY] * 2
    assert await storage.accept(arrival(cap=3)) is Arrived.TOO_MANY
    assert await storage.accept(arrival(cap=3, signer=OTHERS)) is Arrived.NEW
    assert await storage.accept(arrival(cap=3, transaction_id="t-2")) is Arrived.NEW


async def test_question_has_one_answer_that_may_come_again(storage):
    """Decision on correlation: whoever answers first has answered; its repeats are its own."""
    await storage.commit(Change(opens=asked()))
    first = arrival(path_role="on_confirm", variant="", message_id="x-1", answers=asked())
    exact = replace(first, id="exact", message_id="m-1")

    assert await storage.accept(first) is Arrived.NEW
    assert await storage.accept(arrival(path_role="on_confirm", answers=asked())) is Arrived.ANSWERED
    assert await storage.accept(replace(first, id="again")) is Arrived.REPEATED
    assert await storage.accept(exact) is Arrived.NEW


async def test_two_answers_at_once_are_one_answer(storage):
    """Decision on correlation: within one group too the first one wins, and the other leaves nothing."""
    await storage.commit(Change(opens=asked()))
    both = [arrival(path_role="on_confirm", answers=asked(), cap=2) for _ in range(2)]

    assert await asyncio.gather(*map(storage.accept, both)) == [Arrived.NEW, Arrived.ANSWERED]
    assert await storage.accept(arrival(path_role="on_confirm", cap=2)) is Arrived.NEW


async def test_broadcast_is_answered_by_many(storage):
    """Decision on correlation: a search has no counterpart and stays open."""
    search = asked(leg="search", counterpart="")
    await storage.commit(Change(opens=search))

    answers = [arrival(signer=signer, answers=search) for signer in (THEM, THEM, OTHERS)]

    assert [await storage.accept(each) for each in answers] == [Arrived.NEW] * 3
    assert await storage.fitting(callback("x-9", leg="search", counterpart=OTHERS)) == search


async def test_exact_message_id_wins_over_the_transaction(storage):
    """Decision on correlation: else the oldest request of the transaction that is not answered."""
    older, newer = asked(), asked(message_id="m-2", opened_at=NOW + 1)
    await storage.commit(Change(opens=older))
    await storage.commit(Change(opens=newer))

    assert await storage.fitting(callback("m-2")) == newer
    assert await storage.fitting(callback("x-1")) == older
    await storage.accept(arrival(message_id="x-1", answers=older))
    assert await storage.fitting(callback("x-2")) == newer
    assert await storage.fitting(callback("m-1")) == older
    assert await storage.fitting(callback("x-1")) == older


@pytest.mark.parametrize("differs", ["owner", "leg", "counterpart"])
async def test_callback_fits_only_its_own_request(storage, differs):
    """Decision on correlation: same owner, action pair and counterpart."""
    await storage.commit(Change(opens=asked(ttl_until=NOW + 5)))

    assert await storage.fitting(replace(callback(), **{differs: "else"})) is None
    assert await storage.fitting(callback("x-1", transaction_id="t-2")) is None
    assert await storage.fitting(callback()) == asked(ttl_until=NOW + 5)


async def test_owner_talks_with_whom_it_asked_and_whose_message_it_accepted(storage):
    """Decision on correlation: news come from parties of the transaction only."""
    await storage.commit(Change(opens=asked()))
    await storage.accept(arrival(signer=OTHERS, transaction_id="t-2"))

    assert await storage.talks_with(US, THEM, "t-1")
    assert await storage.talks_with(US, OTHERS, "t-2")
    assert not await storage.talks_with(US, OTHERS, "t-1")
    assert not await storage.talks_with(THEM, US, "t-1")


async def test_letter_belongs_to_the_search_it_was_sent_for(storage):
    """Decision on open searches: asker, transaction and a provider that was asked, while it is open."""
    search = asked(
        leg="search",
        counterpart="",
        cause="row-1",
        asker=Subscriber("app.example", Role.CONSUMER, "https://app.example/uhi"),
    )
    await storage.accept(arrival(id="row-1", path_role="search", opens=search))
    await storage.commit(Change(finishes="row-1", letters=(letter(cause="row-1", path="search"),)))

    async def found(asker: str = "app.example", provider: str = THEM, now: float = NOW):
        return await storage.search_of(US, "t-1", asker=asker, provider=provider, now=now)

    assert [await found(), await found(asker="")] == [search, search]
    assert await found(asker="else.example") is None
    assert await found(provider=OTHERS) is None
    assert await found(now=NOW + 61) is None


async def test_without_an_asker_the_search_must_be_the_only_one(storage):
    """Decision on open searches: keyed by consumer and transaction; a guess might send it to the wrong one."""
    for number, app in enumerate(["one.example", "two.example"]):
        asker = Subscriber(app, Role.CONSUMER, f"https://{app}")
        search = asked(leg="search", message_id=f"m-{number}", counterpart="", cause=f"row-{number}", asker=asker)
        await storage.accept(arrival(id=f"row-{number}", path_role="search", opens=search))
        await storage.commit(Change(finishes=f"row-{number}", letters=(letter(cause=f"row-{number}"),)))

    found = await storage.search_of(US, "t-1", asker="two.example", provider=THEM, now=NOW)

    assert found is not None
    assert found.message_id == "m-1"
    assert await storage.search_of(US, "t-1", asker="", provider=THEM, now=NOW) is None


async def test_message_is_dealt_with_once(storage):
    """Reliability, receive side: what follows from a message follows once."""
    message = arrival()
    await storage.accept(message)
    changes = [Change(finishes=message.id, letters=(letter(cause=message.id),)) for _ in range(2)]

    sent = await asyncio.gather(*map(storage.commit, changes))

    assert [len(letters) for letters in sent] == [1, 0]
    assert await storage.commit(Change(finishes="never came", letters=(letter(),))) == ()
    assert (await storage.backlog(now=NOW)).letters == 1


async def test_one_cause_has_one_letter_for_each_receiver_and_path(storage):
    """Decision on the journal: the expansion into letters is idempotent."""
    first, again, elsewhere = letter(cause="row"), letter(cause="row"), letter(cause="row", to=OTHER_DOOR)

    assert await storage.commit(Change(letters=(first,))) == (first,)
    assert await storage.commit(Change(letters=(again, elsewhere))) == (elsewhere,)


async def test_letter_that_is_due_is_sent_at_once_and_others_wait(storage):
    """Reliability, send side: a letter waits until its time."""
    now_due, later = letter(), letter(not_before=NOW + 5)

    assert await storage.commit(Change(letters=(now_due, later))) == (now_due,)
    assert await storage.lease(now=NOW, most=10) == Leased((), NOW + 5)
    assert await storage.lease(now=NOW + 5, most=10) == Leased((later,), None)


async def test_line_goes_one_after_the_other(storage):
    """Reliability, send side: order is kept within a line, also while its first letter is put off."""
    first, second, third = (letter(line="order-1") for _ in range(3))

    assert await storage.commit(Change(letters=(first, second))) == (first,)
    assert await storage.commit(Change(letters=(third,))) == ()
    assert (await storage.lease(now=NOW, most=10)).letters == ()
    await storage.settle(put_off(first, until=NOW + 5))
    assert await storage.lease(now=NOW, most=10) == Leased((), NOW + 5)
    leased = await storage.lease(now=NOW + 5, most=10)
    assert [each.id for each in leased.letters] == [first.id]
    await storage.settle(delivered(leased.letters[0]))
    assert (await storage.lease(now=NOW + 5, most=10)).letters == (second,)


async def test_most_urgent_letters_are_leased_first(storage):
    """Reliability, send side: by priority, then by time; no more than there is room for."""
    plain, urgent, early = (
        letter(not_before=NOW + 2),
        letter(not_before=NOW + 3, priority=1),
        letter(not_before=NOW + 1),
    )
    await storage.commit(Change(letters=(plain, urgent, early)))

    assert (await storage.lease(now=NOW + 9, most=2)).letters == (urgent, early)
    assert (await storage.lease(now=NOW + 9, most=2)).letters == (plain,)
    assert (await storage.lease(now=NOW + 9, most=2)).letters == ()


async def test_attempts_are_counted_until_a_letter_ends(storage):
    """Reliability, send side: an attempt that failed leaves the letter for the next one."""
    sent = letter()
    await storage.commit(Change(letters=(sent,)))

    await storage.settle(replace(put_off(sent, until=NOW + 5), signed_again=1))
    again = (await storage.lease(now=NOW + 5, most=1)).letters[0]

    assert again == replace(sent, attempts=1, signed_again=1, not_before=NOW + 5)
    await storage.settle(delivered(again))
    assert await storage.lease(now=NOW + 1_000, most=1) == Leased((), None)
    assert await storage.backlog(now=NOW) == Backlog()


async def test_ending_of_a_letter_that_is_not_ours_changes_nothing(storage):
    """Reliability, send side: what another process took over is settled by that one."""
    waiting = letter(not_before=NOW + 5)
    await storage.commit(Change(letters=(waiting,)))

    await storage.settle(delivered(waiting))
    await storage.settle(delivered(letter()))

    assert (await storage.lease(now=NOW + 5, most=1)).letters == (waiting,)


async def test_backlog_counts_what_waits(storage):
    """Reliability, backpressure: waiting bytes, equal bodies once; the oldest letter due; messages not dealt with."""
    await storage.accept(arrival())
    await storage.accept(arrival(is_finished=True))
    await storage.commit(Change(letters=(letter(), letter(line="l"), letter(line="l", digest="other"))))

    assert await storage.backlog(now=NOW) == Backlog(3, 2 * len(BODY), 0.0, 1)


async def test_after_a_crash_everything_is_there_again(storage):
    """Reliability, crash points K5 and K6: work resumes from rows."""
    message, sent, waiting = arrival(), letter(), letter(not_before=NOW + 5)
    await storage.accept(message)
    await storage.commit(Change(letters=(sent, waiting)))

    await storage.reclaim(now=NOW)

    kept = await storage.take_up(now=NOW, most=10)
    assert [(each.id, each.body, each.facts, each.authorization) for each in kept] == [
        (message.id, BODY, message.facts, message.authorization)
    ]
    assert await storage.take_up(now=NOW, most=10) in ((), [])
    assert await storage.lease(now=NOW, most=10) == Leased((sent,), NOW + 5)


async def test_secret_letter_is_one_after_a_crash_too(storage):
    """Decision on PINs: what is to be forgotten at the end is known to whoever sends it then."""
    sent = letter(is_secret=True)
    await storage.commit(Change(letters=(sent,)))

    await storage.reclaim(now=NOW)

    assert await storage.lease(now=NOW, most=1) == Leased((sent,), None)


async def test_oldest_messages_are_taken_up_first_and_expired_ones_never(storage):
    """The issue, on starting: expired things are marked so."""
    late = arrival(received_at=NOW - 90, deadline=NOW - 30)
    old, new = arrival(received_at=NOW - 2), arrival(received_at=NOW - 1)
    for each in (late, old, new, arrival(is_finished=True)):
        await storage.accept(each)
    await storage.release()

    taken = [kept.id for _ in range(3) for kept in await storage.take_up(now=NOW, most=1)]

    assert [each for each in taken if each != late.id] == [old.id, new.id]
    assert late.id not in taken
    assert (await storage.backlog(now=NOW)).unfinished == 2


async def test_what_is_worked_on_is_not_taken_up(storage):
    """Reliability, receive side: whoever accepted a message deals with it."""
    await storage.accept(arrival())

    assert list(await storage.take_up(now=NOW, most=10)) == []


async def test_breakers_are_remembered_while_they_are_not_shut(storage):
    """Reliability, breakers: a restart does not forget them."""
    await storage.trip(Tripped("them.example", NOW + 30, 1))
    await storage.trip(Tripped("them.example", NOW + 60, 2))
    await storage.trip(Tripped("others.example", NOW + 30, 1))
    await storage.trip(Tripped("others.example", 0.0, 0))

    assert list(await storage.tripped()) == [Tripped("them.example", NOW + 60, 2)]

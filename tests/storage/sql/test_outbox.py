"""The outbox, on both databases: what is held, what is secret, what cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.storage.keepsakes import NOW, OTHER_DOOR, arrival, delivered, letter, put_off
from tests.storage.rows import count, rows
from uhi.errors import Refusal
from uhi.ports import Change, Leased, LetterState, Retention
from uhi.storage.sql import groups
from uhi.storage.sql.tables import body, outbox

DAY = 86_400.0


async def test_what_a_living_process_sends_is_not_sent_by_itself_again(storage, other):
    """Ours: a clock that is set, or a database that was away, ends leases, but not the attempts."""
    sent, left = letter(), letter()
    await storage.commit(Change(letters=(sent,)))
    await other.commit(Change(letters=(left,)))

    assert (await storage.lease(now=NOW + 100, most=9)).letters == (left,)
    assert (await other.lease(now=NOW + 101, most=9)).letters == ()
    await storage.settle(delivered(sent))
    assert (await other.lease(now=NOW + 200, most=9)).letters == (left,)


@pytest.mark.parametrize("state", [LetterState.DELIVERED, LetterState.REFUSED, LetterState.EXPIRED])
async def test_secret_body_is_gone_once_its_letter_has_ended(storage, database, state):
    """Decision on PINs: seven days of a delivered body with a PIN are seven days too many."""
    secret, plain = letter(is_secret=True), letter(body=b"plain", digest="plain")
    await storage.commit(Change(letters=(secret, plain)))
    await storage.settle(put_off(secret, until=NOW + 1))
    assert await count(database, body) == 2

    [again] = (await storage.lease(now=NOW + 1, most=1)).letters
    await storage.settle(replace(delivered(again), state=state))
    await storage.settle(replace(delivered(plain), state=state))

    assert await rows(database, body, "id") == [(plain.id,)]


async def test_secret_body_is_kept_while_another_letter_has_to_bring_it(storage, other, database):
    """Decision on audit copies: they are the very bytes of the callback."""
    first = letter(is_secret=True)
    copy = replace(first, id=letter().id, to=OTHER_DOOR, path="on_confirm_audit")
    await storage.commit(Change(letters=(first, copy)))

    await storage.settle(delivered(first))
    await storage.release()
    assert (await other.lease(now=NOW, most=1)).letters == (copy,)
    await other.settle(delivered(copy))

    assert await count(database, body) == 0


async def test_two_processes_that_end_a_secret_at_once_leave_nothing_of_it(pair, opened, postgres_url):
    """Decision on PINs: whoever comes last deletes, also where neither sees the other's end."""
    for _ in range(10):
        first = letter(is_secret=True)
        copy = replace(first, id=letter().id, path="on_confirm_audit", not_before=NOW + 1)
        await pair[0].commit(Change(letters=(first, copy)))
        await pair[1].lease(now=NOW + 1, most=1)

        for one, each in zip(pair, (first, copy), strict=True):
            await one.settle(delivered(each))

    assert await count(opened(postgres_url), body) == 0


async def test_secret_body_of_a_dead_letter_waits_for_the_operator_until_its_age(storage, database):
    """Issue "Outbox": what is DEAD may be sent again; the purge by age ends that."""
    secret = letter(is_secret=True)
    await storage.commit(Change(letters=(secret,)))

    await storage.settle(replace(delivered(secret), state=LetterState.DEAD))
    await storage.purge(Retention(), now=NOW + 6 * DAY)
    assert await count(database, body) == 1
    await storage.purge(Retention(), now=NOW + 8 * DAY)

    assert await count(database, body) == 0


async def test_unreadable_letter_is_given_up_after_ten_minutes_and_its_line_goes_on(
    storage, without_key, database, caplog
):
    """Reliability, send side: a lost key holds up one letter, not a conversation, and an operator is told."""
    first = letter(line="l", is_critical=True, deadline=NOW + 9 * DAY)
    await storage.commit(Change(letters=(first,)))
    await storage.reclaim(now=NOW)
    behind = letter(line="l", is_critical=True, deadline=NOW + 9 * DAY)
    await without_key.commit(Change(letters=(behind,)))

    for minute in range(10):
        assert await without_key.lease(now=NOW + 60 * minute, most=9) == Leased((), NOW + 60 * (minute + 1))
    assert (await without_key.lease(now=NOW + 600, most=9)).letters == ()

    assert (await without_key.lease(now=NOW + 600, most=9)).letters == (behind,)
    assert (first.id, "DEAD", "BODY_UNREADABLE", 0) in await rows(
        database, outbox, "id", "state", "last_error_code", "attempts"
    )
    assert [line.message_id for line in caplog.records if "given up" in line.msg] == [first.message_id]


async def test_unreadable_letter_is_sent_once_its_key_is_found(storage, without_key, sealing, database):
    """Reliability, send side: it waits for its key for some minutes."""
    sent = letter(deadline=NOW + 900)
    await storage.commit(Change(letters=(sent,)))
    await storage.release()
    await without_key.lease(now=NOW, most=9)

    [again] = (await storage.lease(now=NOW + 60, most=9)).letters

    assert again == replace(sent, not_before=NOW + 60)


@pytest.mark.parametrize(("is_critical", "state"), [(True, "DEAD"), (False, "EXPIRED")])
async def test_unreadable_letter_past_its_deadline_ends_as_its_kind_does(
    storage, without_key, database, is_critical, state
):
    """Reliability, send side: what is critical is never lost without an operator's knowing."""
    await storage.commit(Change(letters=(letter(deadline=NOW + 50, is_critical=is_critical),)))
    await storage.release()

    for at in (NOW, NOW + 60):
        await without_key.lease(now=at, most=9)

    assert await rows(database, outbox, "state") == [(state,)]


async def test_what_is_in_hand_is_kept_and_ended_however_much_waits(storage, monkeypatch):
    """Reliability, backpressure: only what is new is refused; the rest is bounded by what is under way."""
    first, second = letter(), letter()
    await storage.commit(Change(letters=(first, second)))
    monkeypatch.setattr(groups, "MOST_WAITING", 0)

    await storage.renew(now=NOW + 1)
    await storage.settle(delivered(first))
    await storage.release()
    with pytest.raises(Refusal):
        await storage.accept(arrival())

    monkeypatch.undo()
    assert (await storage.lease(now=NOW, most=9)).letters == (second,)

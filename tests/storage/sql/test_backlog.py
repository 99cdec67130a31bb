"""How much waits, on both databases, however much it is."""

from __future__ import annotations

from tests.storage.keepsakes import BODY, NOW, letter
from uhi.ports import Backlog, Change
from uhi.storage.sql import backlog


async def test_size_of_a_great_many_letters_is_an_estimate(storage, monkeypatch):
    """Reliability, backpressure: the letters are counted, their bytes known by those that are weighed."""
    searches = [letter(digest=f"d-{number // 5}", not_before=NOW + 5) for number in range(40)]
    await storage.commit(Change(letters=tuple(searches)))

    exact = await storage.backlog(now=NOW)
    monkeypatch.setattr(backlog, "MOST_WEIGHED", 20)
    estimate = await storage.backlog(now=NOW)

    assert exact == estimate == Backlog(40, 8 * len(BODY), None, 0)


async def test_oldest_letter_due_is_found_among_all_priorities(storage):
    """Reliability, health: how long the oldest letter has waited; what is due later is none of it."""
    times = [(3, NOW + 4), (1, NOW + 2), (2, NOW + 1), (2, NOW + 9)]
    await storage.commit(Change(letters=tuple(letter(priority=each, not_before=at) for each, at in times)))

    assert [(await storage.backlog(now=NOW + at)).oldest_due for at in (0, 1, 9)] == [None, NOW + 1, NOW + 1]
    assert [(await storage.lease(now=NOW + at, most=0)).next_due for at in (0, 1, 3, 9)] == [
        NOW + 1,
        NOW + 2,
        NOW + 4,
        None,
    ]

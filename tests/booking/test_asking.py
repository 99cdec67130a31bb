"""Inits under way: each knows what was kept for its consumer since it read, and how many came before it."""

from __future__ import annotations

from dataclasses import replace

from tests.booking.test_store import an_order
from tests.booking.ward import slot
from uhi.booking.asking import Askings


def test_an_init_learns_what_was_kept_after_it_read():
    """Reliability, hold limits: the share of a day counts what another init of the consumer got meanwhile."""
    askings = Askings()
    kept = an_order("a", slot(0))
    consumer = kept.thread.consumer_id

    with askings.one_of(consumer) as first, askings.one_of(consumer) as second, askings.one_of("other") as other:
        askings.kept(kept)
        counts = [each.of_day(slot(1)) for each in (first, second, other)]

    assert counts == [1, 1, 0]
    assert (first.others, second.others, other.others) == (0, 1, 0)


def test_what_was_read_and_what_was_told_counts_once_and_offers_do_not():
    """Reliability, hold limits: a slot the facility keeps for a patient is nobody's hoard."""
    askings = Askings()
    kept = an_order("a", slot(0))

    with askings.one_of(kept.thread.consumer_id) as asking:
        asking.live = [kept, replace(kept, id="offer", offer_for="another")]
        askings.kept(kept)

    assert asking.of_day(slot(1)) == 1


def test_an_init_that_ended_is_told_nothing_more():
    """Nothing is remembered of a consumer whose inits are over."""
    askings = Askings()
    kept = an_order("a", slot(0))
    with askings.one_of(kept.thread.consumer_id) as asking:
        pass

    askings.kept(kept)

    assert asking.since == []

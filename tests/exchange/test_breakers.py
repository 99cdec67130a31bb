"""Circuit breakers and retry budgets: who is left alone, for how long, and how posts come back."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from uhi.exchange.breakers import (
    LONGEST,
    PER_DESTINATION,
    PROBE_SECONDS,
    SHORTEST,
    Breakers,
    Health,
    RetryBudget,
)
from uhi.ports import Tripped
from uhi.testing.clock import START

WELL, ILL, SILENT = Health.WELL, Health.ILL, Health.SILENT


def hear(breakers: Breakers, *healths: Health, now: float = START, destination: str = "clinic") -> list[Tripped]:
    heard = [breakers.heard(destination, health, now) for health in healths]
    return [tripped for tripped in heard if tripped is not None]


def opened(trips: int = 1) -> Breakers:
    """A breaker that opened at START."""
    breakers = Breakers()
    if trips == 1:
        hear(breakers, *[SILENT] * 5)
    else:
        breakers.restore([Tripped("clinic", START, trips - 1)])
        breakers.admits("clinic", START)
        hear(breakers, ILL)
    return breakers


@pytest.mark.parametrize(
    ("healths", "trips"),
    [
        ([SILENT] * 4, 0),
        ([SILENT] * 5, 1),
        ([SILENT] * 4 + [WELL] + [SILENT] * 4, 0),
        ([SILENT] * 4 + [ILL] + [SILENT] * 4, 0),
        ([ILL] * 19, 0),
        ([ILL] * 20, 1),
        ([WELL] * 11 + [ILL] * 10, 0),
        ([WELL] * 10 + [ILL] * 10, 1),
        ([WELL, ILL] * 9 + [WELL, WELL, WELL, ILL], 0),
        ([WELL] * 1_000, 0),
    ],
)
def test_breaker_opens_at_half_of_twenty_calls_or_five_without_answer(healths, trips):
    """Reliability rules: closed → open."""
    assert len(hear(Breakers(), *healths)) == trips


def test_failures_older_than_thirty_seconds_do_not_count():
    """Reliability rules: over ≥ 20 calls in 30 s."""
    breakers = Breakers()

    tripped = [each for second in range(190) for each in hear(breakers, ILL, now=START + 2 * second)]
    tripped_later = hear(breakers, *[ILL] * 10, now=START + 380)

    assert tripped == []
    assert len(tripped_later) == 1


@pytest.mark.parametrize(
    ("trips", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (2_000, 600)]
)
def test_open_breaker_lets_nobody_through_for_a_time_that_doubles(trips, seconds):
    """Reliability rules: 30 s, doubled each time up to 10 min."""
    breakers = opened(trips)

    assert breakers.admits("clinic", START) == seconds
    assert breakers.admits("clinic", START + seconds - 1) == 1
    assert breakers.admits("other", START) == 0
    assert breakers.admits("clinic", START + seconds) == 0


def test_breaker_tells_what_to_remember():
    """Reliability rules: a restart does not forget it; nothing is told while nothing changes."""
    breakers = Breakers()

    first = hear(breakers, *[SILENT] * 5, SILENT, WELL)
    breakers.admits("clinic", START + 30)
    again = hear(breakers, ILL, now=START + 31)
    breakers.admits("clinic", START + 91)
    shut = hear(breakers, WELL, WELL, now=START + 92)

    assert first == [Tripped("clinic", START + 30, 1)]
    assert again == [Tripped("clinic", START + 91, 2)]
    assert shut == [Tripped("clinic", 0.0, 0)]


def test_breaker_goes_on_after_a_restart():
    """Reliability rules: state survives restarts; shut breakers are not restored."""
    breakers = Breakers()

    breakers.restore([Tripped("clinic", START + 30, 3), Tripped("other", 0.0, 0)])

    assert (breakers.admits("clinic", START), breakers.admits("other", START)) == (30, 0)
    assert breakers.admits("clinic", START + 30) == 0
    assert hear(breakers, SILENT, now=START + 31) == [Tripped("clinic", START + 31 + 240, 4)]


def test_one_probe_goes_at_a_time():
    """Reliability rules: half-open."""
    breakers = opened()

    first, second = (breakers.admits("clinic", START + 30) for _ in range(2))

    assert first == 0
    assert 0 < second <= PROBE_SECONDS


def test_probe_that_is_never_heard_of_again_makes_room_for_another():
    """Ours: a task that ended meanwhile must not keep a breaker open for ever."""
    breakers = opened()
    breakers.admits("clinic", START + 30)

    assert breakers.admits("clinic", START + 30 + PROBE_SECONDS - 1) > 0
    assert breakers.admits("clinic", START + 30 + PROBE_SECONDS) == 0


def test_probe_that_was_not_posted_makes_room_for_another():
    """Ours: a letter past its deadline says nothing about its receiver."""
    breakers = opened()
    breakers.admits("clinic", START + 30)

    assert breakers.heard("clinic", None, START + 30) is None
    assert breakers.admits("clinic", START + 30) == 0


@pytest.mark.parametrize("health", [WELL, ILL, SILENT])
def test_answers_to_posts_of_before_the_breaker_opened_change_nothing(health):
    """Ours: only a probe decides."""
    breakers = opened()

    assert hear(breakers, health, now=START + 5) == []
    assert breakers.admits("clinic", START + 29) == 1


def test_posts_grow_from_one_after_a_breaker_has_shut():
    """Reliability rules: no burst on close."""
    breakers = opened()
    before = breakers.places("clinic")
    breakers.admits("clinic", START + 30)

    grown = []
    for _ in range(5):
        hear(breakers, WELL, now=START + 30)
        grown.append(breakers.places("clinic"))

    assert (before, breakers.places("other")) == (1, PER_DESTINATION)
    assert grown == [1, 2, 4, 8, 8]


def test_peer_that_fails_while_it_comes_back_is_left_alone_longer():
    """Ours: it has not come back; one that has taken all its posts starts again with 30 s."""
    flapping, healed = opened(), opened()
    for breakers, well in ((flapping, 2), (healed, 6)):
        breakers.admits("clinic", START + 30)
        hear(breakers, *[WELL] * well, now=START + 30)

    assert hear(flapping, *[SILENT] * 5, now=START + 31) == [Tripped("clinic", START + 91, 2)]
    assert hear(healed, *[SILENT] * 5, now=START + 31) == [Tripped("clinic", START + 61, 1)]


def test_peer_that_does_not_answer_gets_fewer_posts_at_once():
    """Reliability rules: a black hole does not hold places that others need; one answer is enough to have them back."""
    breakers, places = Breakers(), []

    for health in (SILENT, SILENT, SILENT, SILENT, WELL):
        hear(breakers, health)
        places.append(breakers.places("clinic"))

    assert places == [4, 2, 1, 1, 8]


@pytest.mark.parametrize("jump", [-86_400.0, -1.0, 86_400.0])
def test_clock_that_jumps_keeps_nobody_out_for_longer_than_the_rules(jump):
    """Fault plans: clock jumps."""
    breakers = opened()

    wait = breakers.admits("clinic", START + jump)

    assert wait <= LONGEST
    assert not wait or breakers.admits("clinic", START + jump + wait) == 0


def test_memory_is_bounded_and_forgets_the_well_ones_first():
    """Ours: subscribers come and go; whoever was not heard of for longest is forgotten first."""
    breakers = Breakers(most=3)
    breakers.restore([Tripped("open", START + 30, 1)])

    for name in ("old", "young", "old", "third"):
        hear(breakers, SILENT, destination=name)

    assert [breakers.places(name) for name in ("open", "young", "old", "third")] == [1, 8, 2, 4]
    breakers.restore([Tripped(f"{number}", START + 30, 1) for number in range(10)])
    assert len(breakers._open) + len(breakers._shut) == 3


class BreakerMachine(RuleBasedStateMachine):
    """One destination, any order of posts, answers and time: what the rules promise at every moment."""

    @initialize()
    def begin(self) -> None:
        self.breakers = Breakers()
        self.now = START
        self.known = Tripped("clinic", 0.0, 0)
        self.admitted_at: float | None = None

    @rule(seconds=st.sampled_from([0.0, 0.1, 3.0, 29.0, 30.0, 61.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def post(self) -> None:
        wait = self.breakers.admits("clinic", self.now)
        if not self.known.trips:
            assert wait == 0
        elif self.now < self.known.until:
            assert wait == self.known.until - self.now
        elif self.admitted_at is not None and self.now < self.admitted_at + PROBE_SECONDS:
            assert 0 < wait <= PROBE_SECONDS
        else:
            assert wait == 0
            self.admitted_at = self.now

    @rule(health=st.sampled_from([WELL, WELL, ILL, SILENT, None]), times=st.sampled_from([1, 5, 20]))
    @precondition(lambda self: not self.known.trips)
    def answers_come(self, health: Health | None, times: int) -> None:
        for _ in range(times if not self.known.trips else 0):
            tripped = self.breakers.heard("clinic", health, self.now)
            assert tripped is None or health in (ILL, SILENT)
            self._remember(tripped)

    @rule(health=st.sampled_from([WELL, ILL, SILENT, None]))
    @precondition(lambda self: self.known.trips)
    def answer_comes(self, health: Health | None) -> None:
        tripped = self.breakers.heard("clinic", health, self.now)
        if self.admitted_at is None or health is None:
            assert tripped is None
        elif health is WELL:
            assert tripped == Tripped("clinic", 0.0, 0)
            assert self.breakers.places("clinic") == 1
        else:
            assert tripped is not None
            assert tripped.trips == self.known.trips + 1
        self.admitted_at = None
        self._remember(tripped)

    @rule()
    @precondition(lambda self: self.known.trips)
    def process_restarts(self) -> None:
        self.breakers = Breakers()
        self.breakers.restore([self.known])
        self.admitted_at = None

    def _remember(self, tripped: Tripped | None) -> None:
        if tripped is not None:
            assert not tripped.trips or SHORTEST <= tripped.until - self.now <= LONGEST
            self.known = tripped

    @invariant()
    def places_are_between_one_and_all(self) -> None:
        places = self.breakers.places("clinic")
        assert 1 <= places <= PER_DESTINATION
        assert not self.known.trips or places == 1


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_retries_are_a_fifth_of_first_attempts():
    """Reliability rules: retry budget per destination and minute; what is over waits for the next minutes, spread."""
    budget, now = RetryBudget(), START - START % 60
    for _ in range(1_000):
        budget.first("clinic", now)

    pauses = [budget.pause("clinic", now) for _ in range(700)]

    assert [sum(60 * minute <= pause < 60 * minute + 60 for pause in pauses) for minute in range(4)] == [
        *(200, 200, 200),
        100,
    ]
    assert pauses == sorted(pauses)
    assert pauses.count(0.0) == 200
    assert len(set(pauses)) == 501


def test_quiet_destination_has_some_retries():
    """Reliability rules: at least ten a minute, or who is seldom written to could never be tried again."""
    budget, now = RetryBudget(), START - START % 60

    pauses = [budget.pause("clinic", now) for _ in range(11)]

    assert pauses == [0.0] * 10 + [60.0]
    assert budget.pause("other", now) == 0
    assert budget.pause("clinic", now + 60) == 0


def test_budget_of_the_last_minute_still_counts():
    """Ours: a minute that has just begun has few first attempts yet."""
    budget, now = RetryBudget(), START - START % 60
    for _ in range(100):
        budget.first("clinic", now)

    assert [budget.pause("clinic", now + 60) for _ in range(21)].count(0.0) == 20
    assert [budget.pause("clinic", now + 180) for _ in range(11)].count(0.0) == 10


def test_retry_that_comes_too_late_takes_nobodys_turn():
    """Ours: searches that expire must not keep orders waiting."""
    budget, now = RetryBudget(), START - START % 60
    for _ in range(10):
        budget.pause("clinic", now)

    searches = [budget.pause("clinic", now, until=now + 30) for _ in range(1_000)]

    assert set(searches) == {60.0}
    assert budget.pause("clinic", now) == 60.0


def test_no_retry_waits_for_its_turn_longer_than_an_hour():
    """Ours: as with Retry-After."""
    budget = RetryBudget()

    assert max(budget.pause("clinic", START) for _ in range(2_000)) == 3_600


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_budget_survives_a_clock_that_jumps(jump):
    """Fault plans: clock jumps."""
    budget = RetryBudget()
    for _ in range(15):
        budget.pause("clinic", START)

    assert 0 <= budget.pause("clinic", START + jump) <= 120


def test_budgets_are_bounded():
    """Ours: the destination not written to for longest is forgotten."""
    budget = RetryBudget(most=2)

    for name in ("a", "b", "a", "c"):
        budget.first(name, START)

    assert [*budget._minutes] == ["a", "c"]


def test_what_another_process_found_out_counts_here_too():
    """Issue: breakers are shared by all processes: one leaves a destination alone, so do the others."""
    mine, theirs = Breakers(), opened()

    mine.learn([Tripped("clinic", START + SHORTEST, 1)], START)
    theirs.learn([], START)
    assert theirs.admits("clinic", START + 1) == SHORTEST - 1
    theirs.learn([Tripped("clinic", START + SHORTEST, 1)], START)
    theirs.learn([], START)

    assert mine.admits("clinic", START + 1) == SHORTEST - 1
    assert theirs.admits("clinic", START + 1) == 0.0
    assert theirs.places("clinic") == 1


def test_older_word_of_another_process_changes_nothing():
    """Issue: what is known here is newer than what was stored before."""
    breakers = opened(trips=2)

    breakers.learn([Tripped("clinic", START + 1, 1)], START)
    breakers.learn([Tripped("clinic", START + 1, 1), Tripped("old", START - 1, 3)], START)

    assert breakers.admits("clinic", START + 2) == 2 * SHORTEST - 2
    assert breakers.admits("old", START) == 0.0


def test_sign_of_life_lets_a_probe_go_at_once():
    """Ours: who talks to us is there, whatever came of our last posts."""
    breakers = opened()

    breakers.hope("clinic", START + 1)
    breakers.hope("other", START + 1)

    assert breakers.admits("clinic", START + 1) == 0.0
    assert breakers.admits("clinic", START + 1) > 0.0

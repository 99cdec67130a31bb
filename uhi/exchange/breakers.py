"""Circuit breakers: who is not posted to for a while, because posts to there fail, and how often failures are repeated.

Pure decisions per destination; times are Unix seconds and passed in. Above: deliveries; below: values of the ports.
Source: reliability rules, "Breakers and bulkheads" and "Send side" (retry budget).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from uhi.ports import Tripped

PER_DESTINATION = 8
"""Posts under way to one destination that is well."""
SHORTEST = 30.0
LONGEST = 600.0
PROBE_SECONDS = 15.0
"""How long a probe may take; then it counts as lost, and another one goes."""
LOOK_AGAIN = 5.0
MOST_REMEMBERED = 10_000

_WINDOW, _SLOTS = 30.0, 10
_FEWEST_CALLS = 20
_MOST_SILENT = 5
_MOST_DOUBLINGS = 10


class Health(Enum):
    """What an attempt says of the peer. A NACK is as good as an ACK: somebody is there and answers."""

    WELL = "well"
    ILL = "ill"
    SILENT = "silent"


@dataclass(slots=True)
class _Recent:
    """What was heard lately of a destination that is posted to: calls and failures in slots of a few seconds."""

    trips: int = 0
    places: int = PER_DESTINATION
    silent: int = 0
    slots: list[list[int]] = field(default_factory=list)

    def hear(self, health: Health, now: float) -> bool:
        """Count an attempt; whether the destination is to be left alone now."""
        slot = self._slot(int(now * _SLOTS / _WINDOW))
        slot[1] += 1
        if health is Health.WELL:
            self._recover()
            return False
        slot[2] += 1
        self.silent = self.silent + 1 if health is Health.SILENT else 0
        calls, failures = (sum(each[count] for each in self.slots) for count in (1, 2))
        return self.silent >= _MOST_SILENT or (calls >= _FEWEST_CALLS and failures * 2 >= calls)

    def _recover(self) -> None:
        self.silent = 0
        if self.places < PER_DESTINATION:
            self.places = min(2 * self.places, PER_DESTINATION)
        else:
            self.trips = 0

    def _slot(self, number: int) -> list[int]:
        if not self.slots or self.slots[-1][0] != number:
            self.slots = [each for each in self.slots if 0 <= number - each[0] < _SLOTS]
            self.slots.append([number, 0, 0])
        return self.slots[-1]


@dataclass(slots=True)
class _Open:
    """A destination that is left alone until a time; after it, one probe at a time. `probe_until` 0: none is out."""

    until: float
    trips: int
    probe_until: float = 0.0


class Breakers:
    """Which destinations may be posted to.

    Shut: posts go. Open: none goes, for 30 s at first, twice as long each further time, up to 10 minutes. Then one
    probe decides; after it posts grow again from one at a time, so that a peer that has just come back is not run over.
    """

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._shut: OrderedDict[str, _Recent] = OrderedDict()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._shared: frozenset[str] = frozenset()

    def admits(self, destination: str, now: float) -> float:
        """Whether a post may go: 0.0, or after how many seconds to ask again.

        Whoever gets 0.0 for an open breaker is the probe, and `heard` must follow. Ask with a place in the lane in
        hand, so that the probe goes at once.
        """
        breaker = self._open.get(destination)
        if breaker is None:
            return 0.0
        # A clock that was set back must not keep a destination out for longer than any rule does.
        breaker.until = min(breaker.until, now + LONGEST)
        if now < breaker.until:
            return breaker.until - now
        if now < breaker.probe_until <= now + PROBE_SECONDS:
            return min(breaker.probe_until - now, LOOK_AGAIN)
        breaker.probe_until = now + PROBE_SECONDS
        return 0.0

    def heard(self, destination: str, health: Health | None, now: float) -> Tripped | None:
        """Tell how an attempt ended, None where none was made; returns what to remember when a breaker has moved."""
        breaker = self._open.get(destination)
        if breaker is None:
            return None if health is None else self._heard_shut(destination, health, now)
        if not breaker.probe_until:
            return None  # a post of before it opened
        breaker.probe_until = 0.0
        if health is None:
            return None
        if health is not Health.WELL:
            return self._trip(destination, breaker.trips + 1, now)
        del self._open[destination]
        self._shut[destination] = _Recent(trips=breaker.trips, places=1)
        self._bound()
        return Tripped(destination, 0.0, 0)

    def places(self, destination: str) -> int:
        """How many posts may be under way to a destination: fewer where the last ones got no answer, or after a
        breaker has shut; see `Lanes`."""
        if destination in self._open:
            return 1
        recent = self._shut.get(destination)
        if recent is None:
            return PER_DESTINATION
        return max(min(recent.places, PER_DESTINATION >> recent.silent), 1)

    def restore(self, tripped: Sequence[Tripped]) -> None:
        """Go on with the breakers of an earlier life."""
        for each in tripped:
            if each.trips > 0:
                self._shut.pop(each.destination, None)
                self._open[each.destination] = _Open(each.until, each.trips)
        self._bound()

    def hope(self, destination: str, now: float) -> None:
        """A destination has shown signs of life: let a probe find out, if it is left alone."""
        breaker = self._open.get(destination)
        if breaker is not None:
            breaker.until = min(breaker.until, now)

    def learn(self, tripped: Sequence[Tripped], now: float) -> None:
        """What all processes together know by now: whom one leaves alone all do, and whom one found well again all."""
        known = {each.destination: each for each in tripped if each.trips > 0}
        for destination, each in known.items():
            breaker = self._open.get(destination)
            if each.until > now and (breaker is None or each.until > breaker.until):
                self._shut.pop(destination, None)
                self._open[destination] = _Open(each.until, each.trips)
        # What was tripped here a moment ago may not be stored yet; only what was known to all is shut by its absence.
        for destination in [each for each in self._open if each in self._shared and each not in known]:
            self._shut[destination] = _Recent(trips=self._open.pop(destination).trips, places=1)
        self._shared = frozenset(known)
        self._bound()

    def _heard_shut(self, destination: str, health: Health, now: float) -> Tripped | None:
        recent = self._shut.get(destination)
        if recent is None:
            recent = self._shut[destination] = _Recent()
            self._bound()
        else:
            self._shut.move_to_end(destination)
        return self._trip(destination, recent.trips + 1, now) if recent.hear(health, now) else None

    def _trip(self, destination: str, trips: int, now: float) -> Tripped:
        until = now + min(SHORTEST * 2.0 ** min(trips - 1, _MOST_DOUBLINGS), LONGEST)
        self._shut.pop(destination, None)
        self._open.pop(destination, None)
        self._open[destination] = _Open(until, trips)
        self._bound()
        return Tripped(destination, until, trips)

    def _bound(self) -> None:
        while len(self._shut) + len(self._open) > self._most:
            (self._shut or self._open).popitem(last=False)


_SHARE = 0.2
_AT_LEAST = 10
_MINUTE = 60.0
_LONGEST_PAUSE = 3_600.0


@dataclass(slots=True)
class _Minute:
    """First attempts of this minute and the last one, and retries promised from the beginning of this one on."""

    number: int
    first: int = 0
    before: int = 0
    promised: int = 0

    @property
    def most(self) -> int:
        """Retries a minute."""
        return max(_AT_LEAST, int(_SHARE * max(self.first, self.before)))

    def move_to(self, number: int) -> None:
        """Begin another minute."""
        passed = number - self.number
        self.promised = max(self.promised - self.most * max(passed, 0), 0)
        self.before = self.first if passed == 1 else 0
        self.first = 0
        self.number = number


class RetryBudget:
    """Retries to one destination: at most a fifth of its first attempts in each minute, and ten in any case."""

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._minutes: OrderedDict[str, _Minute] = OrderedDict()

    def first(self, destination: str, now: float) -> None:
        """Count a first attempt."""
        self._minute(destination, now).first += 1

    def pause(self, destination: str, now: float, *, until: float = float("inf")) -> float:
        """Promise a retry: how many seconds it must wait at least, up to an hour.

        One that would come after `until`, its letter's deadline, takes nobody's turn.
        """
        minute = self._minute(destination, now)
        ahead, place = divmod(minute.promised, minute.most)
        begins = (minute.number + ahead + place / minute.most) * _MINUTE
        wait = max(begins - now, 0.0) if ahead else 0.0
        if wait > _LONGEST_PAUSE:
            return _LONGEST_PAUSE
        minute.promised += now + wait <= until
        return wait

    def _minute(self, destination: str, now: float) -> _Minute:
        number = int(now // _MINUTE)
        minute = self._minutes.get(destination)
        if minute is None:
            minute = self._minutes[destination] = _Minute(number)
            if len(self._minutes) > self._most:
                self._minutes.popitem(last=False)
        else:
            self._minutes.move_to_end(destination)
        if minute.number != number:
            minute.move_to(number)
        return minute

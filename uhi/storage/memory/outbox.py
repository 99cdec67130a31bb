"""The outbox in memory: letters until they have come to an end. Above: `uhi.storage.memory.storage`."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from uhi.ports import Backlog, Ending, Leased, Letter


@dataclass(slots=True)
class MemoryOutbox:
    """Letters that wait, in order of urgency and time, and letters that are being sent."""

    _ready: dict[str, Letter] = field(default_factory=dict)
    _leased: dict[str, Letter] = field(default_factory=dict)
    _due: list[tuple[float, str]] = field(default_factory=list)
    _lines: dict[str, list[str]] = field(default_factory=dict)
    _asked: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    _bodies: Counter[str] = field(default_factory=Counter)
    _size: int = 0

    def add(self, letters: Iterable[Letter], *, now: float) -> tuple[Letter, ...]:
        """Keep letters; returns those that may go at once."""
        return tuple(letter for letter in letters if self._is_new(letter) and self._may_go(letter, now))

    def lease(self, *, now: float, most: int, without: Collection[str]) -> Leased:
        """See `uhi.ports.Outbox`."""
        due: list[Letter] = []
        blocked: list[tuple[float, str]] = []
        while self._due and self._due[0][0] <= now:
            at, name = heapq.heappop(self._due)
            if not self._waits(at, name):
                continue
            letter = self._ready[name]
            if letter.to.id not in without and self._is_first(letter):
                due.append(letter)
            else:
                blocked.append((at, name))
        due.sort(key=lambda letter: (letter.priority, letter.not_before, letter.id))
        for letter in due[most:]:
            heapq.heappush(self._due, (letter.not_before, letter.id))
        while self._due and not self._waits(*self._due[0]):
            heapq.heappop(self._due)
        next_due = self._due[0][0] if self._due else None
        for each in blocked:
            heapq.heappush(self._due, each)
        leased = tuple(due[:most])
        for letter in leased:
            self._leased[letter.id] = self._ready.pop(letter.id)
        # What waits for its turn in a line is woken by the end of the letter before it, not by time.
        return Leased(leased, next_due)

    def settle(self, ending: Ending) -> None:
        """See `uhi.ports.Outbox`."""
        letter = self._leased.pop(ending.letter.id, None)
        if letter is None:
            return
        if ending.state.is_end:
            self._bodies[letter.digest] -= 1
            if not self._bodies[letter.digest]:
                del self._bodies[letter.digest]
                self._size -= len(letter.body)
            if letter.line:
                self._leave(letter)
            return
        self._wait(
            replace(
                letter,
                not_before=ending.not_before,
                attempts=ending.attempts,
                signed_again=ending.signed_again,
            )
        )

    def waiting_for(self) -> set[str]:
        """See `uhi.ports.Outbox`."""
        return {letter.to.id for letter in self._ready.values() if letter.attempts}

    def hasten(self, destination: str, *, now: float) -> None:
        """See `uhi.ports.Outbox`."""
        for letter in list(self._ready.values()):
            if letter.attempts and letter.to.id == destination and letter.not_before > now:
                self._wait(replace(letter, not_before=now))

    def free_all(self) -> None:
        """Nobody sends anything."""
        for letter in list(self._leased.values()):
            del self._leased[letter.id]
            self._wait(letter)

    def has_asked(self, cause: str, provider: str) -> bool:
        """Whether a letter to this subscriber followed from that message."""
        return any(to == provider for to, _ in self._asked.get(cause, ()))

    def forget_cause(self, cause: str) -> None:
        """Nobody asks any more to whom letters went because of this message."""
        self._asked.pop(cause, None)

    def backlog(self, *, unfinished: int) -> Backlog:
        """See `uhi.ports.Outbox`."""
        oldest = self._due[0][0] if self._due else None
        return Backlog(len(self._ready) + len(self._leased), self._size, oldest, unfinished)

    def _is_new(self, letter: Letter) -> bool:
        if not letter.cause:
            return True
        asked = self._asked.setdefault(letter.cause, set())
        if (letter.to.id, letter.path) in asked:
            return False
        asked.add((letter.to.id, letter.path))
        return True

    def _may_go(self, letter: Letter, now: float) -> bool:
        self._bodies[letter.digest] += 1
        if self._bodies[letter.digest] == 1:
            self._size += len(letter.body)
        if letter.line:
            self._lines.setdefault(letter.line, []).append(letter.id)
        if letter.not_before <= now and self._is_first(letter):
            self._leased[letter.id] = letter
            return True
        self._wait(letter)
        return False

    def _waits(self, at: float, name: str) -> bool:
        """Whether an entry still stands for a letter: it may have been hastened since."""
        return name in self._ready and self._ready[name].not_before == at

    def _wait(self, letter: Letter) -> None:
        self._ready[letter.id] = letter
        heapq.heappush(self._due, (letter.not_before, letter.id))

    def _is_first(self, letter: Letter) -> bool:
        return not letter.line or self._lines[letter.line][0] == letter.id

    def _leave(self, letter: Letter) -> None:
        line = self._lines[letter.line]
        line.remove(letter.id)
        if not line:
            del self._lines[letter.line]

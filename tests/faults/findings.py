"""What was written and heard in a simulated network, and what must hold of it when everything has come to its end.

Above: `sites`, which write; `simulation`, which asks. Source: reliability rules, "Test plans" (oracle).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from uhi.booking import OrderState
from uhi.booking.kept import KeptOrder
from uhi.ports import Arrival, Arrived, Change, Ending, Letter, LetterState, Reply
from uhi.testing.transport import Call

_ACK = b'"ACK"'
_GRACE = 60.0
_SHOWING_A_PIN = ("on_confirm", "on_status", "on_update", "on_cancel")
_RELAYED = ("search", "on_search")
_ASKED = ("confirm", "cancel", "status")
_BOOKED = {OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED, OrderState.COMPLETED}


@dataclass
class Entry:
    """What one machine's disk was given."""

    accepted: dict[str, Arrival] = field(default_factory=dict)
    by_digest: dict[str, list[Arrival]] = field(default_factory=lambda: defaultdict(list))
    finished: Counter[str] = field(default_factory=Counter)
    finished_at: dict[str, float] = field(default_factory=dict)
    letters: dict[str, Letter] = field(default_factory=dict)
    ends: dict[str, Ending] = field(default_factory=dict)
    orders: dict[str, KeptOrder] = field(default_factory=dict)
    pins: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Book:
    """Everything that was promised and done, by machine; `trace` gets one line of each."""

    def __init__(self, trace: Any) -> None:
        self.trace = trace
        self.acknowledged: set[tuple[str, str, bytes]] = set()
        self.hearings: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.entries: dict[str, Entry] = defaultdict(Entry)

    def answered(self, host: str, path: str, call: Call, reply: Reply) -> None:
        """A receiver has answered a post, whether or not the answer arrives."""
        if reply.status == 200 and _ACK in reply.body:
            self.acknowledged.add((host, path, call.body))

    def heard(self, site: str, leg: str, digest: str, life: int) -> None:
        """A handler has come to its end."""
        self.hearings[site, leg, digest].append(life)

    async def write(self, site: str, disk: Any, name: str, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        """Make a call of a disk, and note what it changed."""
        entry, outbox = self.entries[site], getattr(disk, "_outbox", None)
        if name == "commit":
            is_valid = not given[0].finishes or given[0].finishes in disk._journal._unfinished
        if name == "settle":
            is_valid = given[0].letter.id in outbox._leased
        result = await getattr(disk, name)(*given, **named)
        if name == "accept" and result is Arrived.NEW:
            entry.accepted[given[0].id] = given[0]
            entry.by_digest[given[0].digest].append(given[0])
        elif name == "commit" and is_valid:
            self._committed(entry, given[0], disk.clock.now())
        elif name == "settle" and is_valid and given[0].state.is_end:
            entry.ends[given[0].letter.id] = given[0]
        elif name == "put":
            self._kept(entry, result.order, tuple(given[1].letters))
        if name in ("accept", "commit", "settle", "put"):
            self.trace(site, f"{name} {_told(name, given[0], result)}")
        return result

    def transactions(self, apps: Iterable[str]) -> set[str]:
        """Those that apps have begun."""
        return {letter.transaction_id for app in apps for letter in self.entries[app].letters.values()}

    def _committed(self, entry: Entry, change: Change, now: float) -> None:
        if change.finishes:
            entry.finished[change.finishes] += 1
            entry.finished_at[change.finishes] = now
        self._promised(entry, change.letters)

    def _promised(self, entry: Entry, letters: tuple[Letter, ...]) -> None:
        for letter in letters:
            entry.letters[letter.id] = letter
            if letter.path in _SHOWING_A_PIN and letter.order_id:
                order = json.loads(letter.body)["message"]["order"]
                entry.pins[order["id"]].add(order.get("authorization", {}).get("token", ""))

    def _kept(self, entry: Entry, order: KeptOrder, letters: tuple[Letter, ...]) -> None:
        entry.orders[order.id] = order
        if order.pin is not None:
            entry.pins[order.id].add(order.pin.token)
        self._promised(entry, letters)


def _told(name: str, given: Any, result: Any) -> str:
    if name == "accept":
        return f"{given.path_role} {given.message_id} {result.value}"
    if name == "commit":
        return f"{given.finishes} {len(given.letters)} {len(result)}"
    if name == "settle":
        return f"{given.letter.path} {given.letter.id} {given.state.value} {given.attempts}"
    return f"{given.id} {given.state} {result.order.version}"


@dataclass
class Check:
    """Looks through a book whose programs have all come to rest; each finding is one line."""

    book: Book
    hospitals: tuple[str, ...]
    gateway: str

    def findings(self) -> list[str]:
        """Everything that is wrong."""
        rules = (
            self._acknowledged_is_accepted,
            self._accepted_is_handled_once,
            self._searches_are_passed_on,
            self._letters_have_ended_in_time,
            self._questions_are_answered_once,
            self._orders_are_unique,
        )
        return [line for rule in rules for line in rule()]

    def _acknowledged_is_accepted(self) -> Iterator[str]:
        """What was acknowledged was written down before."""
        accepted = {
            site: {arrival.body for arrival in entry.accepted.values()} for site, entry in self.book.entries.items()
        }
        for host, path, body in sorted(self.book.acknowledged):
            if body not in accepted.get(host, (body,)):
                yield f"{host} acknowledged a {path} that it never accepted"

    def _accepted_is_handled_once(self) -> Iterator[str]:
        """What was accepted was dealt with once; within one life, a handler ran once."""
        for site, entry in self.book.entries.items():
            for row, arrival in entry.accepted.items():
                lives = self.book.hearings[site, arrival.path_role, arrival.digest]
                what = f"{site} {arrival.path_role} {row}"
                if entry.finished[row] > 1:
                    yield f"{what} was dealt with {entry.finished[row]} times"
                if max(Counter(lives).values(), default=0) > 1:
                    yield f"{what} was heard twice in one life"
                if arrival.is_finished or site == self.gateway:
                    continue
                if entry.finished[row] and not lives:
                    yield f"{what} was dealt with and never heard"
                if not entry.finished[row] and _is_critical(arrival):
                    yield f"{what} was never dealt with"

    def _searches_are_passed_on(self) -> Iterator[str]:
        """What a gateway was given for others went on to somebody, unless its time was over by then."""
        entry = self.book.entries[self.gateway]
        causes = {letter.cause for letter in entry.letters.values()}
        for row, arrival in entry.accepted.items():
            is_given_up = row in entry.finished_at and row not in causes
            if arrival.path_role in _RELAYED and is_given_up and entry.finished_at[row] < arrival.deadline:
                yield f"{self.gateway} {arrival.path_role} {row} was given up before its time"

    def _letters_have_ended_in_time(self) -> Iterator[str]:
        """Each letter has come to an end, near its deadline at the latest; one that matters has arrived."""
        for site, entry in self.book.entries.items():
            for letter in entry.letters.values():
                end = entry.ends.get(letter.id)
                what = f"{site} {letter.path} {letter.id} to {letter.to.id}"
                if end is None:
                    yield f"{what} has no end"
                elif end.at > letter.deadline + _GRACE:
                    yield f"{what} ended {end.at - letter.deadline:.0f} s after its deadline"
                elif letter.is_critical and end.state is not LetterState.DELIVERED:
                    yield f"{what} is {end.state.value}: {end.outcome} {end.code} after {end.attempts}"

    def _questions_are_answered_once(self) -> Iterator[str]:
        """Each acknowledged confirm, cancel and status has one answer, and whoever asked has heard it once."""
        for site in self.hospitals:
            entry = self.book.entries[site]
            answers: dict[str, list[Letter]] = defaultdict(list)
            for letter in entry.letters.values():
                if letter.cause and not letter.path.endswith("_audit") and letter.to.id != self.gateway:
                    answers[letter.cause].append(letter)
            for row, arrival in entry.accepted.items():
                if arrival.path_role in _ASKED:
                    yield from self._answered_once(f"{site} {arrival.path_role} {row}", arrival, answers[row])

    def _answered_once(self, what: str, arrival: Arrival, answers: list[Letter]) -> Iterator[str]:
        if len(answers) != 1:
            yield f"{what} has {len(answers)} answers"
            return
        (answer,) = answers
        asker = self.book.entries[arrival.signer]
        heard = asker.by_digest[answer.digest]
        if len(heard) > 1 or (answer.is_critical and len(heard) != 1):
            yield f"{what}: its answer was accepted {len(heard)} times"
        if any(not asker.finished[each.id] for each in heard):
            yield f"{what}: its answer was not dealt with"

    def _orders_are_unique(self) -> Iterator[str]:
        """One order per patient and slot of a transaction, one PIN per order, no time of a doctor sold twice."""
        for site in self.hospitals:
            entry = self.book.entries[site]
            for order_id, pins in entry.pins.items():
                if len(pins - {""}) > 1:
                    yield f"{site} order {order_id} had {len(pins)} PINs"
            booked = [order for order in entry.orders.values() if order.state in _BOOKED]
            for key, times in Counter(_natural(order) for order in booked).items():
                if times > 1:
                    yield f"{site} booked {key} {times} times"
            yield from _sold_twice(site, booked)


def _natural(order: KeptOrder) -> tuple[str, str, str]:
    return order.thread.consumer_id, order.thread.transaction_id, order.slot.id


def _sold_twice(site: str, booked: list[KeptOrder]) -> Iterator[str]:
    for number, one in enumerate(booked):
        for other in booked[number + 1 :]:
            if one.slot.doctor.id == other.slot.doctor.id and one.slot.window.overlaps(other.slot.window):
                yield f"{site} sold {one.slot.id} to two patients"


def _is_critical(arrival: Arrival) -> bool:
    return arrival.deadline - arrival.received_at > 86_400.0

"""What a search has found so far: answers put together, one entry for each doctor, whoever offers them.

Pure: the same answers in the same order give the same board, so a stream can go on where it broke off and a page shows
one moment. Above: `searches`. Source: reference of the protocol, "search end" and "pagination".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from uhi.booking.found import FoundDoctor
from uhi.booking.hospital import Doctor
from uhi.messages.values import PHYSICAL

_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Answered:
    """One provider's answer to a search, as far as it fits. `seq` counts the answers of a search from 1; `at` is Unix
    seconds. A `cached` one is of an earlier search. `left_out` is how many doctors there was no room for."""

    seq: int
    provider_id: str
    at: float
    doctors: tuple[FoundDoctor, ...] = field(default=(), repr=False)
    provider_name: str = ""
    late: bool = False
    cached: bool = False
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class FoundOffer:
    """A doctor as one provider offers them. `ref` is what its slots are asked by."""

    ref: str
    found: FoundDoctor = field(repr=False)
    by: Answered = field(repr=False)

    @property
    def rank(self) -> tuple[object, ...]:
        """What is shown first: live before cached, then the lower fee."""
        return (self.by.cached, self.found.doctor.price, self.found.thread.provider_id, self.ref)


@dataclass(frozen=True, slots=True)
class Entry:
    """One doctor at one facility in one kind of consultation. `offers` has at least one, the best first."""

    id: str
    offers: tuple[FoundOffer, ...]

    @property
    def doctor(self) -> Doctor:
        """The doctor as the best offer tells of them."""
        return self.offers[0].found.doctor


@dataclass(frozen=True, slots=True)
class Changed:
    """The entries that an answer has added or altered, and the ids of those it has taken away."""

    entries: tuple[Entry, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(slots=True)
class Board:
    """Everything found, by entry. `search_id` makes its ids those of this search alone."""

    search_id: str
    seq: int = 0
    left_out: int = 0
    _offers: dict[str, dict[str, FoundOffer]] = field(default_factory=dict)
    _places: dict[str, str] = field(default_factory=dict)
    _ids: dict[tuple[str, ...], str] = field(default_factory=dict)
    _live: set[str] = field(default_factory=set)
    _late: set[str] = field(default_factory=set)

    def after(self, answers: Iterable[Answered]) -> Board:
        """The board that this one becomes by more answers; this one stays as it is."""
        offers = {entry_id: dict(offers) for entry_id, offers in self._offers.items()}
        own = (offers, dict(self._places), dict(self._ids), set(self._live), set(self._late))
        board = Board(self.search_id, self.seq, self.left_out, *own)
        for answer in answers:
            board.take(answer)
        return board

    @property
    def answered(self) -> int:
        """How many providers have answered this very search."""
        return len(self._live)

    @property
    def late(self) -> int:
        """How many of them did so when nobody waited any more."""
        return len(self._late)

    @property
    def size(self) -> int:
        """How many doctors there are."""
        return len(self._offers)

    @property
    def entries(self) -> list[Entry]:
        """Every doctor, in no order."""
        return [self._entry(entry_id) for entry_id in self._offers]

    def offer(self, ref: str) -> FoundOffer | None:
        """The offer with a ref, if there is one."""
        return self._offers.get(self._places.get(ref, ""), {}).get(ref)

    def take(self, answer: Answered) -> Changed:
        """Add an answer: what its provider had offered in an earlier search goes as soon as it answers this one."""
        self.seq = max(self.seq, answer.seq)
        self.left_out += answer.left_out
        touched: dict[str, None] = {}
        if answer.cached and answer.provider_id in self._live:
            return Changed()
        if not answer.cached:
            touched.update(dict.fromkeys(self._drop_cached(answer.provider_id)))
            self._live.add(answer.provider_id)
            self._late.update((answer.provider_id,) if answer.late else ())
        for found in answer.doctors:
            entry_id = self._id("entry", *_same_doctor(found))
            ref = self._id("offer", *_same_offer(found))
            # A provider may tell of a doctor twice, and otherwise each time: the last word counts.
            touched.update(dict.fromkeys((self._drop(ref), entry_id)))
            self._offers.setdefault(entry_id, {})[ref] = FoundOffer(ref, found, answer)
            self._places[ref] = entry_id
        touched.pop("", None)
        return Changed(
            tuple(self._entry(entry_id) for entry_id in touched if entry_id in self._offers),
            tuple(entry_id for entry_id in touched if entry_id not in self._offers),
        )

    def _drop_cached(self, provider_id: str) -> list[str]:
        offers = [offer for entry in self._offers.values() for offer in entry.values()]
        old = [offer.ref for offer in offers if offer.by.cached and offer.by.provider_id == provider_id]
        return [self._drop(ref) for ref in old]

    def _drop(self, ref: str) -> str:
        """Take an offer away; returns where it was, empty for nowhere."""
        entry_id = self._places.pop(ref, "")
        offers = self._offers.get(entry_id, {})
        offers.pop(ref, None)
        if entry_id and not offers:
            del self._offers[entry_id]
        return entry_id

    def _entry(self, entry_id: str) -> Entry:
        return Entry(entry_id, tuple(sorted(self._offers[entry_id].values(), key=lambda offer: offer.rank)))

    def _id(self, *parts: str) -> str:
        known = self._ids.get(parts)
        if known is None:
            joined = "\x1f".join((self.search_id, *parts))
            known = self._ids[parts] = sha256(joined.encode()).hexdigest()[:_ID_DIGITS]
        return known


def _same_doctor(found: FoundDoctor) -> tuple[str, ...]:
    """What two offers of one doctor at one facility have in common. Ids that are no register's are a provider's own."""
    doctor, own = found.doctor, found.thread.provider_id
    facility = doctor.facility
    person = ("hpr", doctor.id.casefold()) if "@" in doctor.id else (own, doctor.id)
    place = ("hfr", facility.hfr_id.casefold()) if facility.hfr_id else (own, facility.id)
    return (*person, *place, _kind(found))


def _same_offer(found: FoundDoctor) -> tuple[str, ...]:
    return (found.thread.provider_id, found.doctor.facility.id, found.doctor.id, _kind(found))


def _kind(found: FoundDoctor) -> str:
    return next(iter(found.doctor.fulfilments), PHYSICAL)

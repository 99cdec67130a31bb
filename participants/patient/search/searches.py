"""A patient's searches: begun, answered, shown to whoever reads, asked for slots, forgotten. Start reading here.

A search goes out through the gateway as every other; each answer is kept, then told to the readers. Above: `routes`;
below: `kept`, `hub`, `uhi.booking`. Source: reference of the protocol, "search end", "late answers", "discovery cache".
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import uuid4

from participants.patient.search.boards import Boards
from participants.patient.search.fitting import Fitting
from participants.patient.search.hub import Hub
from participants.patient.search.kept import Body, KeptSearches, Known, Lesson, Search
from participants.patient.search.lifetimes import kept_until
from participants.patient.search.merging import Answered, Board
from participants.patient.search.wanted import Wanted, key_of, query_of
from uhi.actions import SEARCH
from uhi.booking.consumer import Bookings
from uhi.booking.found import FoundDoctor, FoundSlot, read_doctors
from uhi.booking.hospital import Window
from uhi.booking.intents import write_search
from uhi.booking.news import Events, LateDoctors
from uhi.booking.plain_json import write_value
from uhi.booking.quotes import Quote
from uhi.errors import BookingError, DeliveryError, IncompleteMessage, NoAnswer, Refusal
from uhi.exchange.answers import Asking
from uhi.exchange.background import Background, repeatedly
from uhi.faults import HOSPITAL_AWAY, HOSPITAL_DECLINED, HOSPITAL_SILENT, OVERLOADED, RECORD_MISSING, TOO_MANY_TRIES
from uhi.messages import OnSearch
from uhi.participant import Participant
from uhi.verified import Declined, Thread, Verified

NOBODY_THERE = "nobody"
NOT_SENT = "not sent"
_A_MINUTE = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRules:
    """How long, in seconds: `wait` for answers, `answer` for that of one hospital (less than a request may take),
    `late` for late ones to be told in streams, `kept` a search is there, `slots` a slot that was shown can be booked,
    `cached` an answer may be shown to the next who asks the same, where its provider does not say. How many: searches
    and questions for slots of one account in a minute, searches under way in this process, doctors of one answer.
    `tidy` is how often what is over is deleted."""

    wait: float = 10.0
    answer: float = 4.0
    late: float = 110.0
    kept: float = 86_400.0
    slots: float = 3_600.0
    cached: float = 3_600.0
    searches_per_minute: int = 12
    slots_per_minute: int = 40
    most_under_way: int = 1_000
    most_doctors: int = 2_000
    tidy: float = 600.0


class Searches:
    """All searches of all accounts. Who may see which is decided above, by its `account_id`.

    Make it before the participant starts; it runs as long as the participant does.
    """

    def __init__(
        self, participant: Participant, bookings: Bookings, kept: KeptSearches, rules: SearchRules | None = None
    ) -> None:
        self.rules = rules or SearchRules()
        self.kept = kept
        self.clock = participant.clock
        self.hub = Hub(participant.world.signals, participant.clock)
        self._boards = Boards(kept)
        self._participant = participant
        self._bookings = bookings
        self._late = bookings.events()
        self._background = Background("a search")
        participant.meanwhile(self._hear_late)
        participant.meanwhile(self._tidy)

    async def begin(self, account_id: str, wanted: Wanted) -> Search:
        """Send a search for an account and return it at once; what is known of an earlier one is its first answer.

        Raises: Refusal(TOO_MANY_TRIES, OVERLOADED).
        """
        await self._check_pace(f"search {account_id}", self.rules.searches_per_minute)
        if len(self._background) >= self.rules.most_under_way:
            raise Refusal(OVERLOADED, "too many searches are under way", next_step="search again in a moment")
        now, rules = self.clock.now(), self.rules
        asking = self._participant.ask(SEARCH, write_search(query_of(wanted), wanted.window), wait=rules.wait)
        key = key_of(wanted, account_id, domain=asking.thread.domain)
        search = Search(
            id=uuid4().hex,
            account_id=account_id,
            transaction_id=asking.thread.transaction_id,
            key=key,
            at=now,
            until=now + rules.wait,
            over_at=now + rules.wait + rules.late,
            expires_at=now + rules.kept,
            wanted=wanted,
        )
        known = await self.kept.known(key, now=now)
        search = await self.kept.begin(search, [self._again(one, wanted, asking.thread) for one in known])
        self._background.start(self._ask(search, asking))
        return search

    async def search(self, search_id: str) -> Search:
        """Return a search; compare its account with who asks.

        Raises: Refusal(RECORD_MISSING).
        """
        search = await self.kept.search(search_id)
        if search is None or search.expires_at <= self.clock.now():
            raise Refusal(RECORD_MISSING, "there is no such search", next_step="search again")
        return search

    async def board(self, search: Search, *, most: int | None = None) -> Board:
        """Return what a search has found, up to the answer of a number; alter nothing of it."""
        return await self._boards.at(search.id, search.seq if most is None else min(most, search.seq))

    async def forget(self, search: Search) -> None:
        """Delete a search and everything of it."""
        await self.kept.forget(search.id)
        self._boards.forget(search.id)
        self.hub.tell(search.id, None)

    async def slots(self, search: Search, ref: str, window: Window) -> list[tuple[str, FoundSlot]]:
        """Ask the hospital for the free slots of an offer in a window of at most 14 days; each with the ref by which
        it can be booked.

        Raises: Refusal(RECORD_MISSING, TOO_MANY_TRIES, HOSPITAL_DECLINED, HOSPITAL_SILENT, HOSPITAL_AWAY).
        """
        offer = (await self.board(search)).offer(ref)
        if offer is None:
            raise Refusal(RECORD_MISSING, "the search has no such offer", next_step="read the search again")
        await self._check_pace(f"slots {search.account_id}", self.rules.slots_per_minute)
        refused: Refusal
        try:
            found = await self._bookings.slots(offer.found, window, wait=self.rules.answer)
        except (BookingError, NoAnswer, DeliveryError) as error:
            refused = _refusal_of(error)
        else:
            expires = min(self.clock.now() + self.rules.slots, search.expires_at)
            refs = await self.kept.keep_slots(search, found, expires_at=expires) if found else []
            return list(zip(refs, found, strict=True))
        raise refused

    async def found_slot(self, account_id: str, ref: str) -> FoundSlot:
        """Return the slot that was shown to an account under a ref; after a restart too, as long as it lives.

        Raises: Refusal(RECORD_MISSING), for another account's as for one that is not there.
        """
        slot = await self.kept.slot(account_id, ref, now=self.clock.now())
        if slot is None:
            refusal = Refusal(RECORD_MISSING, "there is no such slot, or not any more")
            refusal.mistakes = (("slot", "there is none, or not any more; ask for the slots again"),)
            raise refusal
        return slot

    async def quote(self, account_id: str, ref: str) -> Quote:
        """Ask what a slot costs, where the network has this question; nothing is held.

        Raises: Refusal(RECORD_MISSING, TOO_MANY_TRIES, HOSPITAL_DECLINED, HOSPITAL_SILENT, HOSPITAL_AWAY).
        """
        slot = await self.found_slot(account_id, ref)
        if not self._participant.network.offers_select:
            return slot.slot.quote
        await self._check_pace(f"slots {account_id}", self.rules.slots_per_minute)
        refused: Refusal
        try:
            return await self._bookings.quote(slot, wait=self.rules.answer)
        except (BookingError, NoAnswer, DeliveryError) as error:
            refused = _refusal_of(error)
        raise refused

    async def idle(self) -> None:
        """Return when no search is under way in this process."""
        await self._background.done()

    async def _check_pace(self, key: str, most: int) -> None:
        wait = await self._participant.world.windows.hit(f"patient {key}", most=most, seconds=_A_MINUTE)
        if wait:
            refusal = Refusal(TOO_MANY_TRIES, "too many of one account", expected=f"at most {most} a minute")
            refusal.retry_after = math.ceil(wait)
            raise refusal

    def _again(self, known: Known, wanted: Wanted, thread: Thread) -> Known:
        """What another has found, in a conversation of one's own."""
        own = replace(thread, provider_id=known.provider_id)
        doctors = [replace(found, thread=own) for found in known.body.doctors]
        return replace(known, body=self._narrowed(known.body.provider_name, doctors, wanted))

    def _narrowed(self, name: str, doctors: Iterable[FoundDoctor], wanted: Wanted) -> Body:
        fitting = Fitting(wanted)
        fit = tuple(found for found in doctors if fitting.fits(found.doctor))
        most = self.rules.most_doctors
        return Body(name, fit[:most], left_out=max(0, len(fit) - most))

    async def _ask(self, search: Search, asking: Asking[OnSearch]) -> None:
        answers = aiter(asking)
        try:
            async for answer in answers:
                # One by one they would wait for each other's place on the disk.
                self._background.start(self._hear(search, answer))
        except (DeliveryError, IncompleteMessage) as error:
            log.warning("a search could not be sent: %s", error)
            nobody = isinstance(error, DeliveryError) and error.status == 404
            await self._fail(search, NOBODY_THERE if nobody else NOT_SENT)
        finally:
            if isinstance(answers, AsyncGenerator):
                await answers.aclose()

    async def _fail(self, search: Search, code: str) -> None:
        try:
            await self.kept.fail(search.id, code=code, at=self.clock.now())
        except Refusal as refusal:
            log.warning("that a search could not be sent is not kept: %s", refusal)
        self.hub.tell(search.id, None)

    async def _hear(self, search: Search, answer: Verified[OnSearch] | Declined) -> None:
        thread, at = answer.thread, answer.received_at
        if isinstance(answer, Declined):
            await self._take(search, Answered(0, thread.provider_id, at), source=answer.digest)
            return
        catalog = answer.message.catalog
        name = (catalog.descriptor.name if catalog.descriptor else None) or ""
        doctors = tuple(read_doctors(catalog, thread))
        # To the next who searches, its own filters are put, not those of this one.
        most = self.rules.most_doctors
        known = Known(thread.provider_id, at, Body(name, doctors[:most], left_out=max(0, len(doctors) - most)))
        lesson = Lesson(search.key, known, kept_until(catalog, now=at, usual=self.rules.cached))
        answered = self._answered(search, thread, doctors, at=at, name=name)
        await self._take(search, answered, source=answer.digest, lesson=lesson)

    def _answered(
        self, search: Search, thread: Thread, doctors: Iterable[FoundDoctor], *, at: float, name: str = ""
    ) -> Answered:
        body = self._narrowed(name, doctors, search.wanted)
        # What comes after its readers were told that nobody waits is late, whatever the question's own time was.
        late = at > search.until
        return Answered(0, thread.provider_id, at, body.doctors, name, late, left_out=body.left_out)

    async def _take(self, search: Search, answer: Answered, *, source: str, lesson: Lesson | None = None) -> None:
        try:
            kept = await self.kept.add(search.id, answer, source=source, lesson=lesson)
        except Refusal as refusal:
            log.warning("an answer to a search is not kept: %s", refusal)
            return
        if kept is not None:
            self.hub.tell(search.id, kept)

    async def _hear_late(self) -> None:
        try:
            await repeatedly(lambda: self._hear_next(self._late), "late answers to searches", self.clock)
        finally:
            # What is under way ends with the participant.
            await self._background.stop()

    async def _hear_next(self, events: Events) -> None:
        news = await anext(events)
        if not isinstance(news, LateDoctors) or not news.doctors:
            return
        thread = news.doctors[0].thread
        search = await self.kept.search_of(thread.transaction_id)
        if search is not None:
            source = sha256(write_value(news.doctors)).hexdigest()
            answered = self._answered(search, thread, news.doctors, at=self.clock.now())
            await self._take(search, replace(answered, late=True), source=f"late {source}")

    async def _tidy(self) -> None:
        async def once() -> None:
            await self.kept.purge(now=self.clock.now())
            # Other processes do not say which searches they have forgotten.
            self._boards.forget()
            await self.clock.sleep(self.rules.tidy)

        await repeatedly(once, "forgetting old searches", self.clock)


def _refusal_of(error: BookingError | NoAnswer | DeliveryError) -> Refusal:
    if isinstance(error, NoAnswer):
        return Refusal(HOSPITAL_SILENT, next_step="ask again in a moment")
    if isinstance(error, DeliveryError):
        return Refusal(HOSPITAL_AWAY, next_step="ask again later, or choose another hospital")
    return Refusal(HOSPITAL_DECLINED, next_step="ask for the slots again, or choose another doctor")

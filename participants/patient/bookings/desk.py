"""What people do with their bookings: hold, confirm, move, cancel, ask, report, rate.

Everything is kept before the hospital is asked, so that no answer that comes late, or after a restart, finds nothing.
Above: routes; below: `uhi.booking.Bookings`, `rows`, consents, members, the shelf. Source: decisions 30, 35, 36, 38.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from participants.patient.bookings.asking import asking_hospital
from participants.patient.bookings.rows import CANCEL, CONFIRM, BookingRows, Ours, Rating, Wish, agree, wait_for
from participants.patient.bookings.shelf import Shelf
from participants.patient.people.consents import Consent, Consents
from participants.patient.people.members import Member
from participants.patient.people.notices import Purpose
from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.booking.appointments import Booking, held
from uhi.booking.consumer import Bookings
from uhi.booking.diary import key_of
from uhi.booking.offers import Offer, accept
from uhi.booking.states import OrderState
from uhi.errors import BookingError, DeliveryError, IncompleteMessage, NoAnswer, Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import STATE_REFUSED
from uhi.storage.sql.database import Database

WAIT = 4.0
"""How long somebody waits for a hospital's word, in seconds; less than any request may take."""

_NO_DECISION = 500
_OVER = frozenset({OrderState.CANCELLED, OrderState.FAILED, OrderState.EXPIRED})
_RATED = frozenset({OrderState.COMPLETED, OrderState.APPOINTMENT_STARTED, OrderState.DOCTOR_NO_SHOW})


@dataclass(frozen=True, slots=True)
class Around:
    """How long before its start and after its end the link to a consultation online is shown."""

    before: timedelta = timedelta(minutes=15)
    after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Shown:
    """A booking as it stands. `starts_at` is its place in lists."""

    ours: Ours
    booking: Booking
    rating: Rating | None = None
    around: Around = Around()


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingDesk:
    """The bookings of all accounts; whose they are is checked by whoever asks."""

    database: Database
    bookings: Bookings
    rows: BookingRows
    consents: Consents
    shelf: Shelf
    wait: float = WAIT
    around: Around = Around()

    async def hold(self, member: Member, ref: str, *, acting: Acting) -> Shown:
        """Hold a slot for a member. The same again gives the same booking, and no more time.

        Raises: Refusal(CONSENT_REQUIRED, RECORD_MISSING, STATE_REFUSED), and as `asking_hospital`.
        """
        account_id = member.account_id
        consent = await self.consents.check(account_id, Purpose.BOOKING, acting=acting)
        found = await self.shelf.found_slot(account_id, ref)
        patient = member.patient
        with asking_hospital("slot"):
            offer = await self.bookings.hold(found, patient, wait=self.wait, account_id=account_id)
        return await self._kept(offer, member, consent, acting)

    async def hold_offered(self, ours: Ours, member: Member, *, acting: Acting) -> Shown:
        """Hold the slot that the hospital offers in the place of a booking it called off, for its member.

        Raises: as `hold`.
        """
        consent = await self.consents.check(ours.account_id, Purpose.BOOKING, acting=acting)
        booking = await self.booking(ours)
        with asking_hospital("booking"):
            patient, account_id = member.patient, member.account_id
            offer = await self.bookings.hold_offered(booking, patient, wait=self.wait, account_id=account_id)
        return await self._kept(offer, member, consent, acting)

    async def _kept(self, offer: Offer, member: Member, consent: Consent, acting: Acting) -> Shown:
        now = self.database.clock.now()
        made = Ours(
            id=new_row_id(now),
            account_id=member.account_id,
            member_id=member.id,
            consent_id=consent.id,
            key=key_of(offer.thread, offer.order_id),
            offer=offer,
            made_at=now,
        )

        def work(connection: Connection) -> Ours:
            kept = self.rows.insert(connection, made)
            if kept.id == made.id:
                append(connection, acting.entry("booking.hold", f"booking {kept.id}", at=now))
            return kept

        return await self.show(await self.database.write(work))

    async def confirm(self, ours: Ours, agreed: Mapping[str, str], *, acting: Acting) -> Shown:
        """Confirm an offer whose terms were shown and agreed to; what the hospital does not answer in time is awaited
        (`Ours.waits_for`).

        Raises: Refusal(CONSENT_REQUIRED), and as `asking_hospital` but for HOSPITAL_SILENT.
        """
        await self._agree(ours, agreed, acting)
        work = partial(self.bookings.confirm, ours.offer, agreed=agreed, wait=self.wait)
        with asking_hospital("agreed"):
            await self._answered(ours, work)
        return await self.again(ours.id)

    async def move(self, old: Ours, new: Ours, agreed: Mapping[str, str], *, acting: Acting) -> Shown:
        """Confirm another slot in the place of a booking, and cancel that one then; see `Bookings.reschedule`.

        Raises: as `confirm`.
        """
        was = await self.booking(old)
        has_begun = was.slot.start.timestamp() <= self.database.clock.now()
        if not was.is_confirmed or has_begun or old.id == new.id or old.member_id != new.member_id:
            text = "only a confirmed one that is to come can be moved, and to another slot of the same member"
            refusal = Refusal(STATE_REFUSED, text)
            refusal.mistakes = (("booking", text),)
            raise refusal
        await self._agree(new, agreed, acting, replaces=old)
        work = partial(self.bookings.reschedule, was, new.offer, agreed=agreed, wait=self.wait)
        with asking_hospital("agreed"):
            await self._answered(new, work, is_move=True)
        return await self.again(new.id)

    async def cancel(self, ours: Ours, reason: str, text: str, *, acting: Acting) -> Shown:
        """Cancel for the patient, with a reason from the list.

        Raises: as `confirm`.
        """
        booking = await self.booking(ours)
        if booking.state is OrderState.CANCELLED:
            return await self.again(ours.id)
        now = self.database.clock.now()

        def begin(connection: Connection) -> None:
            wait_for(connection, ours.id, CANCEL, now=now)
            append(connection, acting.entry("booking.cancel", f"booking {ours.id}", at=now))

        await self.database.write(begin)
        work = partial(self.bookings.cancel, booking, reason, text=text, wait=self.wait)
        with asking_hospital("reason"):
            await self._answered(ours, work)
        return await self.again(ours.id)

    async def ask(self, ours: Ours) -> Shown:
        """Ask the hospital how a booking stands; brings the PIN back.

        Raises: as `asking_hospital`.
        """
        booking = await self.booking(ours)
        with asking_hospital("booking"):
            await self.bookings.status(booking, wait=self.wait)
        return await self.again(ours.id)

    async def report(self, ours: Ours, *, acting: Acting) -> Shown:
        """Tell the hospital that the doctor did not come.

        Raises: as `asking_hospital`.
        """
        booking = await self.booking(ours)
        with asking_hospital("booking"):
            await self.bookings.report_doctor_no_show(booking)
        entry = acting.entry("booking.doctor_no_show", f"booking {ours.id}", at=self.database.clock.now())
        await self.database.write(lambda connection: append(connection, entry))
        return await self.again(ours.id)

    async def rate(self, ours: Ours, stars: int, text: str, *, acting: Acting) -> Shown:
        """Keep what somebody thinks of an appointment that took place, or should have. It is sent nowhere.

        Raises: Refusal(STATE_REFUSED).
        """
        if (await self.booking(ours)).state not in _RATED:
            refusal = Refusal(STATE_REFUSED, "the appointment has not taken place", next_step="rate it afterwards")
            refusal.mistakes = (("booking", "the appointment has not taken place; rate it afterwards"),)
            raise refusal
        now = self.database.clock.now()
        rating = Rating(stars, text, now)

        def work(connection: Connection) -> None:
            self.rows.rate(connection, ours, rating)
            append(connection, acting.entry("booking.rate", f"booking {ours.id}", at=now))

        await self.database.write(work)
        return await self.again(ours.id)

    async def get(self, booking_id: str) -> Ours:
        """One booking, whosesoever.

        Raises: Refusal(RECORD_MISSING).
        """
        return await self.database.read(lambda connection: self.rows.get(connection, booking_id))

    async def again(self, booking_id: str) -> Shown:
        """One booking as it stands now."""
        return await self.show(await self.get(booking_id))

    async def show(self, ours: Ours) -> Shown:
        """A booking as it stands now."""
        ratings = await self.database.read(lambda on: self.rows.ratings(on, ours.account_id, [ours.id]))
        return Shown(ours, await self.booking(ours), ratings.get(ours.id), self.around)

    async def page(self, wish: Wish) -> Sequence[tuple[float, Shown]]:
        """Bookings by when they begin, each with that time."""

        def read(connection: Connection) -> tuple[Sequence[tuple[float, Ours]], Mapping[str, Rating]]:
            found = self.rows.page(connection, wish)
            return found, self.rows.ratings(connection, wish.account_id, [ours.id for _, ours in found])

        found, ratings = await self.database.read(read)
        known = await self.bookings.known_of([ours.key for _, ours in found])
        return [
            (start, Shown(ours, known.get(ours.key) or held(ours.offer), ratings.get(ours.id))) for start, ours in found
        ]

    async def booking(self, ours: Ours) -> Booking:
        """How an order stands."""
        known = await self.bookings.known(ours.key.order_id, thread=ours.offer.thread)
        return known or held(ours.offer)

    async def _agree(
        self, ours: Ours, agreed: Mapping[str, str], acting: Acting, *, replaces: Ours | None = None
    ) -> None:
        await self.consents.check(ours.account_id, Purpose.BOOKING, acting=acting)
        with asking_hospital("agreed"):
            accept(ours.offer, agreed)
        state = (await self.booking(ours)).state
        if state in _OVER:
            raise Refusal(STATE_REFUSED, "the booking is over", got=state.value, next_step="hold another slot")
        if state is not OrderState.HELD:
            return
        now = self.database.clock.now()

        def work(connection: Connection) -> None:
            if replaces is not None:
                self.rows.check_stays(connection, replaces, ours)
            agree(connection, ours, now=now)
            wait_for(connection, ours.id, CONFIRM, now=now, replaces_id=replaces.id if replaces else None)
            append(connection, acting.entry("booking.confirm", f"booking {ours.id}", at=now))

        await self.database.write(work)

    async def _answered(self, ours: Ours, work: Callable[[], Awaitable[object]], *, is_move: bool = False) -> None:
        """Ask, and keep that there is an answer; after silence, or where nobody knows whether the question arrived, it
        is still awaited. A move that is refused leaves the other booking its place.

        Raises: BookingError, DeliveryError, IncompleteMessage.
        """
        try:
            await work()
        except NoAnswer:
            return
        except DeliveryError as error:
            if error.status is not None and error.status < _NO_DECISION:
                await self._stop_waiting(ours, is_lost=is_move)
            raise
        except (BookingError, IncompleteMessage):
            await self._stop_waiting(ours, is_lost=is_move)
            raise
        await self._stop_waiting(ours)

    async def _stop_waiting(self, ours: Ours, *, is_lost: bool = False) -> None:
        now, replaces_id = self.database.clock.now(), "" if is_lost else None
        await self.database.write(lambda on: wait_for(on, ours.id, "", now=now, replaces_id=replaces_id))

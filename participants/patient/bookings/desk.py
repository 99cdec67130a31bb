"""What people do with their bookings: hold, confirm, move, cancel, ask, report, rate.

Everything is kept before the hospital is asked, so that no answer that comes late, or after a restart, finds nothing.
Above: routes; below: `uhi.booking.Bookings`, `rows`, consents, members, the shelf. Source: decisions 30, 35, 36, 38.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from participants.patient.bookings.asking import asking_hospital
from participants.patient.bookings.rows import CANCEL, CONFIRM, BookingRows, Ours, Rating, Wish, agree, wait_for
from participants.patient.bookings.shelf import Shelf
from participants.patient.people.consents import Consents
from participants.patient.people.members import Member
from participants.patient.people.notices import Purpose
from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.booking.appointments import Booking, held
from uhi.booking.consumer import Bookings
from uhi.booking.diary import key_of
from uhi.booking.offers import accept
from uhi.booking.states import OrderState
from uhi.errors import STATE_REFUSED, BookingError, DeliveryError, IncompleteMessage, NoAnswer, Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.storage.sql.database import Database

WAIT = 4.0
"""How long somebody waits for a hospital's word, in seconds; less than any request may take."""

_NO_DECISION = 500
_RATED = frozenset({OrderState.COMPLETED, OrderState.APPOINTMENT_STARTED, OrderState.DOCTOR_NO_SHOW})


@dataclass(frozen=True, slots=True)
class Shown:
    """A booking as it stands. `starts_at` is its place in lists."""

    ours: Ours
    booking: Booking
    rating: Rating | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingDesk:
    """The bookings of all accounts; whose they are is checked by whoever asks."""

    database: Database
    bookings: Bookings
    rows: BookingRows
    consents: Consents
    shelf: Shelf
    wait: float = WAIT

    async def hold(self, member: Member, ref: str, *, acting: Acting) -> Shown:
        """Hold a slot for a member. The same again gives the same booking, and no more time.

        Raises: Refusal(CONSENT_REQUIRED, RECORD_MISSING, STATE_REFUSED), and as `asking_hospital`.
        """
        account_id = member.account_id
        consent = await self.consents.check(account_id, Purpose.BOOKING, acting=acting)
        found = await self.shelf.found_slot(account_id, ref)
        patient = member.patient
        with asking_hospital("slot"):
            offer = await self.bookings.hold(found, patient, wait=self.wait)
        now = self.database.clock.now()
        made = Ours(
            id=new_row_id(now),
            account_id=account_id,
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
        was = await self._booking(old)
        if not was.is_confirmed or old.id == new.id:
            raise Refusal(STATE_REFUSED, "only a confirmed booking can be moved, and to another slot")
        await self._agree(new, agreed, acting, replaces_id=old.id)
        work = partial(self.bookings.reschedule, was, new.offer, agreed=agreed, wait=self.wait)
        with asking_hospital("agreed"):
            await self._answered(new, work)
        return await self.again(new.id)

    async def cancel(self, ours: Ours, reason: str, text: str, *, acting: Acting) -> Shown:
        """Cancel for the patient, with a reason from the list.

        Raises: as `confirm`.
        """
        booking = await self._booking(ours)
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
        booking = await self._booking(ours)
        with asking_hospital("booking"):
            await self.bookings.status(booking, wait=self.wait)
        return await self.again(ours.id)

    async def report(self, ours: Ours, *, acting: Acting) -> Shown:
        """Tell the hospital that the doctor did not come.

        Raises: as `asking_hospital`.
        """
        booking = await self._booking(ours)
        with asking_hospital("booking"):
            await self.bookings.report_doctor_no_show(booking)
        entry = acting.entry("booking.doctor_no_show", f"booking {ours.id}", at=self.database.clock.now())
        await self.database.write(lambda connection: append(connection, entry))
        return await self.again(ours.id)

    async def rate(self, ours: Ours, stars: int, text: str, *, acting: Acting) -> Shown:
        """Keep what somebody thinks of an appointment that took place, or should have. It is sent nowhere.

        Raises: Refusal(STATE_REFUSED).
        """
        if (await self._booking(ours)).state not in _RATED:
            raise Refusal(STATE_REFUSED, "the appointment has not taken place", next_step="rate it afterwards")
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
        rating = await self.database.read(lambda connection: self.rows.rating(connection, ours))
        return Shown(ours, await self._booking(ours), rating)

    async def page(self, wish: Wish) -> Sequence[tuple[float, Shown]]:
        """Bookings by when they begin, each with that time."""
        found = await self.database.read(lambda connection: self.rows.page(connection, wish))
        return [(start, await self.show(ours)) for start, ours in found]

    async def _booking(self, ours: Ours) -> Booking:
        known = await self.bookings.known(ours.key.order_id, thread=ours.offer.thread)
        return known or held(ours.offer)

    async def _agree(self, ours: Ours, agreed: Mapping[str, str], acting: Acting, *, replaces_id: str = "") -> None:
        await self.consents.check(ours.account_id, Purpose.BOOKING, acting=acting)
        with asking_hospital("agreed"):
            accept(ours.offer, agreed)
        if (await self._booking(ours)).state is not OrderState.HELD:
            return
        now = self.database.clock.now()

        def work(connection: Connection) -> None:
            agree(connection, ours, now=now)
            wait_for(connection, ours.id, CONFIRM, now=now, replaces_id=replaces_id)
            append(connection, acting.entry("booking.confirm", f"booking {ours.id}", at=now))

        await self.database.write(work)

    async def _answered(self, ours: Ours, work: Callable[[], Awaitable[object]]) -> None:
        """Ask, and keep that there is an answer; after silence, or where nobody knows whether the question arrived, it
        is still awaited.

        Raises: BookingError, DeliveryError, IncompleteMessage.
        """
        try:
            await work()
        except NoAnswer:
            return
        except DeliveryError as error:
            if error.status is not None and error.status < _NO_DECISION:
                await self._stop_waiting(ours)
            raise
        except (BookingError, IncompleteMessage):
            await self._stop_waiting(ours)
            raise
        await self._stop_waiting(ours)

    async def _stop_waiting(self, ours: Ours) -> None:
        now = self.database.clock.now()
        await self.database.write(lambda connection: wait_for(connection, ours.id, "", now=now))

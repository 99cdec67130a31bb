"""What patients want of a simulated network: find a doctor, hold a slot, confirm, ask, cancel, with patience.

How far each has got is kept outside the program, as an app's own database would. Above: `sites`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from uhi.booking import Booking, Bookings, DoctorQuery, FoundDoctor, FoundSlot, Offer, Patient, PatientReason, Window
from uhi.booking.speaker import moment
from uhi.errors import BookingDeclined, BookingError, DeliveryError, NoAnswer
from uhi.messages.values import Address
from uhi.ports import Clock

T = TypeVar("T")

AT_ONCE = 8
_TRIES = 6
_PAST_THE_HOLD = 16 * 60.0


@dataclass
class Errand:
    """One patient's wish, and how far it has got."""

    number: int
    patient: Patient
    day: int
    dawdles: bool
    asks: bool
    cancels: bool
    offers: list[Offer] = field(default_factory=list)
    told: dict[str, Booking] = field(default_factory=dict)
    tries: int = 0
    is_over: bool = False


class Notebook:
    """The errands of one app's patients; those of `busy` are being pursued."""

    def __init__(self, app: str, random: Random, plan: Any) -> None:
        self.app = app
        self.random = random
        self.shares = plan.shares
        self.errands = [self._errand(number) for number in range(plan.errands)]
        self.busy: set[int] = set()

    @property
    def is_done(self) -> bool:
        """Whether every patient has what it wants, or has given up."""
        return all(errand.is_over for errand in self.errands)

    def next(self) -> Errand | None:
        """An errand that nobody pursues."""
        left = (each for each in self.errands if not each.is_over and each.number not in self.busy)
        errand = next(left, None)
        if errand is not None:
            self.busy.add(errand.number)
        return errand

    def _errand(self, number: int) -> Errand:
        draw = self.random.random
        patient = Patient(
            id=f"patient-{number}@{self.app}",
            name=f"Patient {number}",
            phone="9000000001",
            address=Address(door="1", city="Delhi", state="Delhi", country="INDIA", area_code="110085"),
            gender="F",
        )
        day = self.random.randrange(1, 4)
        dawdles, asks, cancels = (draw() < share for share in self.shares)
        return Errand(number, patient, day, dawdles, asks, cancels)


class App:
    """A program's life seen by its patients."""

    def __init__(self, notebook: Notebook, bookings: Bookings, clock: Clock) -> None:
        self.notebook = notebook
        self.bookings = bookings
        self.clock = clock
        notebook.busy.clear()

    def at_once(self) -> Iterator[Coroutine[object, object, None]]:
        """Several errands side by side, until none is left."""
        return (self._pursue_all() for _ in range(AT_ONCE))

    async def ask_all(self) -> dict[str, Booking | str]:
        """How every order that was ever offered stands, by its id; the code of a refusal where there is none."""
        told: dict[str, Booking | str] = {}
        for errand in self.notebook.errands:
            for offer in errand.offers:
                try:
                    told[offer.order_id] = await self.bookings.status(offer)
                except BookingDeclined as declined:
                    told[offer.order_id] = declined.code
                except (BookingError, DeliveryError, NoAnswer) as error:
                    told[offer.order_id] = type(error).__name__
        return told

    async def _pursue_all(self) -> None:
        while (errand := self.notebook.next()) is not None:
            await self.clock.sleep(self.notebook.random.uniform(0.0, 20.0) * (1 + errand.tries))
            try:
                await self._pursue(errand)
                errand.is_over = True
            except (BookingError, NoAnswer, DeliveryError):
                errand.tries += 1
                errand.is_over = errand.tries >= _TRIES
            self.notebook.busy.discard(errand.number)

    async def _pursue(self, errand: Errand) -> None:
        if not errand.offers or errand.tries > 2:
            errand.offers.append(await self._offer(errand))
        offer = errand.offers[-1]
        if errand.dawdles:
            errand.dawdles = False
            await self.clock.sleep(_PAST_THE_HOLD)
        booking = await self._patiently(lambda: self.bookings.confirm(offer, agreed=offer.terms))
        errand.told[offer.order_id] = booking
        await self.clock.sleep(self.notebook.random.uniform(0.0, 5.0))
        if errand.asks:
            await self._patiently(lambda: self.bookings.status(offer))
        if errand.cancels:
            await self._patiently(lambda: self.bookings.cancel(booking, PatientReason.PATIENT_HEALTH_IMPROVED))

    async def _offer(self, errand: Errand) -> Offer:
        doctors = [found async for found in self.bookings.find(DoctorQuery(window=self._day(errand)), wait=4.0)]
        if not doctors:
            raise BookingError("nobody answered")
        doctor = self.notebook.random.choice(doctors)
        slots = await self._patiently(lambda: self._slots(doctor, errand))
        if not slots:
            raise BookingError("no slot is free")
        slot = self.notebook.random.choice(slots[:3])
        return await self._patiently(lambda: self.bookings.hold(slot, errand.patient))

    async def _slots(self, doctor: FoundDoctor, errand: Errand) -> tuple[FoundSlot, ...]:
        return await self.bookings.slots(doctor, self._day(errand))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask again where no answer came."""
        for _ in range(2):
            try:
                return await ask()
            except (NoAnswer, DeliveryError):
                await self.clock.sleep(self.notebook.random.uniform(0.0, 10.0))
        return await ask()

    def _day(self, errand: Errand) -> Window:
        midnight = _midnight(moment(self.clock)) + timedelta(days=errand.day)
        return Window(midnight, midnight + timedelta(days=1))


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)

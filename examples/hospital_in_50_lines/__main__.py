"""Two patients want the last slot of the day: one gets it, the other is told so, and a cancellation frees it."""

import asyncio

from examples.hospital_in_50_lines.hospital import DictHospital
from examples.hospital_in_50_lines.people import MEENA, RAVI, slots_of
from uhi.booking import Bookings, ConsultationProvider, DoctorQuery, FoundSlot, OrderState
from uhi.booking.speaker import moment
from uhi.errors import BookingDeclined
from uhi.faults import SLOT_UNAVAILABLE
from uhi.testing import Network


async def find_slot(bookings: Bookings) -> FoundSlot | None:
    doctors = [found async for found in bookings.find(DoctorQuery(speciality="CARDIOLOGY"), wait=2)]
    slots = await bookings.slots(doctors[0])
    return slots[0] if slots else None


async def main() -> None:
    async with Network() as net:
        clinic, app = await net.provider(), await net.consumer()
        hospital = DictHospital(slots_of(net.clock), now=lambda: moment(net.clock))
        clinic.include(ConsultationProvider(hospital, speaker=clinic).handlers)
        bookings = Bookings(app)
        app.include(bookings.handlers)

        slot = await find_slot(bookings)
        assert slot is not None
        offer = await bookings.hold(slot, RAVI)
        try:
            await bookings.hold(slot, MEENA)
        except BookingDeclined as error:
            assert error.code == SLOT_UNAVAILABLE.code
            print("the second patient is told:", error)
        booking = await bookings.confirm(offer, agreed=offer.terms)
        assert booking.is_confirmed
        assert await find_slot(bookings) is None
        print("the first patient has the slot:", booking.state)

        cancelled = await bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED")
        assert cancelled.state is OrderState.CANCELLED
        assert await find_slot(bookings) is not None
        print("cancelled, and the slot is free again")


if __name__ == "__main__":
    asyncio.run(main())

"""A patient's app beside the demo hospital: find a doctor, hold a slot, read the terms, confirm, cancel."""

import asyncio

from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import demo_hospital
from uhi.booking import Bookings, DoctorQuery, Patient
from uhi.messages.values import Address
from uhi.testing import Network

RAVI = Patient(
    id="ravi.kumar@sbx",  # the ABHA address
    name="Ravi Kumar",
    phone="9000000001",
    address=Address(door="B-204", city="Pune", state="Maharashtra", country="INDIA", area_code="411005"),
)


async def main() -> None:
    async with Network() as net:
        hospital_app(await net.provider("city-hospital.example"), demo_hospital("city-hospital"))
        app = await net.consumer("app.example")
        bookings = Bookings(app)
        app.include(bookings.handlers)

        doctors = []
        async for found in bookings.find(DoctorQuery(speciality="CARDIOLOGY"), wait=5):
            print(f"{found.doctor.name}, {found.doctor.price} rupees, at {found.thread.provider_id}")
            doctors.append(found)

        slots = await bookings.slots(doctors[0])
        offer = await bookings.hold(slots[0], RAVI)
        print(f"held until {offer.until:%H:%M}: {offer.found.slot.start:%d %B, %H:%M}, {offer.quote.total} rupees")
        for term in offer.terms:
            print(f"  {term.type}: {term.descriptor.short_desc if term.descriptor else ''}")

        booking = await bookings.confirm(offer, agreed=offer.terms)
        print(f"{booking.state}, with a PIN of {len(booking.pin)} digits for the patient")
        booking = await bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED")
        print(booking.state)


if __name__ == "__main__":
    asyncio.run(main())

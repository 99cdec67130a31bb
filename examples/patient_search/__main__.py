"""A patient's app: results as hospitals answer, the cheapest doctor's first slot, an offer, and a confirmed booking."""

import asyncio

from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import demo_hospital
from uhi.booking import BookingNews, Bookings, DoctorQuery, FoundDoctor, LateDoctors, Patient
from uhi.messages.values import Address
from uhi.testing import Network

CARDIOLOGY = DoctorQuery(speciality="CARDIOLOGY")
RAVI = Patient(
    id="ravi.kumar@sbx",
    name="Ravi Kumar",
    phone="9000000001",
    address=Address(city="Pune", state="Maharashtra", country="INDIA", area_code="411005"),
)


async def main() -> None:
    async with Network() as net:
        for name in ("city-hospital", "lakeside-clinic"):
            hospital_app(await net.provider(f"{name}.example"), demo_hospital(name))
        app = await net.consumer("app.example")
        bookings = Bookings(app)
        app.include(bookings.handlers)
        events = bookings.events()

        # One hospital is slow: the search ends without it, and its doctors come as news.
        net.faults.delay(8, "on_search", to="https://gateway.example")
        found = [each async for each in bookings.find(CARDIOLOGY, wait=3)]
        late = await anext(events)
        assert found
        assert isinstance(late, LateDoctors)
        show("in time", found)
        show("late", late.doctors)

        cheapest = min([*found, *late.doctors], key=lambda each: each.doctor.price)
        slots = await bookings.slots(cheapest)
        offer = await bookings.hold(slots[0], RAVI)
        assert offer.quote.total == cheapest.doctor.price
        assert [term.type for term in offer.terms] == ["Commercial", "Settlement", "Cancellation", "Refund", "Payment"]
        print(f"offered: {offer.found.slot.doctor.name}, {offer.quote.total} rupees, {len(offer.terms)} terms to agree")

        booking = await bookings.confirm(offer, agreed=offer.terms)
        assert booking.is_confirmed
        assert len(booking.pin) == 4
        print(f"booked: {booking.state}")

        news = await anext(events)
        assert isinstance(news, BookingNews)
        print(f"told by events, too: {news.about}, {news.booking.state}")


def show(when: str, doctors: list[FoundDoctor] | tuple[FoundDoctor, ...]) -> None:
    for each in doctors:
        print(f"{when}: {each.doctor.name}, {each.doctor.price} rupees, {each.thread.provider_id}")


if __name__ == "__main__":
    asyncio.run(main())

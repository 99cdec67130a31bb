"""A clinic with tables of its own takes part: the front desk and UHI give away the same times, each only once."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.hospital_in_50_lines.people import MEENA, RAVI
from examples.own_hospital_system import clinic_tables as clinic
from examples.own_hospital_system.hospital import SeasideClinic
from uhi.booking import Bookings, ConsultationProvider, DoctorQuery, FoundSlot
from uhi.booking.speaker import moment
from uhi.errors import BookingDeclined
from uhi.faults import SLOT_UNAVAILABLE
from uhi.testing import Network


async def main() -> None:
    with TemporaryDirectory() as folder:
        tables = clinic.open_tables(Path(folder) / "clinic.db")
        await story(tables)
        tables.close()


async def story(tables: sqlite3.Connection) -> None:
    async with Network() as net:
        tomorrow = (moment(net.clock) + timedelta(days=1)).date()
        clinic.plan(tables, doctor_no=17, day=tomorrow)
        provider, app = await net.provider("seaside.example"), await net.consumer()
        own = SeasideClinic(tables, now=lambda: moment(net.clock))
        uhi = ConsultationProvider(own, speaker=provider)
        provider.include(uhi.handlers)
        bookings = Bookings(app)
        app.include(bookings.handlers)

        first, second, *_ = await free(bookings)
        walk_in = ("9000000009", "Walk-in", "")
        now = moment(net.clock)
        at_the_desk = clinic.reserve(tables, int(second.slot.id), walk_in, until=now + timedelta(hours=1), now=now)
        assert clinic.book(tables, at_the_desk, now=now)
        try:
            await bookings.hold(second, MEENA)
        except BookingDeclined as error:
            assert error.code == SLOT_UNAVAILABLE.code
            print("what the front desk gave away is told:", error)

        offer = await bookings.hold(first, RAVI)
        booking = await bookings.confirm(offer, agreed=offer.terms)
        (row,) = tables.execute("SELECT * FROM visit WHERE abha_address = ?", (RAVI.id,)).fetchall()
        assert (row["status"], row["patient_name"]) == ("BOOKED", RAVI.name)
        print("the clinic's own table has the visit:", row["status"])

        clinic.cancel(tables, row["visit_no"], why="doctor DOCTOR_UNAVAILABLE")
        await uhi.cancelled(str(row["visit_no"]), "DOCTOR_UNAVAILABLE")
        await net.settle()
        told = await bookings.known(booking.order_id, thread=booking.thread)
        assert told is not None
        assert told.state.value == "CANCELLED"
        print("the clinic calls it off, and the patient is told:", told.state)


async def free(bookings: Bookings) -> tuple[FoundSlot, ...]:
    """The free times of the paediatrician."""
    found = [each async for each in bookings.find(DoctorQuery(speciality="PAEDIATRICS"), wait=2)]
    return await bookings.slots(found[0])


if __name__ == "__main__":
    asyncio.run(main())

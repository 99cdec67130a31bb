"""Who and what the story is about: a doctor, two patients, one slot."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from uhi.booking import Doctor, Facility, Patient, Slot, Speciality, consultation_quote
from uhi.booking.speaker import moment
from uhi.messages.values import Address
from uhi.ports import Clock

QUOTE = consultation_quote(Decimal(500))
ASHA = Doctor(
    id="asha.verma@hpr.ndhm",
    name="Dr. Asha Verma",
    facility=Facility(id="example-clinic", name="Example Clinic", helpline_number="1800000001"),
    price=QUOTE.total,
    speciality=Speciality("CARDIOLOGY", "Cardiology"),
)
RAVI = Patient(
    id="ravi.kumar@sbx",
    name="Ravi Kumar",
    phone="9000000001",
    address=Address(city="Pune", state="Maharashtra", country="INDIA", area_code="411005"),
)
MEENA = replace(RAVI, id="meena.rao@sbx", name="Meena Rao", phone="9000000002")


def slots_of(clock: Clock) -> list[Slot]:
    """One slot, tomorrow at this time."""
    start = moment(clock) + timedelta(days=1)
    return [Slot(id="slot-1", doctor=ASHA, start=start, end=start + timedelta(minutes=20), quote=QUOTE)]

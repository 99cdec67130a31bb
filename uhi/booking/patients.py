"""A patient as billing and customer of an order, written by a consumer and read by a provider.

Pure; nothing here is ever logged. Source: NHA Physical Consultation v2.0, billing and customer.
"""

from __future__ import annotations

from uhi.booking.hospital import Patient
from uhi.messages import Order
from uhi.messages.tags import ABHA_NUMBER
from uhi.messages.values import Address, Billing, Customer, Person, write_tags


def write_billing(patient: Patient) -> Billing:
    """Return to whom the order is billed."""
    return Billing(name=patient.name, phone=patient.phone, email=patient.email or None, address=patient.address)


def write_customer(patient: Patient) -> Customer:
    """Return who comes, with the day of birth as text and as numbers."""
    born = patient.born
    return Customer(
        id=patient.id,
        person=Person(
            gender=patient.gender or None,
            dob=born.isoformat() if born else None,
            dayOfBirth=born.day if born else None,
            monthOfBirth=born.month if born else None,
            yearOfBirth=born.year if born else None,
            tags=write_tags({ABHA_NUMBER: patient.abha_number}) if patient.abha_number else None,
        ),
    )


def read_patient(order: Order) -> Patient | None:
    """Return the patient of an order; None where it does not say who comes."""
    customer, billing = order.customer, order.billing or Billing()
    patient_id = (customer.id or customer.cred) if customer else None
    if customer is None or not patient_id:
        return None
    person = customer.person or Person()
    return Patient(
        id=patient_id,
        name=billing.name or person.name or "",
        phone=billing.phone or "",
        email=billing.email or "",
        address=billing.address or Address(),
        gender=person.gender or "",
        born=person.born,
        abha_number=person.abha_number or "",
    )

"""A patient as billing and customer of an order, written by a consumer and read by a provider.

Pure; nothing here is ever logged. Source: NHA Physical Consultation v2.0, billing and customer.
"""

from __future__ import annotations

from uhi.booking.hospital import Guardian, Patient
from uhi.messages import Order
from uhi.messages.tags import (
    ABHA_NUMBER,
    GUARDIAN_ABHA,
    GUARDIAN_NAME,
    GUARDIAN_PHONE,
    GUARDIAN_RELATION,
    our_tag,
    write_our_tags,
)
from uhi.messages.values import Address, Billing, Customer, Person, Tags, write_tags

_FIRST_YEAR, _LAST_YEAR = 1880, 9999


def write_billing(patient: Patient) -> Billing:
    """Return to whom the order is billed."""
    return Billing(name=patient.name, phone=patient.phone, email=patient.email or None, address=patient.address)


def write_customer(patient: Patient, *, with_guardian: bool = False) -> Customer:
    """Return who comes, with the day of birth as text and as numbers; the adult of a minor only where asked for."""
    born = patient.born
    return Customer(
        id=patient.id,
        person=Person(
            gender=patient.gender or None,
            dob=born.isoformat() if born else None,
            dayOfBirth=born.day if born else None,
            monthOfBirth=born.month if born else None,
            yearOfBirth=born.year if born else patient.birth_year,
            tags=_tags(patient, patient.guardian if with_guardian else None) or None,
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
        birth_year=None if person.born else _year(person),
        guardian=_guardian(person.tags),
    )


def _tags(patient: Patient, guardian: Guardian | None) -> Tags:
    told = write_tags({ABHA_NUMBER: patient.abha_number or None})
    if guardian is None:
        return told
    ours = {
        GUARDIAN_NAME: guardian.name,
        GUARDIAN_RELATION: guardian.relation,
        GUARDIAN_PHONE: guardian.phone,
        GUARDIAN_ABHA: guardian.abha_address,
    }
    return {**told, **write_our_tags(ours)}


def _guardian(tags: Tags | None) -> Guardian | None:
    name = our_tag(tags, GUARDIAN_NAME)
    if not name:
        return None
    return Guardian(
        name=name,
        relation=our_tag(tags, GUARDIAN_RELATION),
        phone=our_tag(tags, GUARDIAN_PHONE),
        abha_address=our_tag(tags, GUARDIAN_ABHA),
    )


def _year(person: Person) -> int | None:
    year = int(person.yearOfBirth or 0)
    return year if _FIRST_YEAR <= year <= _LAST_YEAR else None

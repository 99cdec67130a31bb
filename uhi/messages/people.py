"""People: doctors, patients, whoever pays, whoever to call. Source: NHA Physical Consultation v2.0, shared objects."""

from __future__ import annotations

from datetime import date

from uhi.messages.places import Address
from uhi.messages.tags import ABHA_NUMBER, HFR_ID, HIP_ID, HPR_ID, tag
from uhi.messages.times import parse_date
from uhi.messages.wire import Number, Tags, Text, Wire


class Agent(Wire):
    """A doctor. `id` is the HPR address."""

    id: Text | None = None
    name: Text | None = None
    gender: Text | None = None
    image: Text | None = None
    tags: Tags | None = None

    @property
    def hpr_id(self) -> str | None:
        """The doctor's number in the register of professionals, without the comma some senders append."""
        return _identifier(self.tags, HPR_ID)

    @property
    def hfr_id(self) -> str | None:
        """The facility's number in the register of facilities, without the comma some senders append."""
        return _identifier(self.tags, HFR_ID)

    @property
    def hip_id(self) -> str | None:
        """The facility's id as provider of health records."""
        return _identifier(self.tags, HIP_ID)


class Person(Wire):
    """A human being, with the day of birth as text, as numbers, or both."""

    id: Text | None = None
    cred: Text | None = None
    name: Text | None = None
    gender: Text | None = None
    image: Text | None = None
    dob: Text | None = None
    dayOfBirth: Number | None = None
    monthOfBirth: Number | None = None
    yearOfBirth: Number | None = None
    tags: Tags | None = None

    @property
    def address(self) -> str | None:
        """ABHA or HPR address: `id`, or `cred` in older messages."""
        return self.id or self.cred

    @property
    def born(self) -> date | None:
        """The day of birth; None when it is absent, incomplete or no day of the calendar."""
        parts = f"{self.yearOfBirth}-{self.monthOfBirth}-{self.dayOfBirth}"
        try:
            return parse_date(self.dob or parts)
        except ValueError:
            return None

    @property
    def abha_number(self) -> str | None:
        """The patient's ABHA number."""
        return tag(self.tags, ABHA_NUMBER)


class Customer(Wire):
    """The patient. `id` is the ABHA address."""

    id: Text | None = None
    cred: Text | None = None
    person: Person | None = None


class Contact(Wire):
    """How to reach a facility."""

    phone: Text | None = None
    email: Text | None = None
    tags: Tags | None = None


class Billing(Wire):
    """To whom an order is billed."""

    name: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    address: Address | None = None


def _identifier(tags: Tags | None, name: str) -> str | None:
    return (tag(tags, name) or "").rstrip(", ") or None

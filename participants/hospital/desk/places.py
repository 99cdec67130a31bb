"""Whose an appointment is: the organisation of the place it is at, and the practitioner it is with, by their records.

Those count that cannot be booked any more, too: appointments outlive them. Above: the desk, conversations; below: the
directory.
"""

from __future__ import annotations

from collections.abc import Collection

from participants.hospital.organisations.directory import Directory
from participants.hospital.schedules.board import practice_of
from uhi.booking.kept import KeptOrder
from uhi.errors import SlotUnavailable
from uhi.identity.rules import Target


class Places:
    """Reads the directory's snapshot, as it is at each question."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def target_of(self, order: KeptOrder, *, practitioner_id: str = "") -> Target:
        """The record that an order is, as far as rules look at it; one at an unknown place is nobody's. Of several
        doctors who see the patient it is that one's whose record is named."""
        return Target(
            tenant=self.organisation_of(order) or None,
            facility_id=order.slot.doctor.facility.id,
            practitioner_id=practitioner_id
            if practitioner_id and practitioner_id in self.practitioners_of(order)
            else self.practitioner_of(order),
        )

    def practitioners_of(self, order: KeptOrder) -> frozenset[str]:
        """The ids of the records of everybody who sees the patient, of those who are known."""
        known = self._directory.snapshot.practitioner_ids
        return frozenset(filter(None, (known.get(doctor.id, "") for doctor in order.slot.doctors)))

    def organisation_of(self, order: KeptOrder) -> str:
        """The id of the organisation an order belongs to; empty for a place that is not known."""
        return self.organisation_at(order.slot.doctor.facility.id)

    def demand_own(self, slot_id: str, order: KeptOrder) -> None:
        """See that a slot is one of the organisation that an order belongs to, and another than the order's.

        Raises: SlotUnavailable, in the words for one that is not there.
        """
        practice = self._directory.snapshot.practices.get(practice_of(slot_id))
        if practice is None or practice.organisation_id != self.organisation_of(order):
            raise SlotUnavailable("there is no such slot")
        if slot_id == order.slot.id:
            raise SlotUnavailable("the appointment has this slot already")

    def organisation_at(self, location_id: str) -> str:
        """The id of the organisation that a place belongs to; empty for one that is not known."""
        site = self._directory.snapshot.sites.get(location_id)
        return site.organisation_id if site else ""

    def practitioner_of(self, order: KeptOrder) -> str:
        """The id of the record of the practitioner who sees the patient; empty for one that is not known."""
        return self._directory.snapshot.practitioner_ids.get(order.slot.doctor.id, "")

    def locations_of(self, organisations: Collection[str]) -> frozenset[str]:
        """The ids of every place of these organisations."""
        sites = self._directory.snapshot.sites
        return frozenset(name for name, site in sites.items() if site.organisation_id in organisations)

    def address_of(self, practitioner_id: str) -> str:
        """The HPR address of a practitioner by the id of the record; empty for one that is not known."""
        known = self._directory.snapshot.practitioner_ids
        return next((address for address, name in known.items() if name == practitioner_id), "")

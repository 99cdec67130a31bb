"""Whose an appointment is: the organisation of the place it is at, and the practitioner it is with, by their records.

Those count that cannot be booked any more, too: appointments outlive them. Above: the desk, conversations; below: the
directory.
"""

from __future__ import annotations

from collections.abc import Collection

from participants.hospital.organisations.directory import Directory
from uhi.booking.kept import KeptOrder
from uhi.identity.rules import Target


class Places:
    """Reads the directory's snapshot, as it is at each question."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def target_of(self, order: KeptOrder) -> Target:
        """The record that an order is, as far as rules look at it; one at an unknown place is nobody's."""
        return Target(
            tenant=self.organisation_of(order) or None,
            facility_id=order.slot.doctor.facility.id,
            practitioner_id=self.practitioner_of(order),
        )

    def organisation_of(self, order: KeptOrder) -> str:
        """The id of the organisation an order belongs to; empty for a place that is not known."""
        return self.organisation_at(order.slot.doctor.facility.id)

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

"""What can be booked, as plain values in memory: practices with their doctors and quotes, places, people.

Pure. Above: schedules, desk, `directory`; made by `bookable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from uhi.booking.hospital import Doctor, Facility
from uhi.booking.quotes import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A practitioner at one location of an organisation, who can be booked.

    `id` is sixteen hex digits and stands in the ids of slots. `practitioner_id`, `location_id` and `department_id` (may
    be empty) are ids of records. `doctor.facility` is the location, `doctor.price` the lowest total. By kind of
    consultation (`Physical`, `Online`): `services` the ids of the records, `quotes` what one costs, `groups` the
    doctors who take part besides, where any do.
    """

    id: str
    organisation_id: str
    practitioner_id: str
    location_id: str
    department_id: str = ""
    doctor: Doctor
    services: Mapping[str, str]
    quotes: Mapping[str, Quote]
    groups: Mapping[str, tuple[Doctor, ...]] = field(default_factory=dict)

    @property
    def group(self) -> tuple[Doctor, ...]:
        """Everybody who takes part besides, whatever the kind; each once."""
        return tuple({doctor.id: doctor for doctors in self.groups.values() for doctor in doctors}.values())

    def doctor_for(self, fulfilment: str) -> Doctor:
        """The doctor with the price of one kind of consultation.

        Raises: KeyError where it is not offered.
        """
        return replace(self.doctor, price=self.quotes[fulfilment].total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A location, whether or not it can be booked: whose it is, and how it is shown. `facility.id` is its record's."""

    organisation_id: str
    facility: Facility


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that can be booked as of one version: verified organisations, and what is active of theirs.

    `practices` are by their ids, `by_doctor` by HPR address, `locations` those at which there may be appointments.
    `sites` and `practitioner_ids` (ids of records by HPR address) also hold who and what cannot be booked any more: old
    appointments name them.
    """

    version: int = -1
    practices: Mapping[str, Practice] = field(default_factory=dict)
    by_doctor: Mapping[str, tuple[Practice, ...]] = field(default_factory=dict)
    locations: Mapping[str, Facility] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    practitioner_ids: Mapping[str, str] = field(default_factory=dict)

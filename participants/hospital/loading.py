"""A hospital out of a YAML file: its organisation with doctors and fees, and its hours.

Above: `uhi hospital load`, `uhi dev`; below: the loading of organisations and of schedules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from participants.demo_hospital.data import HospitalData, load_hospital
from participants.hospital.organisations.loading import load_hospital_data
from participants.hospital.schedules.loading import load_schedules
from uhi.audit import Acting
from uhi.storage.sql.database import Database


@dataclass(frozen=True, slots=True)
class LoadedHospital:
    """What a file became: an organisation with so many practices. `without_registration` are the HPR addresses of those
    who are not offered online as the file says, since it names no registration of theirs."""

    organisation_id: str
    name: str
    practices: int
    without_registration: tuple[str, ...] = ()


async def load_hospital_file(database: Database, path: Path, *, acting: Acting) -> LoadedHospital:
    """Take in the hospital that a file describes, as one verified organisation; again, what the file has changed.

    Raises: SetupError naming what in the file cannot be used; Refusal(ACCESS_DENIED) for anybody but the operator at
    the command line; Refusal(OVERLOADED) when it may not have been written.
    """
    return await load_hospital_of(database, load_hospital(path), acting=acting)


async def load_hospital_of(database: Database, data: HospitalData, *, acting: Acting) -> LoadedHospital:
    """The same, of a hospital that was read already."""
    loaded = await load_hospital_data(database, data, acting=acting)
    await load_schedules(database, loaded.practices, horizon=data.horizon, acting=acting)
    return LoadedHospital(loaded.organisation_id, data.name, len(loaded.practices), loaded.without_registration)

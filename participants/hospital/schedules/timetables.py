"""Every timetable in memory, as of one version: a question costs one row as long as nothing changed, a change only the
practices it is about.

Above: the hospital's port; below: `reading`, `head_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from participants.hospital.schedules import head_rows
from participants.hospital.schedules.derive import Timetable
from participants.hospital.schedules.reading import all_timetables, timetables_of
from uhi.storage.sql.many import run

_VERSIONS = "SELECT (SELECT version FROM organisation_head), (SELECT version FROM schedule_head)"


@dataclass(frozen=True, slots=True)
class Plan:
    """The timetable of each practice that has a week, by the practice's id."""

    version: int = -1
    timetables: Mapping[str, Timetable] = field(default_factory=dict)


def versions(connection: Connection) -> tuple[int, int]:
    """Return the version of the directory, and that of the timetables, which is read last."""
    directory, timetables = (int(str(each)) for each in run(connection, _VERSIONS, {}).one())
    return directory, timetables


def refreshed(connection: Connection, plan: Plan, *, version: int, now: float) -> Plan:
    """Return the plan as the database has it now, which is in this version: the very same where nothing changed."""
    if version == plan.version:
        return plan
    if plan.version < 0:
        return Plan(version, all_timetables(connection, now=now))
    changed = set(head_rows.changed_since(connection, plan.version))
    kept = {name: timetable for name, timetable in plan.timetables.items() if name not in changed}
    return Plan(version, {**kept, **timetables_of(connection, changed, now=now)})

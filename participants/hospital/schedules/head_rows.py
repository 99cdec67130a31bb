"""The number of the newest change, and what changed since an earlier one.

Sync functions on a connection. A writer moves the number on first: what is read after it is the newest there is.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, or_, select, update

from participants.hospital.organisations.tables import practice
from participants.hospital.schedules.records import Scope
from participants.hospital.schedules.tables import schedule_change, schedule_head
from uhi.storage.sql.upserts import insert_on

PRACTICE, ORGANISATION = "practice", "organisation"


def version_of(connection: Connection) -> int:
    """The number of the newest change."""
    return int(connection.execute(select(schedule_head.c.version)).scalar_one())


def move_on(connection: Connection) -> int:
    """Number a change; until the transaction ends nobody else changes any schedule."""
    connection.execute(update(schedule_head).values(version=schedule_head.c.version + 1))
    return version_of(connection)


def put_change(connection: Connection, version: int, scopes: Iterable[Scope]) -> None:
    """Put down what a change was about."""
    for scope in scopes:
        new = insert_on(connection, schedule_change).values(scope=scope.name, scope_id=scope.id, version=version)
        connection.execute(new.on_conflict_do_update(index_elements=["scope", "scope_id"], set_={"version": version}))


def changed_since(connection: Connection, version: int) -> list[str]:
    """The ids of the practices whose timetable may have changed after a version."""
    newer = schedule_change.c.version > version
    found = (
        select(practice.c.id)
        .join(
            schedule_change,
            or_(
                and_(schedule_change.c.scope == PRACTICE, schedule_change.c.scope_id == practice.c.id),
                and_(schedule_change.c.scope == ORGANISATION, schedule_change.c.scope_id == practice.c.organisation_id),
            ),
        )
        .where(newer)
        .distinct()
    )
    return list(connection.execute(found).scalars())

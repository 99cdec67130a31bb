"""Who has which time of a practitioner: the live holds and bookings, as the table that decides knows them.

A sync function on a connection, so that a hospital's schedule is read together with it. Above: hospitals on the
library's own database; below: `uhi.storage.sql.booking_tables`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Row

from uhi.booking.hospital import Window
from uhi.storage.sql.booking_tables import BOOKED
from uhi.storage.sql.many import is_postgres, run

LONGEST = 24 * 3_600.0
"""No slot is longer, in seconds: so a claim in a window is found by when it starts."""

_OF_THESE = """
SELECT practitioner_id, slot_id, seat, starts_at, ends_at, order_id, state, expires_at FROM hold
WHERE provider_id = :provider AND practitioner_id {} AND starts_at > :earliest AND starts_at < :until
  AND ends_at > :since AND (state = 'CONFIRMED' OR (state = 'HELD' AND expires_at > :now))
ORDER BY starts_at, id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A time that somebody has: held or booked. Times are Unix seconds; a hold is over at `expires_at`."""

    practitioner_id: str
    slot_id: str
    seat: int
    starts_at: float
    ends_at: float
    order_id: str = ""
    is_booked: bool = True
    expires_at: float = 0.0


def claims_within(
    connection: Connection, *, provider_id: str, practitioner_ids: Collection[str], window: Window, now: float
) -> list[Claim]:
    """Return what is held or booked of these practitioners and has a moment in common with the window, by its start.

    `practitioner_ids` are those of the slots' doctors (`Doctor.id`); `now` is Unix seconds: a hold that is over by then
    is left out.
    """
    if not practitioner_ids:
        return []
    since, until = window.start.timestamp(), window.end.timestamp()
    asked: dict[str, object] = {
        "provider": provider_id,
        "earliest": since - LONGEST,
        "since": since,
        "until": until,
        "now": now,
    }
    if is_postgres(connection):
        asked["practitioners"] = sorted(set(practitioner_ids))
        rows = run(connection, _OF_THESE.format("= ANY(CAST(:practitioners AS text[]))"), asked).all()
    else:
        asked["practitioners"] = orjson.dumps(sorted(set(practitioner_ids))).decode()
        rows = run(connection, _OF_THESE.format("IN (SELECT value FROM json_each(:practitioners))"), asked).all()
    return [_claim(row) for row in rows]


def _claim(row: Row[tuple[object, ...]]) -> Claim:
    return Claim(
        practitioner_id=row.practitioner_id,
        slot_id=row.slot_id,
        seat=row.seat,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        order_id=row.order_id,
        is_booked=row.state == BOOKED,
        expires_at=row.expires_at,
    )

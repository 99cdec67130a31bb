"""Who has which time of a practitioner: the live holds and bookings, as the table that decides knows them.

A sync function on a connection, so that a hospital's schedule is read together with it. Above: hospitals on the
library's own database; below: `uhi.storage.sql.booking_tables`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from uhi.booking.hospital import Window
from uhi.storage.sql.booking_tables import BOOKED, HELD, hold

LONGEST = 24 * 3_600.0
"""No slot is longer, in seconds: so a claim in a window is found by when it starts."""


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
    wanted = select(
        hold.c.practitioner_id,
        hold.c.slot_id,
        hold.c.seat,
        hold.c.starts_at,
        hold.c.ends_at,
        hold.c.order_id,
        hold.c.state,
        hold.c.expires_at,
    ).where(
        hold.c.provider_id == provider_id,
        hold.c.practitioner_id.in_(sorted(set(practitioner_ids))),
        hold.c.starts_at > since - LONGEST,
        hold.c.starts_at < until,
        hold.c.ends_at > since,
        or_(hold.c.state == BOOKED, and_(hold.c.state == HELD, hold.c.expires_at > now)),
    )
    rows = connection.execute(wanted.order_by(hold.c.starts_at, hold.c.id)).all()
    return [Claim(*row[:6], row.state == BOOKED, row.expires_at) for row in rows]

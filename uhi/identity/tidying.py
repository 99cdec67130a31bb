"""Forgets what is over: codes, tokens of letters, sign-ins that were not finished, old counts of tries.

Above: `parts`; below: the tables.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete

from uhi.identity.throttles import forget_old
from uhi.storage.sql.identity_tables import letter_token, one_time_code, pending_sign_in

KEPT_SECONDS = 86_400.0
"""For so long after its end a row is still there, so that a mistake can be looked into."""
_COUNTS_SECONDS = 3 * 86_400.0


def tidy(connection: Connection, *, now: float) -> int:
    """Delete what has been over for a day; returns how many rows."""
    before = now - KEPT_SECONDS
    over = (
        delete(table).where(table.c.expires_at < before) for table in (one_time_code, letter_token, pending_sign_in)
    )
    deleted = sum(connection.execute(each).rowcount for each in over)
    return deleted + forget_old(connection, before=now - _COUNTS_SECONDS)

"""Whose database it is: one subscriber's, whose processes may be many. Another's letters must not go out in its name.

Sync functions on a `Connection`. Above: composition roots.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, text

from uhi.errors import SetupError
from uhi.storage.sql.tables import holder

_TAKE = "INSERT INTO holder (place, subscriber_id) VALUES (1, :subscriber_id) ON CONFLICT DO NOTHING"


def hold(connection: Connection, subscriber_id: str) -> None:
    """Make a new database this subscriber's.

    Raises: SetupError when it is another's.
    """
    connection.execute(text(_TAKE), {"subscriber_id": subscriber_id})
    found = connection.execute(select(holder.c.subscriber_id)).scalar_one()
    if found != subscriber_id:
        raise SetupError(
            "the database belongs to another subscriber",
            got=found,
            expected=subscriber_id,
            next_step="give each subscriber a database of its own: UHI_DATABASE_URL",
        )

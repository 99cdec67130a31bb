"""Whose database it is: one subscriber's, whose processes may be many, all with the keys of its bodies.

Another's letters must not go out in its name, and a wrong key must be noticed before the first message.
Sync functions on a `Connection`. Above: composition roots.
"""

from __future__ import annotations

from sqlalchemy import Connection

from uhi.errors import SetupError
from uhi.storage.sealing import Sealing
from uhi.storage.sql.many import run

_TAKE = """
INSERT INTO holder (place, subscriber_id, probe) VALUES (1, :subscriber_id, :probe) ON CONFLICT DO NOTHING
"""
_READ = "SELECT subscriber_id, probe FROM holder"
_RENEW = "UPDATE holder SET probe = :probe"
_ABOUT = "holder"


def hold(connection: Connection, subscriber_id: str, sealing: Sealing) -> None:
    """Make a new database this subscriber's, and see that its keys open what is there.

    Raises: SetupError when it is another's, or was encrypted with keys that are not among these.
    """
    probe = sealing.seal(subscriber_id.encode(), about=_ABOUT)
    run(connection, _TAKE, {"subscriber_id": subscriber_id, "probe": probe})
    found = run(connection, _READ, {}).one()
    if found.subscriber_id != subscriber_id:
        raise SetupError(
            "the database belongs to another subscriber",
            got=found.subscriber_id,
            expected=subscriber_id,
            next_step="give each subscriber a database of its own (UHI_DATABASE_URL); where this one was named by "
            "mistake and is empty, make it anew",
        )
    sealing.open(found.probe, about=_ABOUT)
    # Under the newest key, so that the older ones can go once nothing else needs them.
    run(connection, _RENEW, {"probe": probe})

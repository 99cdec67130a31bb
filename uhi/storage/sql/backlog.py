"""How much waits on SQL, however much it is: asked by every process every few seconds.

Sync functions on a `Connection`. Above: `storage`, `outbox`; below: `many`. Source: reliability rules "Backpressure".
"""

from __future__ import annotations

from sqlalchemy import Connection

from uhi.ports import Backlog
from uhi.storage.sql.many import run

MOST_WEIGHED = 10_000
"""As many letters are weighed one by one, of each state; what waits beyond is taken to be like them."""

# The index of what is due begins with the priority: of each one its first entry, whatever the number of letters.
_PRIORITIES = """
WITH RECURSIVE present(priority) AS (
  SELECT min(priority) FROM outbox WHERE state = 'READY'
  UNION ALL
  SELECT (SELECT min(priority) FROM outbox WHERE state = 'READY' AND outbox.priority > present.priority)
  FROM present WHERE present.priority IS NOT NULL
)
SELECT min((SELECT min(not_before) FROM outbox
  WHERE state = 'READY' AND outbox.priority = present.priority AND not_before > :since)) AS earliest
FROM present WHERE present.priority IS NOT NULL
"""
_BACKLOG = """
WITH ready AS (SELECT size, digest FROM outbox WHERE state = 'READY' LIMIT :most),
leased AS (SELECT size, digest FROM outbox WHERE state = 'LEASED' LIMIT :most),
weighed AS (SELECT size, digest FROM ready UNION ALL SELECT size, digest FROM leased)
SELECT (SELECT count(*) FROM outbox WHERE state = 'READY') AS ready,
  (SELECT count(*) FROM outbox WHERE state = 'LEASED') AS leased,
  (SELECT count(*) FROM weighed) AS weighed,
  (SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM weighed GROUP BY digest) AS bodies) AS size,
  (SELECT count(*) FROM inbox WHERE status = 'NEW') AS unfinished
"""


def backlog(connection: Connection, *, now: float) -> Backlog:
    """See `uhi.ports.Outbox`; equal bodies count once."""
    row = run(connection, _BACKLOG, {"most": MOST_WEIGHED}).one()
    letters = row.ready + row.leased
    size = int(row.size) * letters // max(row.weighed, 1)
    oldest = earliest(connection, since=-1.0)
    return Backlog(letters, size, None if oldest is None or oldest > now else oldest, row.unfinished)


def earliest(connection: Connection, *, since: float) -> float | None:
    """When the first letter is due of those that are due after `since`."""
    found: float | None = run(connection, _PRIORITIES, {"since": since}).one().earliest
    return found

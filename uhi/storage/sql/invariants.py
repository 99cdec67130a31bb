"""What must hold in the database whatever happened: one query each, which returns the ids of what is wrong.

Run by the fault tests after every plan, and by an operator at any time; the same text on both databases. Above: tests
and `cli`. Source: reliability rules "Invariants as SQL" d to g.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Connection, text

GRACE = 60.0
"""How long after its time something may still be under way, in seconds."""

RETENTION = 7 * 86_400.0
"""How long letters are kept for certain after their end, in seconds."""

VIOLATIONS: Mapping[str, str] = MappingProxyType(
    {
        "d": """
SELECT a.id FROM hold a JOIN hold b ON a.id < b.id AND a.provider_id = b.provider_id AND a.seat = b.seat
   AND (a.slot_id = b.slot_id
        OR (a.practitioner_id = b.practitioner_id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at))
 WHERE a.state IN ('HELD', 'CONFIRMED') AND b.state IN ('HELD', 'CONFIRMED')
 ORDER BY a.id
""",
        "e": """
SELECT o.id FROM orders o
 WHERE o.confirmed_at > :ago_retention AND o.confirmed_at <= :ago_grace AND NOT EXISTS (
   SELECT 1 FROM outbox x WHERE x.action = 'on_confirm' AND (
     x.order_id = o.id OR (COALESCE(x.order_id, '') = ''
       AND x.transaction_id = o.transaction_id AND x.dest_subscriber_id = o.consumer_id)))
 ORDER BY o.id
""",
        "f": """
SELECT x.id FROM outbox x WHERE x.state IN ('READY', 'LEASED') AND x.deadline < :ago_grace ORDER BY x.id
""",
        "g": """
SELECT i.id FROM inbox i WHERE i.status NOT IN ('DONE', 'EXPIRED') AND i.received_at < :ago_grace
   AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.inbox_id = i.id AND x.state IN ('READY', 'LEASED'))
 ORDER BY i.id
""",
    }
)
"""By letter: d, a slot or a doctor's time with two live claims; e, a confirmed order without its on_confirm; f, a
letter that waits past its deadline; g, an acknowledged message that nothing follows from."""


def violations(connection: Connection, now: float, *, grace: float = GRACE, retention: float = RETENTION) -> list[str]:
    """Return what is wrong, as `d 0190…`: the letter of the rule and the id of a row at fault.

    `now` is Unix seconds; `grace` and `retention` are seconds.
    """
    times = {"ago_grace": now - grace, "ago_retention": now - retention}
    found = []
    for letter, query in VIOLATIONS.items():
        bound = {name: at for name, at in times.items() if f":{name}" in query}
        found += [f"{letter} {row_id}" for row_id in connection.execute(text(query), bound).scalars()]
    return found

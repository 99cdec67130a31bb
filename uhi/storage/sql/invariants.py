"""What must hold in the database whatever happened: one query each, which returns the ids of what is wrong.

Run by the fault tests after every plan, and by an operator at any time; the same text on both databases. Above: tests
and `cli`. Source: reliability rules "Invariants as SQL" d to g; h to k are ours.
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
SELECT a.id FROM hold a JOIN hold b ON a.id < b.id AND a.provider_id = b.provider_id
   AND ((a.seat = b.seat AND a.slot_id = b.slot_id AND a.order_id <> b.order_id)
        OR (a.practitioner_id = b.practitioner_id AND (a.seat = b.seat OR a.facility_id <> b.facility_id)
            AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at))
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
        "h": """
SELECT o.id FROM orders o LEFT JOIN (SELECT order_id, max(version) AS last FROM order_event GROUP BY order_id) e
    ON e.order_id = o.id
 WHERE e.last IS NULL OR e.last <> o.version
UNION
SELECT e.order_id FROM order_event e WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = e.order_id)
 ORDER BY 1
""",
        "i": """
SELECT o.id FROM orders o WHERE o.state IN ('CONFIRMED', 'APPOINTMENT_STARTED', 'COMPLETED')
   AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.order_id = o.id AND h.state = 'CONFIRMED'
     AND (h.slot_id = o.slot_id OR o.slot_id = '') AND (h.starts_at = o.starts_at OR o.starts_at IS NULL))
 ORDER BY o.id
""",
        "j": """
SELECT h.id FROM hold h
 WHERE (h.state = 'CONFIRMED' AND NOT EXISTS (SELECT 1 FROM orders o
          WHERE o.id = h.order_id AND o.state IN ('CONFIRMED', 'APPOINTMENT_STARTED', 'COMPLETED')))
    OR (h.state = 'HELD' AND h.expires_at > :now AND NOT EXISTS (SELECT 1 FROM orders o
          WHERE o.id = h.order_id AND o.state IN ('HELD', 'EXPIRED')))
 ORDER BY h.id
""",
        "k": """
SELECT e.order_id FROM order_event e GROUP BY e.order_id
HAVING min(e.version) <> 1 OR max(e.version) <> count(*)
 ORDER BY e.order_id
""",
    }
)
"""By letter: d, a slot or a doctor's time with two live claims; e, a confirmed order without its on_confirm; f, a
letter that waits past its deadline; g, an acknowledged message that nothing follows from; h, an order that is not as
far as its stream of events, or has none; i, a booked order without a claim of its slot; j, a claim that keeps others
from a slot for no order; k, a stream with a gap."""


def violations(connection: Connection, now: float, *, grace: float = GRACE, retention: float = RETENTION) -> list[str]:
    """Return what is wrong, as `d 0190…`: the letter of the rule and the id of a row at fault.

    `now` is Unix seconds; `grace` and `retention` are seconds.
    """
    times = {"now": now, "ago_grace": now - grace, "ago_retention": now - retention}
    found = []
    for letter, query in VIOLATIONS.items():
        bound = {name: at for name, at in times.items() if f":{name}" in query}
        found += [f"{letter} {row_id}" for row_id in connection.execute(text(query), bound).scalars()]
    return found

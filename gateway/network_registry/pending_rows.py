"""The rows of what waits for proofs and approvals.

Sync functions on a connection. Above: `member_rows`, `joining`, `proving`, `deciding`; below: `tables`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from gateway.network_registry.json_text import read_object, write_json
from gateway.network_registry.standing import Pending, key_json, particulars_json, read_key, read_particulars
from gateway.network_registry.tables import registry_approval, registry_pending


def pending(connection: Connection, subscribers: Select[tuple[str]]) -> Mapping[str, Pending]:
    """What waits, by subscriber."""
    rows = select(registry_pending).where(registry_pending.c.subscriber_id.in_(subscribers))
    found = connection.execute(rows).mappings().all()
    if not found:
        return {}
    approvals = _approvals(connection, [row["id"] for row in found])
    return {row["subscriber_id"]: _pending(row, tuple(approvals[row["id"]])) for row in found}


def put_pending(connection: Connection, waiting: Pending) -> None:
    """Let something wait, in the place of what waited before."""
    subscriber_id = waiting.wanted.subscriber.id
    drop_pending(connection, subscriber_id)
    connection.execute(insert(registry_pending).values(subscriber_id=subscriber_id, **_row(waiting)))


def update_pending(connection: Connection, waiting: Pending) -> None:
    """Keep how far what waits has got."""
    same = update(registry_pending).where(registry_pending.c.id == waiting.id)
    connection.execute(same.values(**_row(waiting)))


def drop_pending(connection: Connection, subscriber_id: str) -> None:
    """Forget what waits, and who approved it."""
    theirs = select(registry_pending.c.id).where(registry_pending.c.subscriber_id == subscriber_id)
    connection.execute(delete(registry_approval).where(registry_approval.c.pending_id.in_(theirs)))
    connection.execute(delete(registry_pending).where(registry_pending.c.subscriber_id == subscriber_id))


def insert_approval(connection: Connection, waiting: Pending, actor: str, *, now: float) -> None:
    """Keep that somebody approves what waits."""
    connection.execute(insert(registry_approval).values(pending_id=waiting.id, actor=actor, at=now))


def _approvals(connection: Connection, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    query = select(registry_approval).where(registry_approval.c.pending_id.in_(ids)).order_by(registry_approval.c.at)
    for row in connection.execute(query).mappings():
        found[row["pending_id"]].append(row["actor"])
    return found


def _row(waiting: Pending) -> dict[str, object]:
    keys: list[object] = [key_json(key) for key in waiting.keys]
    proofs = {
        "to_prove": list(waiting.to_prove),
        "proven": sorted(waiting.proven),
        "needs_site": waiting.needs_site,
        "needs_decryption": waiting.needs_decryption,
    }
    return {
        "id": waiting.id,
        "amends": waiting.amends,
        "wanted": write_json({"particulars": particulars_json(waiting.wanted), "keys": keys}),
        "signed_with": waiting.signed_with,
        "submitted_by": waiting.submitted_by,
        "submitted_at": waiting.submitted_at,
        "proofs": write_json(proofs),
        "site_checked_at": waiting.site_checked_at,
        "decrypted_at": waiting.decrypted_at,
        "reviewed_by": waiting.reviewed_by,
    }


def _pending(row: RowMapping, approved_by: tuple[str, ...]) -> Pending:
    wanted, proofs = read_object(row["wanted"]), read_object(row["proofs"])
    return Pending(
        id=row["id"],
        wanted=read_particulars(_object(wanted["particulars"])),
        keys=tuple(read_key(_object(key)) for key in _list(wanted["keys"])),
        amends=row["amends"],
        signed_with=row["signed_with"],
        submitted_by=row["submitted_by"],
        submitted_at=row["submitted_at"],
        to_prove=tuple(map(str, _list(proofs["to_prove"]))),
        proven=frozenset(map(str, _list(proofs["proven"]))),
        needs_site=bool(proofs["needs_site"]),
        site_checked_at=row["site_checked_at"],
        needs_decryption=bool(proofs["needs_decryption"]),
        decrypted_at=row["decrypted_at"],
        reviewed_by=row["reviewed_by"],
        approved_by=approved_by,
    )


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []

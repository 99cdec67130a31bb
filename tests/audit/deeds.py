"""Entries to write, and what somebody with every right to the database may do to the rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from uhi.audit import Acting, ActorKind, Entry, Outcome
from uhi.audit.chain import NAMES, Head, Link, link_after

NOON = 1_763_800_200.25
ADMIN = Acting(actor="asha", kind=ActorKind.PERSON, tenant="network", address="192.0.2.7", request_id="r-1")
_UNLOCK = {
    "sqlite": (
        *(f"DROP TRIGGER {name}" for name in ("audit_no_update", "audit_no_delete", "audit_next")),
        *(f"DROP TRIGGER {name}" for name in ("audit_head_grows", "audit_head_stays")),
    ),
    "postgresql": ("ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit_head DISABLE TRIGGER USER"),
}


def deed(number: int) -> Entry:
    """One thing that an administrator did."""
    return ADMIN.entry("registry.suspend", f"subscriber clinic{number}.example", at=NOON + number, reason="asked for")


def chained(count: int, *, after: Head = Head()) -> list[Link]:  # noqa: B008  # a frozen value
    """Rows as they would stand in the database."""
    links: list[Link] = []
    for number in range(count):
        links.append(link_after(after, deed(number)))
        after = links[-1].head
    return links


def refusal(number: int) -> Entry:
    """One thing that was refused."""
    return ADMIN.entry("registry.revoke", f"subscriber {number}", at=NOON, outcome=Outcome.REFUSED)


def tamper(connection: Connection, *statements: str) -> None:
    """Change rows as the owner of the tables can, who first puts the triggers out of the way."""
    for statement in (*_UNLOCK[connection.dialect.name], *statements):
        connection.execute(text(statement))


def replace_rows(connection: Connection, links: Sequence[Link]) -> None:
    """Write the whole trail anew, with its head."""
    tamper(connection, "DELETE FROM audit")
    columns, values = ", ".join(NAMES), ", ".join(f":{name}" for name in NAMES)
    for link in links:
        row = {name: getattr(link, name) for name in NAMES}
        connection.execute(text(f"INSERT INTO audit ({columns}) VALUES ({values})"), row)
    head = links[-1].head
    connection.execute(text("UPDATE audit_head SET seq = :seq, hash = :hash"), {"seq": head.seq, "hash": head.hash})

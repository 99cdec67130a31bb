"""How rows of the audit trail hang together: the bytes of a row, and the hash over them and the row before.

Pure. A row is hashed as it stands in the database, whatever stands there. Above: `trail`, which makes rows, `verify`,
which doubts them. Source: security rules "Audit log".
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from hashlib import sha256

from uhi import strict_json
from uhi.audit.entries import Entry

ROW_PREFIX = b"uhi-audit-row:v1\n"
"""What is hashed begins with it, so that nothing else that is hashed or signed can pass for a row."""

MOST_TEXT = 500
"""So many characters of a text are kept: others choose some of them."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a trail: how many rows it has, and the hash of the newest; a trail without rows has 0 and no hash."""

    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One row: an entry in its place. The names are those of the table's columns and of an exported row.

    `seq` counts from 1, `at` is Unix seconds, `actor_kind` and `outcome` are values of their enums; `prev_hash` is the
    hash of the row before, empty in the first.
    """

    seq: int
    at: float
    actor: str
    actor_kind: str
    tenant: str
    action: str
    object: str
    outcome: str
    reason: str
    request_id: str
    address: str
    before: str
    after: str
    prev_hash: str
    hash: str

    @property
    def head(self) -> Head:
        """The end of a trail that ends here."""
        return Head(self.seq, self.hash)


NAMES = tuple(each.name for each in fields(Link))
"""The columns, in their order."""

_HASHED = NAMES[:-2]
"""All but the two that chain the row to the one before it."""


def link_after(head: Head, entry: Entry) -> Link:
    """The row that an entry becomes behind a head. What does not print is replaced, and a long text cut off."""
    bare = Link(
        seq=head.seq + 1,
        at=float(entry.at),
        actor=_plain(entry.actor),
        actor_kind=entry.actor_kind.value,
        tenant=_plain(entry.tenant),
        action=_plain(entry.action),
        object=_plain(entry.object),
        outcome=entry.outcome.value,
        reason=_plain(entry.reason),
        request_id=_plain(entry.request_id),
        address=_plain(entry.address),
        before=_plain(entry.before),
        after=_plain(entry.after),
        prev_hash=head.hash,
        hash="",
    )
    return replace(bare, hash=hash_of(bare))


def canonical(link: Link) -> bytes:
    """The one spelling of a row: a JSON array of its columns in order, without the two hashes.

    Raises: TypeError for what a row cannot hold, such as bytes.
    """
    return strict_json.write([getattr(link, name) for name in _HASHED])


def hash_of(link: Link) -> str:
    """The hash (hex) that a row must carry: SHA-256 of the prefix, the row, a line feed and the hash before it.

    Raises: TypeError for what a row cannot hold.
    """
    return sha256(b"".join((ROW_PREFIX, canonical(link), b"\n", str(link.prev_hash).encode()))).hexdigest()


def _plain(text: str) -> str:
    printed = text if text.isprintable() else "".join(each if each.isprintable() else "·" for each in text)
    return printed if len(printed) <= MOST_TEXT else printed[: MOST_TEXT - 1] + "…"

"""The rows of challenges: what was asked, and what has been answered.

Sync functions on a connection. Above: `proving`; below: `tables`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.network_registry.tables import registry_challenge
from uhi.signing.challenge import Challenge


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge that was made for something that waits, and the digest of the encrypted text, empty for none."""

    pending_id: str
    challenge: Challenge
    answer: str = ""
    used_at: float | None = None


def insert_challenges(connection: Connection, asked: Sequence[Asked], *, now: float) -> None:
    """Keep what is asked at once."""
    rows = [
        {
            "id": each.challenge.challenge_id,
            "pending_id": each.pending_id,
            "subscriber_id": each.challenge.subscriber_id,
            "key_id": each.challenge.key_id,
            "round": asked[0].challenge.challenge_id,
            "nonce": each.challenge.nonce,
            "expires": each.challenge.expires,
            "answer": each.answer,
            "made_at": now,
        }
        for each in asked
    ]
    connection.execute(insert(registry_challenge), rows)


def challenge(connection: Connection, challenge_id: str, *, registry_id: str) -> Asked | None:
    """A challenge by its id."""
    query = select(registry_challenge).where(registry_challenge.c.id == challenge_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    made = Challenge(registry_id, row["subscriber_id"], row["key_id"], row["id"], row["nonce"], row["expires"])
    return Asked(row["pending_id"], made, row["answer"], row["used_at"])


def use(connection: Connection, challenge_id: str, *, now: float) -> None:
    """Mark a challenge as answered, rightly or not."""
    connection.execute(update(registry_challenge).where(registry_challenge.c.id == challenge_id).values(used_at=now))


def rounds_since(connection: Connection, subscriber_id: str, since: float) -> tuple[float, ...]:
    """When the subscriber was asked since a moment, the newest first."""
    made_at = func.min(registry_challenge.c.made_at)
    query = select(made_at).group_by(registry_challenge.c.round).order_by(made_at.desc())
    query = query.where(registry_challenge.c.subscriber_id == subscriber_id, registry_challenge.c.made_at > since)
    return tuple(connection.execute(query).scalars())


def forget_before(connection: Connection, moment: float) -> None:
    """Drop what was asked before a moment."""
    connection.execute(delete(registry_challenge).where(registry_challenge.c.made_at < moment))

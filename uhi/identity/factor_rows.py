"""Second factors in the database: at most one of a kind in force, and one of a kind that waits to be confirmed.

Sync functions on a `Connection`. Above: `second_factors`; below: the tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import RECORD_MISSING
from uhi.storage.sealing import Sealing
from uhi.storage.sql.identity_tables import second_factor

OTP, SMS, RECOVERY = "otp", "sms", "rc"
"""The ways of a second factor, as tokens spell them: an app's code, a text message, a recovery code."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor: an app's secret, or a telephone number. `last_step` is the last time step that was accepted."""

    account_id: str
    kind: str
    secret: bytes = field(repr=False)
    last_step: int = -1


def add(connection: Connection, factor: Factor, *, sealing: Sealing, at: float) -> None:
    """A factor that waits to be confirmed, in place of another one that does."""
    waiting = (*_of(factor.account_id, factor.kind), second_factor.c.confirmed_at.is_(None))
    connection.execute(delete(second_factor).where(*waiting))
    row_id = new_row_id(at)
    row = {
        "id": row_id,
        "account_id": factor.account_id,
        "kind": factor.kind,
        "sealed": sealing.seal(factor.secret, about=_about(row_id)),
        "created_at": at,
    }
    connection.execute(insert(second_factor).values(row))


def find(
    connection: Connection, account_id: str, kind: str, *, sealing: Sealing, is_confirmed: bool = True
) -> Factor | None:
    """The factor of a kind that is in force, or the one that waits."""
    is_set = second_factor.c.confirmed_at.is_not(None)
    query = select(second_factor).where(*_of(account_id, kind), is_set if is_confirmed else ~is_set)
    row = connection.execute(query).first()
    if row is None:
        return None
    return Factor(account_id, kind, sealing.open(bytes(row.sealed), about=_about(row.id)), row.last_step)


def confirm(connection: Connection, account_id: str, kind: str, step: int, *, at: float) -> bool:
    """Put the factor that waits in force, in place of an earlier one; returns whether one waited."""
    waiting = (*_of(account_id, kind), second_factor.c.confirmed_at.is_(None))
    if connection.execute(select(second_factor.c.id).where(*waiting)).first() is None:
        return False
    earlier = (*_of(account_id, kind), second_factor.c.confirmed_at.is_not(None))
    connection.execute(delete(second_factor).where(*earlier))
    connection.execute(update(second_factor).where(*waiting).values(confirmed_at=at, last_step=step))
    return True


def use_step(connection: Connection, account_id: str, step: int) -> bool:
    """Remember a time step as used; returns whether it, and every later one, was still unused."""
    mine = (*_of(account_id, OTP), second_factor.c.confirmed_at.is_not(None), second_factor.c.last_step < step)
    return connection.execute(update(second_factor).where(*mine).values(last_step=step)).rowcount == 1


def remove(connection: Connection, account_id: str, kind: str) -> None:
    """Forget the factors of a kind, that which waits included.

    Raises: Refusal(RECORD_MISSING) where there is none.
    """
    if not connection.execute(delete(second_factor).where(*_of(account_id, kind))).rowcount:
        raise Refusal(RECORD_MISSING, f"there is no factor {kind}")


def remove_all(connection: Connection, account_id: str) -> None:
    """Forget every factor of an account."""
    connection.execute(delete(second_factor).where(second_factor.c.account_id == account_id))


def _of(account_id: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return (second_factor.c.account_id == account_id, second_factor.c.kind == kind)


def _about(row_id: str) -> str:
    return f"second factor {row_id}"

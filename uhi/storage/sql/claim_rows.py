"""Claims of slots as rows of `hold`: ended, renewed, made; the constraints of the table decide who has a slot.

Sync functions on a `Connection`, each for many claims in one or two statements. A claim is a mapping by column; where
it is made it has its own `id`, and `now`, its time. Above: `uhi.booking.order_writes`; below: `many`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from uhi.storage.sql.booking_tables import hold
from uhi.storage.sql.many import insert_rows, is_postgres, look_up, run

Claims = Sequence[Mapping[str, object]]

_COLUMNS = (
    "id",
    "order_id",
    "provider_id",
    "slot_id",
    "seat",
    "practitioner_id",
    "starts_at",
    "ends_at",
    "state",
    "expires_at",
    "facility_id",
)
_RENEWED = (
    "order_id",
    "practitioner_id",
    "slot_id",
    "seat",
    "starts_at",
    "ends_at",
    "state",
    "expires_at",
    "facility_id",
)
_CHANGES = _RENEWED[2:]
_IN_THE_WAY = ("order_id", "provider_id", "slot_id", "practitioner_id", "starts_at", "ends_at", "now")
_KINDS = {"seat": "int4[]", "starts_at": "float8[]", "ends_at": "float8[]", "expires_at": "float8[]", "now": "float8[]"}

_END_SOME = """UPDATE hold SET state = 'EXPIRED' WHERE state IN ('HELD', 'CONFIRMED')
 AND EXISTS (SELECT 1 FROM {given} WHERE a = hold.order_id AND b = hold.practitioner_id)"""
_END = "UPDATE hold SET state = 'EXPIRED' WHERE order_id IN (SELECT a FROM {given}) AND state IN ('HELD', 'CONFIRMED')"


def _given(names: Sequence[str]) -> str:
    arrays = ", ".join(f"CAST(:{name} AS {_KINDS.get(name, 'text[]')})" for name in names)
    return f"unnest({arrays}) AS given({', '.join(names)})"


_RENEW_ALL = (
    f"UPDATE hold SET {', '.join(f'{name} = given.{name}' for name in _CHANGES)} FROM {_given(_RENEWED)}"  # noqa: S608
    " WHERE hold.order_id = given.order_id AND hold.practitioner_id = given.practitioner_id"
    " AND hold.state IN ('HELD', 'CONFIRMED') RETURNING hold.order_id, hold.practitioner_id"
)
_RENEW_ONE = (
    f"UPDATE hold SET {', '.join(f'{name} = :{name}' for name in _CHANGES)}"  # noqa: S608
    " WHERE order_id = :order_id AND practitioner_id = :practitioner_id AND state IN ('HELD', 'CONFIRMED')"
)
_LAPSED_OF_DOCTOR = """provider_id = {0}provider_id AND practitioner_id = {0}practitioner_id AND state = 'HELD'
 AND expires_at <= {0}now AND starts_at < {0}ends_at AND ends_at > {0}starts_at AND order_id <> {0}order_id"""
_LAPSED_OF_SLOT = """provider_id = {0}provider_id AND slot_id = {0}slot_id AND state IN ('HELD', 'CONFIRMED')
 AND state = 'HELD' AND expires_at <= {0}now AND order_id <> {0}order_id"""
_LAPSED = (_LAPSED_OF_DOCTOR, _LAPSED_OF_SLOT)
_LAPSED_IDS = " UNION ".join(
    f"SELECT h.id FROM {_given(_IN_THE_WAY)} JOIN hold h ON h.{each.format('given.').replace(' AND ', ' AND h.')}"  # noqa: S608
    for each in _LAPSED
)
_END_LAPSED_ALL = f"UPDATE hold SET state = 'EXPIRED' WHERE id IN ({_LAPSED_IDS}) RETURNING slot_id"  # noqa: S608
_END_ONE = "UPDATE hold SET state = 'EXPIRED' WHERE {} RETURNING slot_id"
_END_LAPSED_ONE = tuple(_END_ONE.format(each.format(":")) for each in _LAPSED)


def end_claims_of(connection: Connection, order_ids: Sequence[str]) -> None:
    """Give back what these orders have."""
    look_up(connection, _END, [(each,) for each in order_ids])


def end_claims(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Give back the time of single doctors, by the order that has it and the doctor."""
    look_up(connection, _END_SOME, keys)


def renew_claims(connection: Connection, claims: Claims) -> set[tuple[str, str]]:
    """Change the claims that these orders have; returns the order and the doctor of each that was there.

    Raises: IntegrityError when one gets into another's way.
    """
    if is_postgres(connection):
        found = run(connection, _RENEW_ALL, _by_name(claims, _RENEWED))
        return {(str(row.order_id), str(row.practitioner_id)) for row in found}
    renewed = [each for each in claims if run(connection, _RENEW_ONE, each).rowcount]
    return {(str(each["order_id"]), str(each["practitioner_id"])) for each in renewed}


def end_lapsed_in_the_way(connection: Connection, claims: Claims) -> set[str]:
    """End the claims of others whose hold is over and which stand where these are to be; returns their slots."""
    if is_postgres(connection):
        return {str(row[0]) for row in run(connection, _END_LAPSED_ALL, _by_name(claims, _IN_THE_WAY))}
    return {
        str(row[0])
        for each in claims
        for statement in _END_LAPSED_ONE
        for row in run(connection, statement, each).all()
    }


def insert_claims(connection: Connection, claims: Claims) -> set[str]:
    """Make claims, each unless another is in its way; returns the ids of those that were not made."""
    made = insert_rows(connection, hold, _COLUMNS, [tuple(each[name] for name in _COLUMNS) for each in claims])
    return set() if made is None else {str(each["id"]) for each in claims} - {str(each) for each in made}


def _by_name(claims: Claims, names: Sequence[str]) -> dict[str, object]:
    return {name: [each[name] for each in claims] for name in names}

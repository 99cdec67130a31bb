"""Each account's own key: what is about it and its family is sealed with that, so that deleting the key deletes all.

Sync functions on a connection. The key stands in the same database, sealed with the program's: a copy of the database
made before an erasure, together with the program's key file, still opens it. Above: whatever keeps something personal.
Source: case IAM-17.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from participants.patient.people.tables import patient_key
from uhi.errors import RECORD_MISSING, Refusal
from uhi.storage.sealing import KEY_BYTES, Sealing
from uhi.storage.sql.upserts import insert_on


@dataclass(frozen=True, slots=True)
class DataKeys:
    """The keys of all accounts, sealed with `sealing`."""

    sealing: Sealing

    def of(self, connection: Connection, account_id: str) -> Sealing:
        """How what is about an account is sealed and opened.

        Raises: Refusal(RECORD_MISSING) where there is no key: nothing was kept, or everything was erased.
        """
        found = self._read(connection, account_id)
        if found is None:
            raise Refusal(RECORD_MISSING, "nothing is kept about this account, or it was erased")
        return found

    def made_for(self, connection: Connection, account_id: str, *, now: float) -> Sealing:
        """The same, with a new key where there is none yet."""
        sealed = self.sealing.seal(secrets.token_bytes(KEY_BYTES), about=_about(account_id))
        row = {"account_id": account_id, "sealed": sealed, "made_at": now}
        connection.execute(insert_on(connection, patient_key).values(row).on_conflict_do_nothing())
        return self.of(connection, account_id)

    def destroy(self, connection: Connection, account_id: str) -> None:
        """Make everything unreadable that was sealed for an account."""
        connection.execute(delete(patient_key).where(patient_key.c.account_id == account_id))

    def _read(self, connection: Connection, account_id: str) -> Sealing | None:
        query = select(patient_key.c.sealed).where(patient_key.c.account_id == account_id)
        sealed = connection.execute(query).scalar_one_or_none()
        return Sealing([self.sealing.open(sealed, about=_about(account_id))]) if sealed is not None else None


def _about(account_id: str) -> str:
    return f"data key {account_id}"

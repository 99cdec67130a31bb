"""Each account's own key, which seals what is kept of it: deleting the key deletes all of that, in every copy.

Sync functions on a connection. A key is a file beside the database, itself sealed with the program's key: neither a
copy of the database with that key nor one of the folder without it opens anything. The table says whose keys there are,
and whose were erased. Above: what keeps something personal, by `uhi.storage.sql.sealers` the library. Source: IAM-17.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from participants.patient.people.key_folder import KeyFolder
from participants.patient.people.tables import patient_key
from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED, RECORD_MISSING
from uhi.storage.sealing import KEY_BYTES, Sealing
from uhi.storage.sql.upserts import insert_on

_NO_KEY = "see that the folder is the right one; after a restore, who was erased since has no key"

_T = patient_key.c


@dataclass(frozen=True, slots=True)
class DataKeys:
    """The keys of all accounts, sealed with `sealing`."""

    sealing: Sealing
    folder: KeyFolder

    def of(self, connection: Connection, account_id: str, *, seals: bool = False) -> Sealing:
        """How what is about an account is opened, and with `seals` sealed: whoever erases waits until that is kept.

        Raises: Refusal(RECORD_MISSING) where there is no key: nothing was kept, or everything was erased;
        Refusal(OVERLOADED) where there should be one: then it is to be tried again.
        """
        query = select(_T.erased_at).where(_T.account_id == account_id)
        row = connection.execute(query.with_for_update(read=True) if seals else query).one_or_none()
        if row is None or row.erased_at is not None:
            raise Refusal(RECORD_MISSING, "nothing is kept about this account, or it was erased")
        try:
            sealed = self.folder.read(account_id)
        except SetupError as error:
            raise Refusal(OVERLOADED, error.what, next_step=error.next_step) from None
        if sealed is None:
            raise Refusal(OVERLOADED, "the key of an account is not in the folder of keys", next_step=_NO_KEY)
        return Sealing([self.sealing.open(sealed, about=_about(account_id))])

    def made_for(self, connection: Connection, account_id: str, *, now: float) -> Sealing:
        """The same, with a new key where there never was one.

        Raises: Refusal(RECORD_MISSING) where everything was erased.
        """
        row = {"account_id": account_id, "made_at": now, "erased_at": None}
        if connection.execute(insert_on(connection, patient_key).values(row).on_conflict_do_nothing()).rowcount:
            # Whatever file there may be is of a step that was not kept.
            self.folder.write(account_id, self.sealing.seal(secrets.token_bytes(KEY_BYTES), about=_about(account_id)))
        return self.of(connection, account_id, seals=True)

    def destroy(self, connection: Connection, account_id: str, *, now: float) -> None:
        """Let there be no key of an account any more, ever; once this step is kept, `clear` deletes its file."""
        new = insert_on(connection, patient_key).values(account_id=account_id, made_at=now, erased_at=now)
        connection.execute(new.on_conflict_do_update(index_elements=["account_id"], set_={"erased_at": now}))

    def clear(self, connection: Connection) -> None:
        """Delete the files of those who were erased, as far as they are still there.

        Raises: SetupError when one cannot be deleted.
        """
        erased = connection.execute(select(_T.account_id).where(_T.erased_at.is_not(None))).scalars()
        for account_id in erased:
            if self.folder.has(account_id):
                self.folder.delete(account_id)


def _about(account_id: str) -> str:
    return f"data key {account_id}"

"""Family members: whom an account may book for, itself among them. Sealed with the account's own key.

Above: routes, bookings; below: `data_keys`, the table. Source: privacy rules "Data classes" (direct identifiers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from uuid import uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from participants.patient.people.data_keys import DataKeys
from participants.patient.people.tables import patient_member
from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.booking.hospital import Guardian, Patient
from uhi.booking.plain_json import read_value, write_value
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.messages.values import Address
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database

MOST_MEMBERS = 20
_HOLDER = "self"

_T = patient_member.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """Who somebody is. `relation` is to the account's holder (`self` for that one); nothing of it shows in a repr."""

    name: str = field(repr=False)
    relation: str = field(repr=False)
    phone: str = field(repr=False)
    address: Address = field(repr=False)
    gender: str = field(default="", repr=False)
    born: date | None = field(default=None, repr=False)
    email: str = field(default="", repr=False)
    abha_address: str = field(default="", repr=False)
    abha_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody an account may book for. `version` counts the changes; `holder` is the account's, where that is another
    one and known: the adult who answers for a minor."""

    id: str
    account_id: str
    version: int
    about: Particulars
    holder: Particulars | None = field(default=None, repr=False)

    @property
    def patient(self) -> Patient:
        """Who comes, as a hospital is told.

        Raises: Refusal(STATE_REFUSED) without an ABHA address, by which the network knows patients.
        """
        about = self.about
        if not about.abha_address:
            refusal = Refusal(STATE_REFUSED, "a patient without an ABHA address cannot be booked for")
            refusal.mistakes = (("member_id", "has no ABHA address; PATCH /v1/members/{id} gives it one"),)
            raise refusal
        return Patient(
            id=about.abha_address,
            name=about.name,
            phone=about.phone,
            address=about.address,
            email=about.email,
            gender=about.gender,
            born=about.born,
            abha_number=about.abha_number,
            guardian=self._guardian(),
        )

    def _guardian(self) -> Guardian | None:
        if self.holder is None:
            return None
        return Guardian(
            name=self.holder.name,
            relation=f"holder of the account; the patient is their {self.about.relation}",
            phone=self.holder.phone,
            abha_address=self.holder.abha_address,
        )


class Members:
    """The family members of all accounts; every change writes its audit row in the same step."""

    def __init__(self, database: Database, keys: DataKeys) -> None:
        self._database = database
        self._keys = keys

    async def add(self, account_id: str, about: Particulars, *, acting: Acting) -> Member:
        """Keep somebody new.

        Raises: Refusal(ALREADY_TAKEN) for a second `self`, Refusal(STATE_REFUSED) when there are too many.
        """
        made = Member(id=uuid4().hex, account_id=account_id, version=1, about=about)

        def work(connection: Connection) -> Member:
            now = self._database.clock.now()
            sealing = self._keys.made_for(connection, account_id, now=now)
            others = [self._open(row, sealing) for row in _rows(connection, account_id)]
            _check_fits(made, others)
            row = {"id": made.id, "account_id": account_id, "made_at": now, **_changed(made, sealing, now)}
            connection.execute(insert(patient_member), row)
            append(connection, acting.entry("member.add", f"member {made.id}", at=now))
            return made

        return await self._database.write(work)

    async def change(self, member: Member, about: Particulars, *, acting: Acting) -> Member:
        """Keep a member as changed.

        Raises: Refusal(STATE_REFUSED) when somebody else changed it meanwhile; Refusal(ALREADY_TAKEN) as `add`.
        """
        changed = Member(id=member.id, account_id=member.account_id, version=member.version + 1, about=about)

        def work(connection: Connection) -> Member:
            now = self._database.clock.now()
            sealing = self._keys.of(connection, member.account_id, seals=True)
            others = [self._open(row, sealing) for row in _rows(connection, member.account_id)]
            _check_fits(changed, [each for each in others if each.id != member.id])
            same = update(patient_member).where(_T.id == member.id, _T.version == member.version)
            if connection.execute(same.values(_changed(changed, sealing, now))).rowcount != 1:
                raise Refusal(STATE_REFUSED, "the member was changed meanwhile", next_step="read it again")
            append(connection, acting.entry("member.change", f"member {member.id}", at=now))
            return changed

        return await self._database.write(work)

    async def remove(self, member: Member, *, acting: Acting) -> None:
        """Forget somebody; what was booked stays booked."""

        def work(connection: Connection) -> None:
            connection.execute(delete(patient_member).where(_T.id == member.id))
            entry = acting.entry("member.remove", f"member {member.id}", at=self._database.clock.now())
            append(connection, entry)

        await self._database.write(work)

    async def get(self, member_id: str) -> Member:
        """One member, whosesoever.

        Raises: Refusal(RECORD_MISSING).
        """

        def read(connection: Connection) -> Member:
            row = connection.execute(select(patient_member).where(_T.id == member_id)).mappings().one_or_none()
            if row is None:
                raise Refusal(RECORD_MISSING)
            sealing = self._keys.of(connection, row["account_id"])
            member = self._open(row, sealing)
            if member.about.relation == _HOLDER:
                return member
            others = (self._open(each, sealing) for each in _rows(connection, member.account_id))
            return replace(member, holder=next((each.about for each in others if each.about.relation == _HOLDER), None))

        return await self._database.read(read)

    async def of(self, account_id: str) -> Sequence[Member]:
        """An account's, the oldest first."""

        def read(connection: Connection) -> Sequence[Member]:
            rows = _rows(connection, account_id)
            sealing = self._keys.of(connection, account_id) if rows else None
            return [self._open(row, sealing) for row in rows if sealing]

        return await self._database.read(read)

    def _open(self, row: RowMapping, sealing: Sealing) -> Member:
        about = read_value(_particulars(), sealing.open(row["sealed"], about=_about(row["id"])), what="member")
        return Member(id=row["id"], account_id=row["account_id"], version=row["version"], about=about)


def erase_members(connection: Connection, account_id: str) -> int:
    """Delete all of an account's; returns how many."""
    return connection.execute(delete(patient_member).where(_T.account_id == account_id)).rowcount


def _rows(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    query = select(patient_member).where(_T.account_id == account_id).order_by(_T.made_at, _T.id)
    return connection.execute(query).mappings().all()


def _check_fits(member: Member, others: Sequence[Member]) -> None:
    if len(others) >= MOST_MEMBERS:
        raise Refusal(STATE_REFUSED, "the family is too large", expected=f"at most {MOST_MEMBERS} members")
    if member.about.relation == "self" and any(each.about.relation == "self" for each in others):
        raise Refusal(ALREADY_TAKEN, "somebody is the account's holder already", path="relation")


def _changed(member: Member, sealing: Sealing, now: float) -> dict[str, object]:
    sealed = sealing.seal(write_value(member.about), about=_about(member.id))
    return {"sealed": sealed, "version": member.version, "changed_at": now}


@cache
def _particulars() -> TypeAdapter[Particulars]:
    return TypeAdapter(Particulars)


def _about(member_id: str) -> str:
    return f"member {member_id}"

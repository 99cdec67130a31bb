"""Accounts in the database: read, written, listed. E-mail address, number and name are sealed, and found by digest.

Sync functions on a `Connection`. Above: `accounts`, `joining`, `sign_in`; below: `store`, the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from uhi import strict_json
from uhi.audit import digest_of
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.identity import session_rows
from uhi.identity.letter_tokens import TokenPurpose
from uhi.identity.people import Account, AccountState
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.identity.store import Keyed, texts_in
from uhi.storage.sealing import Sealing
from uhi.storage.sql.identity_tables import (
    account,
    account_grant,
    letter_token,
    pending_sign_in,
    second_factor,
    session,
)

Tenants = Collection[str] | None

Belonging = Callable[[Connection, Account], None]
"""Sees that there is what an account belongs to; raises a Refusal where there is not."""


def anywhere(connection: Connection, account: Account) -> None:
    """Of a program that has no such places."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with what its password is checked against; None while it has none."""

    account: Account
    password: str | None


@dataclass(frozen=True, slots=True)
class AccountRows:
    """The accounts of one database."""

    sealing: Sealing
    keyed: Keyed

    def by_id(self, connection: Connection, account_id: str, *, tenants: Tenants = None, lock: bool = False) -> Account:
        """One account. With `tenants` only one that belongs to, or has a role in, one of them: any other is missing.

        Raises: Refusal(RECORD_MISSING).
        """
        which = [account.c.id == account_id, *([] if tenants is None else [within(tenants)])]
        query = select(account).where(*which)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise Refusal(RECORD_MISSING, "there is no such account here")
        return self._read(connection, [row])[0]

    def by_email(self, connection: Connection, email: str) -> Credentials | None:
        """The account of an e-mail address in its one spelling."""
        query = select(account).where(account.c.email_index == self.keyed.of("email", email))
        row = connection.execute(query).one_or_none()
        return None if row is None else Credentials(self._read(connection, [row])[0], row.password)

    def credentials(self, connection: Connection, account_id: str, *, lock: bool = False) -> Credentials:
        """As `by_id`, with the password."""
        found = self.by_id(connection, account_id, lock=lock)
        kept = select(account.c.password).where(account.c.id == account_id)
        return Credentials(found, connection.execute(kept).scalar_one_or_none())

    def page(self, connection: Connection, which: Sequence[ColumnElement[bool]], most: int) -> list[Account]:
        """Accounts in the order in which they were made."""
        query = select(account).where(*which).order_by(account.c.id).limit(most)
        return self._read(connection, connection.execute(query).all())

    def insert(self, connection: Connection, made: Account, *, password: str | None, at: float) -> Account:
        """A new account, with its grants.

        Raises: Refusal(ALREADY_TAKEN) when another one has the e-mail address.
        """
        self._see_that_free(connection, made)
        version = made.version + 1
        row = {"id": made.id, "created_at": made.created_at, "credentials_at": at, "password": password}
        try:
            connection.execute(insert(account).values(row | self._values(made, at) | {"version": version}))
        except IntegrityError:
            raise _taken() from None
        self._keep_grants(connection, made, frozenset(), at, "")
        return replace(made, version=version)

    def change(self, connection: Connection, before: Account, after: Account, *, at: float, by: str = "") -> Account:
        """Write what an account is from now on.

        Raises: Refusal(STATE_REFUSED) when somebody else changed it meanwhile; Refusal(ALREADY_TAKEN).
        """
        if after.email != before.email:
            self._see_that_free(connection, after)
        version = before.version + 1
        same = update(account).where(account.c.id == before.id, account.c.version == before.version)
        try:
            done = connection.execute(same.values(self._values(after, at) | {"version": version}))
        except IntegrityError:
            raise _taken() from None
        if done.rowcount != 1:
            raise Refusal(STATE_REFUSED, "the account was changed meanwhile", next_step="read it again, then change it")
        self._keep_grants(connection, after, before.grants, at, by)
        return replace(after, version=version)

    def digest(self, kept: Account) -> str:
        """What the audit trail keeps of an account: a digest in which nothing personal can be guessed at."""
        facts = {name: str(value) for name, value in self._values(kept, 0.0).items() if name != "sealed"}
        facts["name"] = self.keyed.of("name", kept.name)
        roles = sorted([grant.role.value, grant.tenant] for grant in kept.grants)
        return digest_of(facts | {"grants": roles, "factors": sorted(kept.second_factors)})

    def _values(self, kept: Account, at: float) -> dict[str, object]:
        personal = strict_json.write({"email": kept.email, "phone": kept.phone, "name": kept.name})
        return {
            "email_index": self.keyed.of("email", kept.email),
            "phone_index": self.keyed.of("phone", kept.phone) if kept.phone else None,
            "sealed": self.sealing.seal(personal, about=f"account {kept.id}"),
            "tenant": kept.tenant,
            "state": kept.state.value,
            "is_email_verified": kept.is_email_verified,
            "is_phone_verified": kept.is_phone_verified,
            "facility_id": kept.facility_id,
            "practitioner_id": kept.practitioner_id,
            "patient_id": kept.patient_id,
            "updated_at": at,
        }

    def _see_that_free(self, connection: Connection, wanted: Account) -> None:
        index = self.keyed.of("email", wanted.email)
        if connection.execute(select(account.c.id).where(account.c.email_index == index)).first() is not None:
            raise _taken()

    def _keep_grants(self, connection: Connection, kept: Account, had: frozenset[Grant], at: float, by: str) -> None:
        own = account_grant.c.account_id == kept.id
        for gone in had - kept.grants:
            place = (account_grant.c.role == gone.role.value, account_grant.c.tenant == gone.tenant)
            connection.execute(delete(account_grant).where(own, *place))
        rows = [
            {"account_id": kept.id, "role": new.role.value, "tenant": new.tenant, "granted_at": at, "granted_by": by}
            for new in kept.grants - had
        ]
        if rows:
            connection.execute(insert(account_grant), rows)

    def _read(self, connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> list[Account]:
        ids = [row.id for row in rows]
        granted = select(account_grant.c.account_id, account_grant.c.role, account_grant.c.tenant)
        grants: dict[str, set[Grant]] = {each: set() for each in ids}
        for owner, name, tenant in connection.execute(granted.where(account_grant.c.account_id.in_(ids))):
            if role := AccessRole.read(name):
                grants[owner].add(Grant(role, tenant))
        factors: dict[str, set[str]] = {each: set() for each in ids}
        in_force = (second_factor.c.account_id.in_(ids), second_factor.c.confirmed_at.is_not(None))
        for owner, kind in connection.execute(
            select(second_factor.c.account_id, second_factor.c.kind).where(*in_force)
        ):
            factors[owner].add(kind)
        return [self._account(row, frozenset(grants[row.id]), frozenset(factors[row.id])) for row in rows]

    def _account(self, row: Row[tuple[object, ...]], grants: frozenset[Grant], factors: frozenset[str]) -> Account:
        personal = texts_in(self.sealing.open(bytes(row.sealed), about=f"account {row.id}"))
        return Account(
            id=row.id,
            email=personal["email"],
            phone=personal["phone"],
            name=personal["name"],
            tenant=row.tenant,
            grants=grants,
            state=AccountState(row.state),
            is_email_verified=bool(row.is_email_verified),
            is_phone_verified=bool(row.is_phone_verified),
            second_factors=factors,
            facility_id=row.facility_id,
            practitioner_id=row.practitioner_id,
            patient_id=row.patient_id,
            created_at=row.created_at,
            version=row.version,
        )


def within(tenants: Collection[str]) -> ColumnElement[bool]:
    """Accounts that belong to one of the tenants, or have a role in one."""
    has_role = exists().where(account_grant.c.account_id == account.c.id, account_grant.c.tenant.in_(tenants))
    return or_(account.c.tenant.in_(tenants), has_role)


def _taken() -> Refusal:
    return Refusal(ALREADY_TAKEN, "another account has this e-mail address", path="email")


def keep_password(connection: Connection, account_id: str, password: str) -> None:
    """Write another hash of a password; of the same one where its cost has changed."""
    connection.execute(update(account).where(account.c.id == account_id).values(password=password))


def credentials_changed(connection: Connection, account_id: str, *, at: float, keep_session: str = "") -> None:
    """Password, factors or e-mail address are others now: every session but the one that changed them ends in the same
    step, every sign-in that is under way, and what was sent out to choose a new password with.
    """
    connection.execute(update(account).where(account.c.id == account_id).values(credentials_at=at))
    begun = (pending_sign_in.c.account_id == account_id, pending_sign_in.c.used_at.is_(None))
    connection.execute(update(pending_sign_in).where(*begun).values(used_at=at))
    sent = (letter_token.c.account_id == account_id, letter_token.c.purpose == TokenPurpose.RESET.spelled)
    connection.execute(delete(letter_token).where(*sent))
    others = (session.c.account_id == account_id) & (session.c.id != keep_session)
    session_rows.close(connection, others, at=at, because="credentials")

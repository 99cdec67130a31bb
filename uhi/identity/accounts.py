"""Accounts as they are read and managed: profiles, roles, closing. Every change writes its audit row in the same step.

Above: `uhi.api`; below: `account_rows`. Source: security rules "IAM", threat T27 (what is foreign is missing).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection

from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING, STATE_REFUSED
from uhi.identity import factor_rows
from uhi.identity.account_rows import AccountRows, Belonging, Tenants, anywhere, credentials_changed, within
from uhi.identity.granting import check_is_another, check_may_give, staff_tenants
from uhi.identity.people import Account, AccountState, Ties, read_email, read_name
from uhi.identity.principals import NOBODY, Grant, Principal
from uhi.identity.store import IdentityStore
from uhi.storage.sql.identity_tables import account

MOST_ON_A_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts: of these tenants (None: of all), in this state (None: in any), after the one with the id
    `after`, at most `most` of them.
    """

    tenants: Tenants = None
    state: AccountState | None = None
    after: str = ""
    most: int = 50


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Accounts, the oldest first; `next` is the `after` of the next page, empty where there is none."""

    accounts: tuple[Account, ...]
    next: str = ""


def _nothing_else(connection: Connection) -> None:
    """What most changes need."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One change: what it is called in the trail, who makes it, and within which tenants."""

    action: str
    acting: Acting
    tenants: Tenants = None
    reason: str = ""
    ends_sessions: bool = False
    also: Callable[[Connection], None] = _nothing_else
    check: Belonging = anywhere


class Accounts:
    """The accounts of one database; `belongs` sees that there is what an account is tied to."""

    def __init__(self, store: IdentityStore, *, belongs: Belonging = anywhere) -> None:
        self._store = store
        self._belongs = belongs

    async def rows(self) -> AccountRows:
        """The accounts as functions on a connection, for what is one step with something else."""
        return AccountRows(self._store.sealing, await self._store.keyed())

    async def get(self, account_id: str, *, tenants: Tenants = None) -> Account:
        """One account; with `tenants` only one that belongs to, or has a role in, one of them.

        Raises: Refusal(RECORD_MISSING), a foreign one being answered as one that is not there.
        """
        rows = await self.rows()
        return await self._store.database.read(lambda connection: rows.by_id(connection, account_id, tenants=tenants))

    async def with_email(self, email: str) -> Account:
        """The account with an address.

        Raises: Refusal(RECORD_MISSING); Refusal(REQUEST_INVALID) for what is no address.
        """
        rows, spelled = await self.rows(), read_email(email)
        found = await self._store.database.read(lambda connection: rows.by_email(connection, spelled))
        if found is None:
            raise Refusal(RECORD_MISSING, "nobody has this e-mail address", next_step="see how it is spelled")
        return found.account

    async def emails(self, ids: Collection[str]) -> Mapping[str, str]:
        """The e-mail addresses of those of these accounts that are there, by id."""
        if not ids:
            return {}
        rows, which = await self.rows(), [account.c.id.in_(sorted(ids))]
        found = await self._store.database.read(lambda connection: rows.page(connection, which, len(ids)))
        return {each.id: each.email for each in found}

    async def page(self, wanted: AccountFilter) -> AccountPage:
        """Accounts, a page at a time."""
        rows = await self.rows()
        most = max(1, min(wanted.most, MOST_ON_A_PAGE))
        which: list[ColumnElement[bool]] = [account.c.id > wanted.after]
        if wanted.tenants is not None:
            which.append(within(wanted.tenants))
        if wanted.state is not None:
            which.append(account.c.state == wanted.state.value)
        found = await self._store.database.read(lambda connection: rows.page(connection, which, most + 1))
        return AccountPage(tuple(found[:most]), found[most - 1].id if len(found) > most else "")

    async def rename(self, account_id: str, name: str, *, acting: Acting) -> Account:
        """Change one's own name.

        Raises: Refusal(REQUEST_INVALID, RECORD_MISSING).
        """
        named = read_name(name)
        return await self._change(
            account_id, lambda kept: replace(_active(kept), name=named), _Step("account.rename", acting)
        )

    async def tie(self, account_id: str, ties: Ties, *, acting: Acting, by: Principal = NOBODY) -> Account:
        """Say which facility, practitioner and patient an account belongs to; its sessions end.

        Raises: Refusal(ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING), and what the program's `belongs` does.
        """
        check_is_another(account_id, acting)

        def tied(kept: Account) -> Account:
            return replace(
                kept,
                facility_id=ties.facility_id,
                practitioner_id=ties.practitioner_id,
                patient_id=ties.patient_id,
            )

        tenants = staff_tenants(by, acting)
        step = _Step("account.tie", acting, tenants, ends_sessions=True, check=self._belongs)
        return await self._change(account_id, lambda kept: tied(_home(kept, tenants)), step)

    async def grant(self, account_id: str, grant: Grant, *, acting: Acting, by: Principal = NOBODY) -> Account:
        """Give a role. `by` is whose right it is; the machine's operator has every right.

        Raises: Refusal(ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING).
        """
        step = _giving("account.grant", account_id, grant, by=by, acting=acting)
        return await self._change(
            account_id, lambda kept: replace(_not_closed(kept), grants=kept.grants | {grant}), step
        )

    async def withdraw(self, account_id: str, grant: Grant, *, acting: Acting, by: Principal = NOBODY) -> Account:
        """Take a role away; the account's sessions end.

        Raises: Refusal(ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING).
        """
        step = replace(_giving("account.withdraw", account_id, grant, by=by, acting=acting), ends_sessions=True)
        return await self._change(account_id, lambda kept: replace(kept, grants=kept.grants - {grant}), step)

    async def close(self, account_id: str, *, acting: Acting, by: Principal = NOBODY) -> Account:
        """End an account, one's own or one of the administrator's own tenant; its sessions end with it.

        Raises: Refusal(ACCESS_DENIED, RECORD_MISSING).
        """
        is_own = acting.actor == account_id
        tenants = None if is_own else staff_tenants(by, acting)
        step = _Step("account.close", acting, tenants, ends_sessions=True)
        return await self._change(
            account_id, lambda kept: replace(_home(kept, tenants), state=AccountState.CLOSED), step
        )

    async def erase(self, account_id: str, *, acting: Acting, also: Callable[[Connection], None]) -> Account:
        """End one's own account and keep nothing personal of it but the e-mail address, so that nobody else gets it.
        `also` is done in the same transaction, or nothing is.

        Raises: Refusal(RECORD_MISSING), and what `also` raises.
        """

        def work(connection: Connection) -> None:
            factor_rows.remove_all(connection, account_id)
            also(connection)

        def emptied(kept: Account) -> Account:
            closed = replace(kept, state=AccountState.CLOSED, second_factors=frozenset())
            return replace(closed, name="", phone="", is_phone_verified=False)

        return await self._change(account_id, emptied, _Step("account.close", acting, ends_sessions=True, also=work))

    async def reopen(self, account_id: str, *, acting: Acting, by: Principal = NOBODY) -> Account:
        """Let a closed account sign in again, with what it had.

        Raises: Refusal(ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING, STATE_REFUSED).
        """
        check_is_another(account_id, acting)
        step = _Step("account.reopen", acting, staff_tenants(by, acting))

        def reopened(kept: Account) -> Account:
            if kept.state is not AccountState.CLOSED:
                raise Refusal(STATE_REFUSED, "the account is not closed", got=kept.state.value, expected="CLOSED")
            # Whoever never accepted an invitation has no password, and may be invited again.
            state = AccountState.ACTIVE if kept.is_email_verified else AccountState.INVITED
            return replace(_home(kept, step.tenants), state=state)

        return await self._change(account_id, reopened, step)

    async def _change(self, account_id: str, change: Callable[[Account], Account], step: _Step) -> Account:
        rows = await self.rows()
        now = self._store.clock.now()

        def work(connection: Connection) -> Account:
            before = rows.by_id(connection, account_id, tenants=step.tenants, lock=True)
            after = rows.change(connection, before, change(before), at=now, by=step.acting.actor)
            step.check(connection, after)
            if step.ends_sessions:
                credentials_changed(connection, account_id, at=now)
            entry = step.acting.entry(
                step.action,
                f"account {account_id}",
                at=now,
                reason=step.reason,
                before=rows.digest(before),
                after=rows.digest(after),
            )
            append(connection, entry)
            step.also(connection)
            return after

        return await self._store.database.write(work)


def _giving(action: str, account_id: str, grant: Grant, *, by: Principal, acting: Acting) -> _Step:
    check_is_another(account_id, acting)
    check_may_give(grant, by=by, acting=acting)
    reason = f"{grant.role.value} in {grant.tenant or 'the network'}"
    return _Step(action, acting, staff_tenants(by, acting), reason)


def _active(kept: Account) -> Account:
    if kept.state is not AccountState.ACTIVE:
        raise Refusal(STATE_REFUSED, "the account is not in use")
    return kept


def _not_closed(kept: Account) -> Account:
    if kept.state is AccountState.CLOSED:
        raise Refusal(STATE_REFUSED, "the account is closed")
    return kept


def _home(kept: Account, tenants: Tenants) -> Account:
    """Who only has a role in a tenant belongs to another one, which closes and ties the account."""
    if tenants is not None and kept.tenant not in tenants:
        raise Refusal(RECORD_MISSING, "the account belongs to another tenant")
    return kept

"""`uhi registry admin`: what only the operator of the machine may do, on the registry's database itself. Audited."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import click

from cli.loop import run
from cli.output import json_option, plain, say, say_rows, show
from cli.stored import check_there, database_option
from gateway.network_registry.settings import RegistrySettings
from uhi.audit import Acting, ActorKind
from uhi.clock import SystemClock
from uhi.errors import STATE_REFUSED, Refusal, SetupError
from uhi.http.client import HttpTransport
from uhi.identity.accounts import MOST_ON_A_PAGE, AccountFilter
from uhi.identity.joining import Invitation, Invited
from uhi.identity.parts import IdentityParts, identity_of
from uhi.identity.people import Account, AccountState
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.keeping import sealing_of
from uhi.storage.addresses import address_of, shown
from uhi.storage.migrating import check_current, current, upgrade
from uhi.storage.sql.database import Database

_ROLES = [role.value for role in AccessRole if role.value.startswith("registry.")] + [AccessRole.AUDITOR.value]


@click.group()
def admin() -> None:
    """What the operator of the machine does on the database itself: invite the first administrators, see who is there,
    close, reopen and unlock accounts.

    Reads the same environment as `uhi registry serve`, above all UHI_DATABASE_URL. Works while the registry runs;
    every change is put into the audit trail.
    """


@admin.command(short_help="Invite somebody; prints a one-time token.")
@click.argument("email", metavar="EMAIL")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What they may do.")
@click.option("--name", default="", metavar="NAME", help="Their name.")
@database_option
@json_option
def invite(email: str, role: str, name: str, url: str, as_json: bool) -> None:
    """Invite somebody to the registry. Two administrators are needed before anybody can be approved.

    The token is shown once and is good for 7 days; inviting again makes a new one. Works before the registry was ever
    started, too.
    """
    settings = _settings(url)
    invited = run(_invite(settings, email, AccessRole(role), name))
    value = {"ok": True, **_place(settings), "account": invited.account.id, "role": role, "token": invited.token}

    def human() -> None:
        say(f"{plain(email)} is invited as {role}.", style="bold green")
        say_rows([("token", invited.token), ("good for", "7 days, once"), *_place(settings).items()])
        say("Give it to nobody else. Next, on their own machine:")
        say(f"  uhi registry login --registry {settings.origin} --invitation --email {plain(email)}")

    show(value, human, as_json=as_json)


@admin.command(short_help="Let somebody try again who gave too many wrong codes.")
@click.argument("email", metavar="EMAIL")
@database_option
@json_option
def unlock(email: str, url: str, as_json: bool) -> None:
    """Let somebody sign in again whose second factor is locked, which it is after 100 wrong codes in a row.

    See first that it was they who tried.
    """
    settings = _settings(url)
    unlocked = run(_unlock(settings, email))
    _show_done(f"{plain(email)} may try again.", unlocked, settings, as_json=as_json)


@admin.command(short_help="End somebody's account, and every session of it.")
@click.argument("email", metavar="EMAIL")
@database_option
@json_option
def close(email: str, url: str, as_json: bool) -> None:
    """End the account of somebody who has left, or whose account others use. Its sessions end at once."""
    settings = _settings(url)
    closed = run(_close(settings, email))
    _show_done(f"The account of {plain(email)} is closed.", closed, settings, as_json=as_json)


@admin.command(short_help="Let somebody in again whose account was closed.")
@click.argument("email", metavar="EMAIL")
@database_option
@json_option
def reopen(email: str, url: str, as_json: bool) -> None:
    """Let somebody sign in again, with the roles, the password and the second factor they had."""
    settings = _settings(url)
    reopened = run(_reopen(settings, email))
    _show_done(f"The account of {plain(email)} is open again.", reopened, settings, as_json=as_json)


@admin.command("list", short_help="List who has an account, with their roles.")
@database_option
@json_option
def list_people(url: str, as_json: bool) -> None:
    """List the accounts of the registry's people: e-mail, state, roles and second factors."""
    settings = _settings(url)
    people = run(_everybody(settings))

    def human() -> None:
        say_rows(_place(settings).items(), indent=0)
        for each in people:
            say(f"{plain(each.email)}: {each.state.value}", style="bold")
            factors = ", ".join(sorted(each.second_factors)) or "none"
            say_rows([("name", plain(each.name)), ("roles", ", ".join(_roles(each)) or "none"), ("factors", factors)])
        if not people:
            say("Nobody has an account yet. Next: uhi registry admin invite EMAIL --role registry.admin")

    show({"ok": True, **_place(settings), "accounts": [_as_json(each) for each in people]}, human, as_json=as_json)


def _settings(url: str) -> RegistrySettings:
    # A registry that is given none makes a file where it runs, which is seldom where its operator is.
    if not url:
        raise SetupError(
            "which database is not said",
            expected="--url or UHI_DATABASE_URL",
            next_step="take the registry's; one that was given none keeps sqlite:///SUBSCRIBER-ID.db in its folder",
        )
    address_of(url)
    return RegistrySettings.read().model_copy(update={"database_url": url})


def _place(settings: RegistrySettings) -> dict[str, str]:
    return {"database": shown(address_of(settings.storage_url))}


def _show_done(done: str, account: Account, settings: RegistrySettings, *, as_json: bool) -> None:
    def human() -> None:
        say(done, style="bold green")
        say_rows(_place(settings).items())

    show({"ok": True, **_place(settings), "account": account.id}, human, as_json=as_json)


def _as_json(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "state": account.state.value,
        "roles": _roles(account),
        "second_factors": sorted(account.second_factors),
    }


def _roles(account: Account) -> list[str]:
    grants = sorted(account.grants, key=lambda grant: (grant.tenant, grant.role.value))
    return [f"{grant.role.value} in {grant.tenant}" if grant.tenant else grant.role.value for grant in grants]


async def _invite(settings: RegistrySettings, email: str, role: AccessRole, name: str) -> Invited:
    url = settings.storage_url
    if url.startswith("sqlite") and not (await current(url)).is_current:
        await upgrade(url)
    async with _people(settings) as people:
        wanted = Invitation(email=email, name=name or email.partition("@")[0], grant=Grant(role))
        invited = await people.joining.invite(wanted, acting=_acting())
        await people.notices.done()
        return invited


async def _unlock(settings: RegistrySettings, email: str) -> Account:
    async with _people(settings) as people:
        account = await people.accounts.with_email(email)
        await people.second_factors.unlock(account.id, acting=_acting())
        return account


async def _close(settings: RegistrySettings, email: str) -> Account:
    async with _people(settings) as people:
        account = await people.accounts.with_email(email)
        if account.state is AccountState.CLOSED:
            raise Refusal(STATE_REFUSED, "the account is closed already", next_step="uhi registry admin list")
        return await people.accounts.close(account.id, acting=_acting())


async def _reopen(settings: RegistrySettings, email: str) -> Account:
    async with _people(settings) as people:
        account = await people.accounts.with_email(email)
        return await people.accounts.reopen(account.id, acting=_acting())


async def _everybody(settings: RegistrySettings) -> list[Account]:
    found: list[Account] = []
    async with _people(settings) as people:
        after = None
        while after != "":
            page = await people.accounts.page(AccountFilter(after=after or "", most=MOST_ON_A_PAGE))
            found += page.accounts
            after = page.next
    return found


@asynccontextmanager
async def _people(settings: RegistrySettings) -> AsyncIterator[IdentityParts]:
    check_there(settings.storage_url)
    await check_current(settings.storage_url)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = Database.open(settings.storage_url, clock=clock)
        stack.push_async_callback(database.aclose)
        transport = HttpTransport()
        stack.push_async_callback(transport.aclose)
        people = identity_of(database, sealing_of(settings), clock, settings.identity(transport))
        stack.push_async_callback(people.aclose)
        yield people


def _acting() -> Acting:
    return Acting(actor=_operator(), kind=ActorKind.OPERATOR)


def _operator() -> str:
    try:
        return f"operator {getpass.getuser()}"
    except (OSError, KeyError):
        raise SetupError("the system does not tell who you are", next_step="set USER") from None

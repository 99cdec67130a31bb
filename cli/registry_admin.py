"""`uhi registry admin`: what only the operator of the machine may do, on the registry's database itself. Audited."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import click

from cli.loop import run
from cli.output import json_option, plain, say, say_rows, show
from gateway.network_registry.settings import RegistrySettings
from uhi.audit import Acting, ActorKind
from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.http.client import HttpTransport
from uhi.identity.joining import Invitation, Invited
from uhi.identity.parts import IdentityParts, identity_of
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.keeping import sealing_of
from uhi.storage.migrating import check_current, current, upgrade
from uhi.storage.sql.database import Database

_ROLES = [role.value for role in AccessRole if role.value.startswith("registry.")] + [AccessRole.AUDITOR.value]


@click.group()
def admin() -> None:
    """What the operator of the machine does on the database itself: invite the first administrators, unlock one."""


@admin.command(short_help="Invite somebody; prints a one-time token.")
@click.argument("email", metavar="EMAIL")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What they may do.")
@click.option("--name", default="", metavar="NAME", help="Their name.")
@json_option
def invite(email: str, role: str, name: str, as_json: bool) -> None:
    """Invite somebody to the registry. Two administrators are needed before anybody can be approved.

    Reads the same environment as `uhi registry serve`. The token is shown once and is good for 7 days; inviting again
    makes a new one. Works while the registry runs, and before it was ever started.
    """
    settings = RegistrySettings.read()
    invited = run(_invite(settings, email, AccessRole(role), name))
    value = {"ok": True, "account": invited.account.id, "role": role, "token": invited.token}

    def human() -> None:
        say(f"{plain(email)} is invited as {role}.", style="bold green")
        say_rows([("token", invited.token), ("good for", "7 days, once")])
        say("Give it to nobody else. Next, on their own machine:")
        say(f"  uhi registry login --registry {settings.origin} --invitation --email {plain(email)}")

    show(value, human, as_json=as_json)


@admin.command(short_help="Let somebody try again who gave too many wrong codes.")
@click.argument("email", metavar="EMAIL")
@json_option
def unlock(email: str, as_json: bool) -> None:
    """Let somebody sign in again whose second factor is locked, which it is after 100 wrong codes in a row.

    See first that it was they who tried. Reads the same environment as `uhi registry serve`, works while the registry
    runs, and is put into the audit trail.
    """
    unlocked = run(_unlock(RegistrySettings.read(), email))
    value = {"ok": True, "account": unlocked.id}
    show(value, lambda: say(f"{plain(email)} may try again.", style="bold green"), as_json=as_json)


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


@asynccontextmanager
async def _people(settings: RegistrySettings) -> AsyncIterator[IdentityParts]:
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

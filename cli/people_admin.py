"""What only the operator of a machine may do with the people of a program, on its database itself. Audited.

Above: `uhi registry admin`, `uhi hospital admin`, `uhi patient admin`; each adds whom it invites.
"""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import click

from cli.loop import run
from cli.output import json_option, plain, say, say_rows, show
from cli.stored import check_there, database_option, named
from uhi.audit import Acting, ActorKind
from uhi.clock import SystemClock
from uhi.errors import Refusal, SetupError
from uhi.faults import STATE_REFUSED
from uhi.http.client import HttpTransport
from uhi.identity.accounts import MOST_ON_A_PAGE, AccountFilter
from uhi.identity.joining import Invitation, Invited
from uhi.identity.parts import IdentityParts, identity_of
from uhi.identity.people import Account, AccountState
from uhi.keeping import sealing_of
from uhi.people import PeopleSettings
from uhi.storage.addresses import address_of, shown
from uhi.storage.migrating import check_current, current, upgrade
from uhi.storage.sql.database import Database

S = TypeVar("S", bound=PeopleSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The program whose people these are: the kind of its settings, what the group's help says, and the command with
    which the first of them is invited."""

    settings: type[PeopleSettings]
    help: str
    first: str


def admin_group(whose: Whose) -> click.Group:
    """The group `admin` of a program, with everything but `invite`."""
    group = click.Group("admin", help=whose.help)
    for command in (_unlock_command(whose), _close_command(whose), _reopen_command(whose), _list_command(whose)):
        group.add_command(command)
    return group


def settings_at(kind: type[S], url: str) -> S:
    """The settings of the environment, with the database that the operator named.

    Raises: SetupError when none was named, or the environment does not say enough.
    """
    # A program that is given none makes a file where it runs, which is seldom where its operator is.
    address_of(named(url))
    return kind.read().model_copy(update={"database_url": url})


def place_of(settings: PeopleSettings) -> dict[str, str]:
    """The database, as it is shown: without a password."""
    return {"database": shown(address_of(settings.storage_url))}


def invite_and_show(
    settings: PeopleSettings,
    wanted: Invitation,
    *,
    then: str,
    ways: Callable[[Invited], Sequence[str]],
    as_json: bool,
) -> None:
    """Invite somebody, and show the token, whether a letter with it left, and what they do `then`: the lines of `ways`.

    Raises: SetupError, Refusal.
    """
    invited = run(invite_person(settings, wanted))
    place, role, has_letter = place_of(settings), wanted.grant.role.value, bool(settings.smtp_host)
    told = {"account": invited.account.id, "role": role, "token": invited.token, "letter": has_letter}

    def human() -> None:
        say(f"{plain(wanted.email)} is invited as {role}.", style="bold green")
        say_rows([("token", invited.token), ("good for", "7 days, once"), *place.items()])
        letter = "A letter with it is on its way." if has_letter else "No letter went out: UHI_SMTP_HOST is not set."
        say(f"{letter} Give it to nobody else. {then}")
        for way in ways(invited):
            say(f"  {way}")

    show({"ok": True, **place, **told}, human, as_json=as_json)


def ways_of(settings: PeopleSettings, email: str) -> Callable[[Invited], Sequence[str]]:
    """How whoever was invited takes an account up at a program's own interface."""
    return lambda invited: accepting(settings.origin, email=plain(email), token=invited.token)


def accepting(origin: str, *, email: str, token: str) -> tuple[str, ...]:
    """How somebody takes an invitation up, and signs in for the first time."""
    sent = "-H 'Content-Type: application/json' -d"
    return (
        f"""curl {origin}/v1/invitations/accept {sent} '{{"token":"{token}","password":"…"}}'""",
        f"""curl {origin}/v1/sign-in {sent} '{{"email":"{email}","password":"…"}}'""",
        "then a second factor: POST /v1/account/factors/totp and …/totp/confirm, and sign in again with the next code",
    )


async def invite_person(settings: PeopleSettings, wanted: Invitation) -> Invited:
    """Make an account that waits for its owner; a SQLite file that is not there yet is made.

    Raises: SetupError, Refusal.
    """
    url = settings.storage_url
    if url.startswith("sqlite") and not (await current(url)).is_current:
        await upgrade(url)
    async with people_of_operator(settings) as people:
        invited = await people.joining.invite(wanted, acting=operator_acting())
        await people.notices.done()
        return invited


@asynccontextmanager
async def people_of_operator(settings: PeopleSettings) -> AsyncIterator[IdentityParts]:
    """The identity of a program, on its database, while the block runs.

    Raises: SetupError when the database is not there, or not this program's.
    """
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


def operator_acting() -> Acting:
    """Whoever sits at this machine, for the audit trail.

    Raises: SetupError when the system does not tell who they are.
    """
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        raise SetupError("the system does not tell who you are", next_step="set USER") from None
    return Acting(actor=f"operator {name}", kind=ActorKind.OPERATOR)


def _unlock_command(whose: Whose) -> click.Command:
    @click.command(short_help="Let somebody try again who gave too many wrong codes.")
    @click.argument("email", metavar="EMAIL")
    @database_option
    @json_option
    def unlock(email: str, url: str, as_json: bool) -> None:
        """Let somebody sign in again whose second factor is locked, which it is after 100 wrong codes in a row.

        See first that it was they who tried.
        """
        settings = settings_at(whose.settings, url)
        _show_done(f"{plain(email)} may try again.", run(_unlock(settings, email)), settings, as_json=as_json)

    return unlock


def _close_command(whose: Whose) -> click.Command:
    @click.command(short_help="End somebody's account, and every session of it.")
    @click.argument("email", metavar="EMAIL")
    @database_option
    @json_option
    def close(email: str, url: str, as_json: bool) -> None:
        """End the account of somebody who has left, or whose account others use. Its sessions end at once."""
        settings = settings_at(whose.settings, url)
        done = f"The account of {plain(email)} is closed."
        _show_done(done, run(_close(settings, email)), settings, as_json=as_json)

    return close


def _reopen_command(whose: Whose) -> click.Command:
    @click.command(short_help="Let somebody in again whose account was closed.")
    @click.argument("email", metavar="EMAIL")
    @database_option
    @json_option
    def reopen(email: str, url: str, as_json: bool) -> None:
        """Let somebody sign in again, with the roles, the password and the second factor they had."""
        settings = settings_at(whose.settings, url)
        done = f"The account of {plain(email)} is open again."
        _show_done(done, run(_reopen(settings, email)), settings, as_json=as_json)

    return reopen


def _list_command(whose: Whose) -> click.Command:
    @click.command("list", short_help="List who has an account, with their roles.")
    @database_option
    @json_option
    def list_people(url: str, as_json: bool) -> None:
        """List the accounts of the program's people: e-mail, state, roles and second factors."""
        settings = settings_at(whose.settings, url)
        people = run(_everybody(settings))

        def human() -> None:
            say_rows(place_of(settings).items(), indent=0)
            for each in people:
                say(f"{plain(each.email)}: {each.state.value}", style="bold")
                factors = ", ".join(sorted(each.second_factors)) or "none"
                say_rows(
                    [("name", plain(each.name)), ("roles", ", ".join(_roles(each)) or "none"), ("factors", factors)]
                )
            if not people:
                say(f"Nobody has an account yet. Next: {whose.first}")

        accounts = [_as_json(each) for each in people]
        show({"ok": True, **place_of(settings), "accounts": accounts}, human, as_json=as_json)

    return list_people


def _show_done(done: str, account: Account, settings: PeopleSettings, *, as_json: bool) -> None:
    def human() -> None:
        say(done, style="bold green")
        say_rows(place_of(settings).items())

    show({"ok": True, **place_of(settings), "account": account.id}, human, as_json=as_json)


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


async def _unlock(settings: PeopleSettings, email: str) -> Account:
    async with people_of_operator(settings) as people:
        account = await people.accounts.with_email(email)
        await people.second_factors.unlock(account.id, acting=operator_acting())
        return account


async def _close(settings: PeopleSettings, email: str) -> Account:
    async with people_of_operator(settings) as people:
        account = await people.accounts.with_email(email)
        if account.state is AccountState.CLOSED:
            raise Refusal(STATE_REFUSED, "the account is closed already", next_step="see who is there with: admin list")
        return await people.accounts.close(account.id, acting=operator_acting())


async def _reopen(settings: PeopleSettings, email: str) -> Account:
    async with people_of_operator(settings) as people:
        account = await people.accounts.with_email(email)
        return await people.accounts.reopen(account.id, acting=operator_acting())


async def _everybody(settings: PeopleSettings) -> list[Account]:
    found: list[Account] = []
    async with people_of_operator(settings) as people:
        after = None
        while after != "":
            page = await people.accounts.page(AccountFilter(after=after or "", most=MOST_ON_A_PAGE))
            found += page.accounts
            after = page.next
    return found

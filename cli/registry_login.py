"""`uhi registry login` and `logout`: an administrator signs in, with a second factor; invited, or forgetful."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict, Unpack

import click

from cli.inputs import ask_secret
from cli.loop import run
from cli.output import json_option, plain, say, say_rows, show
from cli.registry_session import (
    RegistryDesk,
    Session,
    forget_session,
    origin_of,
    read_session,
    session_file,
    write_session,
)
from uhi.errors import RegistryError, SetupError

_DONE = "signed in"
_ASK = "?"
_TRIES = 3
_ASK_NEW = "New password (12 characters or more, without your name or address)"


class LoginOptions(TypedDict):
    """What `uhi registry login` was called with."""

    registry: str
    email: str
    invitation: bool
    forgotten: bool
    reset: str | None
    as_json: bool


@click.command(short_help="Sign in to a registry as an administrator.")
@click.option("--registry", default="", metavar="URL", help="The registry, such as https://reg.example.")
@click.option("--email", default="", metavar="ADDRESS", help="Your e-mail address; asked for when left out.")
@click.option("--invitation", is_flag=True, help="Take up an invitation first: asks for its token, and a new password.")
@click.option("--forgotten", is_flag=True, help="Have a letter sent with which you can choose a new password.")
@click.option(
    "--reset",
    is_flag=False,
    flag_value=_ASK,
    default=None,
    metavar="[TOKEN]",
    help="Choose a new password first, with the token of that letter; asked for when left out.",
)
@json_option
def login(**options: Unpack[LoginOptions]) -> None:
    """Sign in with your password and the code of your authenticator app.

    The sign-in is kept in a file that only you can read; it ends by itself within 12 hours. With --invitation you
    choose your password first, and set up the app. Who forgot the password takes --forgotten first, then --reset.
    """
    if sum((options["invitation"], options["forgotten"], options["reset"] is not None)) > 1:
        raise click.UsageError("give one of --invitation, --forgotten and --reset", click.get_current_context())
    session = Session(origin_of(options["registry"] or _before()))
    session = replace(session, email=options["email"] or click.prompt("E-mail", err=True))
    if options["forgotten"]:
        _forgotten(session, as_json=options["as_json"])
        return
    session = run(_sign_in(session, options))
    write_session(session)

    def human() -> None:
        say(f"Signed in to {session.registry} as {plain(session.email)}.", style="bold green")
        say(f"  Kept in {session_file()}. Forget it with: uhi registry logout")
        say("Next: uhi registry list")

    value = {"ok": True, "registry": session.registry, "email": session.email}
    show(value, human, as_json=options["as_json"])


@click.command(short_help="Sign out again.")
@json_option
def logout(as_json: bool) -> None:
    """End the session at the registry, and forget the sign-in."""

    async def end(session: Session) -> None:
        async with RegistryDesk(session) as desk:
            await desk.post("/v1/sign-out")

    try:
        run(end(read_session()))
    except (RegistryError, SetupError) as error:
        say(f"the session could not be ended at the registry: {error}", style="yellow", to_stderr=True)
    forget_session()
    show({"ok": True}, lambda: say("Signed out."), as_json=as_json)


def _before() -> str:
    try:
        return read_session().registry
    except SetupError:
        raise SetupError("which registry is not said", next_step="uhi registry login --registry https://…") from None


def _forgotten(session: Session, *, as_json: bool) -> None:
    async def ask() -> None:
        async with RegistryDesk(session) as desk:
            await desk.post_openly("/v1/password/forgotten", {"email": session.email})

    run(ask())

    def human() -> None:
        say(f"If {plain(session.email)} has an account there, a letter is on its way.", style="bold green")
        say("  None came? Ask the registry's operator whether it sends letters.")
        say("Next, within 30 minutes, with the token of the letter:")
        say(f"  uhi registry login --registry {session.registry} --reset --email {plain(session.email)}")

    show({"ok": True, "registry": session.registry, "email": session.email}, human, as_json=as_json)


async def _sign_in(session: Session, options: LoginOptions) -> Session:
    async with RegistryDesk(session) as desk:
        if options["invitation"]:
            password = await _choose(desk, "/v1/invitations/accept", ask_secret("Token of the invitation"))
        elif options["reset"] is not None:
            token = ask_secret("Token of the letter") if options["reset"] == _ASK else options["reset"]
            password = await _choose(desk, "/v1/password/reset", token)
        else:
            password = ask_secret("Password")
        told = await desk.post_openly("/v1/sign-in", {"email": session.email, "password": password})
        if told.get("state") != _DONE:
            told = await _second_factor(desk, told)
        desk.session = _opened(session, told)
        account = await desk.get("/v1/account")
        if not account.get("second_factors"):
            say("Your role takes a second factor.", to_stderr=True)
            await _set_up(desk)
        return desk.session


async def _choose(desk: RegistryDesk, path: str, token: str) -> str:
    for left in reversed(range(_TRIES)):
        password = ask_secret(_ASK_NEW, twice=True)
        try:
            await desk.post_openly(path, {"token": token.strip(), "password": password})
        except RegistryError as error:
            if not left or "password" not in error.got:
                raise
            say(f"{error}", style="yellow", to_stderr=True)
        else:
            return password
    raise RegistryError("no password was chosen")


async def _second_factor(desk: RegistryDesk, told: Mapping[str, object]) -> Mapping[str, object]:
    code = str(click.prompt("Code of your authenticator app, or a recovery code", err=True)).strip()
    way = "otp" if code.isdigit() and len(code) == 6 else "rc"
    given = {"challenge": told.get("challenge", ""), "way": way, "code": code}
    return await desk.post_openly("/v1/sign-in/second-factor", given)


async def _set_up(desk: RegistryDesk) -> None:
    secret = await desk.post("/v1/account/factors/totp")
    say("Enter this into your authenticator app (it is not shown again):", to_stderr=True)
    say_rows([("secret", str(secret["secret"])), ("as a link", str(secret["uri"]))], to_stderr=True)
    confirmed = await _confirmed(desk)
    codes = confirmed.get("recovery_codes")
    if isinstance(codes, list) and codes:
        say("Recovery codes, each good once. Write them down; they are not shown again:", to_stderr=True)
        for code in codes:
            say(f"  {plain(str(code))}", to_stderr=True)
    say("Sign in once more, now with the app: wait until it shows another code.", to_stderr=True)
    password = ask_secret("Password")
    told = await desk.post_openly("/v1/sign-in", {"email": desk.session.email, "password": password})
    desk.session = _opened(desk.session, await _second_factor(desk, told))


async def _confirmed(desk: RegistryDesk) -> Mapping[str, object]:
    for left in reversed(range(_TRIES)):
        code = str(click.prompt("Code that the app shows", err=True)).strip()
        try:
            return await desk.post("/v1/account/factors/totp/confirm", {"code": code})
        except RegistryError as error:
            if not left:
                raise
            say(f"{error}", style="yellow", to_stderr=True)
    raise RegistryError("the app was not set up")


def _opened(session: Session, told: Mapping[str, object]) -> Session:
    opened = told.get("session")
    parts: Mapping[str, object] = opened if isinstance(opened, dict) else {}
    return replace(
        session,
        access_token=str(parts.get("access_token", "")),
        refresh_token=str(parts.get("refresh_token", "")),
    )

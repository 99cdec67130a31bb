"""`uhi registry rotate`: from one signing key to the next without a message lost, step by step, and out with the old.

The command looks how far the rotation is and does the next step. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from cli.output import json_option, plain, say, say_rows, show
from cli.registry_errands import Applicant, Told, key_row, missing_of, show_standing, with_registry
from cli.registry_join import ANY_ROLE, Listening, answering, until_proven
from cli.serve import LOCAL_ONLY, PORT
from uhi.errors import SetupError
from uhi.signing import PrivateKey, Signer
from uhi.signing.key_files import read_private_key_file, write_private_key_file
from uhi.subscribers import REVOKED

CACHE_SECONDS = 60.0
"""For so long somebody may still know only the keys of before: the longest that registry answers are kept."""

LIFETIME_SECONDS = 3_600.0
"""For so long a message signed with the old key may still be under way: the longest life of a signature."""


@click.command(short_help="Change to a new signing key, or end an old one.")
@click.argument("key_file", metavar="KEYFILE", type=click.Path(path_type=Path), required=False)
@click.option("--key-id", metavar="ID", help="The new key's id, such as k2.")
@click.option("--retire", metavar="ID", help="End this old key, once nothing signed with it is under way.")
@click.option("--valid-days", "days", type=click.FloatRange(1, 731), default=365, show_default=True, help="Of the key.")
@click.option("--serve", "is_serving", is_flag=True, help="Answer the registry's challenge for the new key.")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="With --serve: the address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8080, show_default=True, help="With --serve: the port.")
@json_option
def rotate(key_file: Path | None, as_json: bool, **given: Any) -> None:
    """Change to the key in KEYFILE, which is made when it is not there. Run it again after each step.

    \b
    1  uhi registry rotate k2.pem --key-id k2
       publishes the new key; the registry asks for its proof (your program
       proves it with UHI_NEXT_KEY_ID and UHI_NEXT_KEY_FILE set, or this
       command with --serve)
    2  two administrators of the registry approve it; then wait a minute,
       until everybody knows it
    3  set UHI_KEY_ID=k2 and UHI_KEY_FILE=k2.pem and restart your program:
       both keys are accepted meanwhile
    4  uhi registry rotate --retire k1
       an hour later, with the new key in the settings
    """
    retire = given["retire"]
    if retire:
        told, applicant = with_registry(ANY_ROLE, lambda each: _retire(each, retire))
        show({"ok": True, **told}, lambda: _show_retired(told, retire), as_json=as_json)
        return
    if key_file is None or not given["key_id"]:
        raise SetupError(
            "which key is to be the next is not said",
            expected="KEYFILE and --key-id, or --retire with the id of the old one",
            next_step="uhi registry rotate k2.pem --key-id k2",
        )
    wish = _Wish(given["key_id"], _read_or_make(key_file), key_file, given["days"])
    listening = Listening(given["is_serving"], given["host"], given["port"])
    told, applicant = with_registry(ANY_ROLE, lambda each: _publish(each, wish, listening))
    show({"ok": True, **told}, lambda: _show_published(told, applicant, wish), as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Wish:
    key_id: str
    key: PrivateKey
    file: Path
    days: float


def _read_or_make(path: Path) -> PrivateKey:
    if not path.exists():
        write_private_key_file(path, PrivateKey.new())
    return read_private_key_file(path)


async def _publish(applicant: Applicant, wish: _Wish, listening: Listening) -> tuple[Told, Applicant]:
    identity = applicant.identity
    following = Signer(identity.me.id, wish.key_id, wish.key, identity.signer.profile)
    applicant = replace(applicant, identity=replace(identity, spares=(following,)))
    async with answering(applicant, listening):
        told = await applicant.do("subscription", {"retry": False})
        if wish.key_id not in _keys(told) and wish.key_id not in _waiting(told):
            await applicant.do("keys", {"keys": [key_row(following, days=wish.days)]})
            told = await applicant.do("subscription", {"retry": False})
        return await until_proven(applicant, told, listening), applicant


async def _retire(applicant: Applicant, key_id: str) -> tuple[Told, Applicant]:
    if applicant.identity.signer.key_id == key_id:
        raise SetupError(
            f"{key_id} is the key that you sign with",
            expected="the settings to name the new key first",
            next_step="set UHI_KEY_ID and UHI_KEY_FILE to the new key, restart your program, wait an hour",
        )
    return await applicant.do("keys/revoke", {"pub_key_id": key_id, "status": REVOKED}), applicant


def _waiting(told: Told) -> set[str]:
    pending = told.get("pending")
    rows = pending.get("keys") if isinstance(pending, dict) else None
    return {str(row.get("pub_key_id")) for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)}


def _keys(told: Told) -> Mapping[str, Mapping[str, object]]:
    """The registered keys that are not revoked, by id; those that wait are not among them."""
    rows = told.get("keys")
    return {
        str(row.get("pub_key_id")): row
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and not row.get("revoked")
    }


def _show_published(told: Told, applicant: Applicant, wish: _Wish) -> None:
    if missing_of(told) or wish.key_id not in _keys(told):
        say(f"Key {wish.key_id} is published; it is not in force yet.")
        show_standing(told, applicant)
        say("Your other keys stay in force. Run this command again to see how far it is.")
        return
    say(f"Key {wish.key_id} is in force beside the old one.", style="bold green")
    say("Next")
    say_rows(
        [
            ("1", f"wait {CACHE_SECONDS:g} seconds, until everybody has heard of it"),
            ("2", f"set UHI_KEY_ID={plain(wish.key_id)} and UHI_KEY_FILE={wish.file}, and restart your program"),
            ("3", f"{LIFETIME_SECONDS / 60:g} minutes later: uhi registry rotate --retire {_old(applicant, wish)}"),
        ]
    )


def _old(applicant: Applicant, wish: _Wish) -> str:
    current = applicant.identity.signer.key_id
    return current if current != wish.key_id else "OLD-KEY-ID"


def _show_retired(told: Told, key_id: str) -> None:
    say(f"Key {plain(key_id)} is revoked: nobody accepts it any more.", style="bold")
    say(f"Status: {plain(str(told.get('status', 'unknown')))}")

"""`uhi sign`: the signature header for a body, exactly as a participant would send it."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from cli.inputs import read_body, seconds, unix_now
from cli.output import json_option, say, show
from uhi.errors import SetupError
from uhi.signing import PROFILES, Signer, body_digest, sign_digest, signing_string
from uhi.signing.authorization import ALGORITHM
from uhi.signing.key_files import PUBLISHED_PUBLIC_KEYS, read_private_key_file


class SignOptions(TypedDict):
    """What `uhi sign` was called with."""

    body: str
    key_file: Path
    key_id: str
    profile: str
    created: int | None
    expires: int | None
    as_json: bool


@click.command("sign")
@click.argument("body", metavar="BODY")
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path), metavar="FILE", required=True, help="Private key file."
)
@click.option("--key-id", metavar="ID", required=True, help="Who signs with which key: 'SUBSCRIBER|KEY|ed25519'.")
@click.option(
    "--profile", type=click.Choice(tuple(PROFILES)), default="uhi", show_default=True, help="The way of signing."
)
@click.option("--created", type=seconds, metavar="N", help="Valid from, in Unix seconds; now, if not given.")
@click.option(
    "--expires", type=seconds, metavar="N", help="Valid until; if not given, 10 s (uhi) or 300 s (beckn) later."
)
@json_option
def sign(**options: Unpack[SignOptions]) -> None:
    """Print the value of the Authorization header for a body.

    BODY is a file, or - for standard input. Its bytes are signed as they are: a newline at the end counts.

    \b
    Example:
      uhi sign body.json --key k1.pem --key-id 'clinic.example|k1|ed25519'
    """
    signer = _signer(options)
    digest = body_digest(read_body(options["body"]))
    created, expires = _times(options, signer)
    header = sign_digest(digest, signer, created=created, expires=expires)
    value = {
        "ok": True,
        "header": header,
        "digest": digest,
        "signing_string": signing_string(signer.profile, created=created, expires=expires, digest=digest),
        "created": created,
        "expires": expires,
        "profile": signer.profile.name,
    }
    show(value, lambda: click.echo(header), as_json=options["as_json"])
    if signer.key.public.raw.hex() in PUBLISHED_PUBLIC_KEYS:
        say("note: this private key is published; anyone can sign with it", style="yellow", to_stderr=True)


def _signer(options: SignOptions) -> Signer:
    parts = options["key_id"].split("|")
    if len(parts) != 3 or parts[2] != ALGORITHM:
        raise SetupError(
            "the key id cannot be used",
            got=ascii(options["key_id"])[:80],
            expected=f"three parts: SUBSCRIBER|KEY|{ALGORITHM}",
            next_step="put it in quotes, since | means something to the shell",
        )
    return Signer(parts[0], parts[1], read_private_key_file(options["key_file"]), PROFILES[options["profile"]])


def _times(options: SignOptions, signer: Signer) -> tuple[int, int]:
    created = unix_now() if options["created"] is None else options["created"]
    expires = created + signer.profile.lifetime if options["expires"] is None else options["expires"]
    if expires <= created:
        raise SetupError(
            "the signature would never be valid",
            got=f"created {created}, expires {expires}",
            expected="expires after created",
        )
    return created, expires

"""`uhi keys`: make a key pair, see what a key is, write it in another form. A private key is never printed."""

from __future__ import annotations

from pathlib import Path

import click

from cli.inputs import ReadKey, read_key
from cli.output import json_option, say, say_rows, show
from uhi.errors import SetupError
from uhi.signing import PrivateKey, PublicKey
from uhi.signing.key_files import PUBLISHED_PUBLIC_KEYS, write_private_key_file, write_private_text

PUBLIC_FORMS = ("spki", "raw", "pem")
PRIVATE_FORMS = ("pkcs8", "seed", "pem-private")

_BARE = click.option("--as", "bare_is", type=click.Choice(("public", "private")), help="What 32 bare bytes are.")
_SHELL_HISTORY = "a private key on the command line stays in the shell's history; give the name of its file instead"
_PUBLISHED = "the private half of this key is published, so anyone can sign with it: for trying out only"


@click.group()
def keys() -> None:
    """Make, show and convert the Ed25519 keys that sign messages."""


@keys.command(short_help="Make a key pair.")
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The new file for the private key."
)
@json_option
def new(out: Path, as_json: bool) -> None:
    """Make a key pair: the private key goes to a new file that only you can read, the public key is printed.

    A file that exists is never overwritten.
    """
    key = PrivateKey.new()
    write_private_key_file(out, key)
    value = {"ok": True, "file": str(out), "public_key": _public(key.public)}

    def human() -> None:
        say(f"Private key written to {out}")
        say("  PKCS#8 PEM, mode 0600. Keep it secret and keep a copy: nobody can make it again.")
        say("Public key, to give to the registry")
        say_rows(_public_rows(key.public))
        say(f"Next: uhi sign BODY --key {out} --key-id 'SUBSCRIBER|KEY|ed25519' --profile uhi")

    show(value, human, as_json=as_json)


@keys.command("show", short_help="Say what a key is, and print its public half.")
@click.argument("source", metavar="FILE|TEXT")
@_BARE
@json_option
def show_key(source: str, bare_is: str | None, as_json: bool) -> None:
    """Say what a key is and print its public half in every form. Of a private key nothing private is printed.

    FILE|TEXT is a file, - for standard input, or the key's base64 text itself.
    """
    read = read_key(source, bare_is=bare_is or "")
    kind = "private" if read.private else "public"
    value = {"ok": True, "kind": kind, "form": read.form, "public_key": _public(read.public), "notes": _notes(read)}

    def human() -> None:
        say(f"{kind.capitalize()} key, Ed25519. Read as: {read.form}")
        say("Public half" if read.private else "The same key in each form")
        say_rows(_public_rows(read.public))
        _say_notes(read)

    show(value, human, as_json=as_json)


@keys.command(short_help="Write a key in another form.")
@click.argument("source", metavar="FILE|TEXT")
@click.option(
    "--to",
    "form",
    metavar="FORM",
    type=click.Choice(PUBLIC_FORMS + PRIVATE_FORMS),
    required=True,
    help="The form wanted, see above.",
)
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="The new file to write; private forms need one."
)
@_BARE
@json_option
def convert(source: str, form: str, out: Path | None, bare_is: str | None, as_json: bool) -> None:
    """Write a key in another form.

    \b
    Public:   spki (UHI registries), raw (Beckn registries), pem.
    Private:  pkcs8, seed (both base64), pem-private; only into a new file of mode 0600.

    A private key can be converted to a public form: that gives its public half.
    """
    read = read_key(source, bare_is=bare_is or ("private" if form in PRIVATE_FORMS else ""))
    text = _private_text(read, form, out) if form in PRIVATE_FORMS else _public_text(read.public, form)
    if out is not None:
        _write(out, text, form)
    value = {"ok": True, "form": form, **({"file": str(out)} if out else {"key": text}), "notes": _notes(read)}

    def human() -> None:
        say(f"Written to {out} as {form}" if out else text.rstrip())
        _say_notes(read)

    show(value, human, as_json=as_json)


def _public(key: PublicKey) -> dict[str, str]:
    return {"spki": key.spki_base64(), "raw": key.raw_base64(), "pem": key.pem()}


def _public_rows(key: PublicKey) -> list[tuple[str, str]]:
    return [
        ("SPKI (UHI registries)", key.spki_base64()),
        ("raw (Beckn registries)", key.raw_base64()),
        ("PEM", key.pem().rstrip()),
    ]


def _public_text(key: PublicKey, form: str) -> str:
    return _public(key)[form]


def _private_text(read: ReadKey, form: str, out: Path | None) -> str:
    if out is None:
        raise SetupError(
            "a private key is not printed", expected="a file for it", next_step=f"--to {form} --out key.{form}"
        )
    key = read.private
    if key is None:
        raise SetupError(
            f"a public key cannot become {form}", got=read.form, expected="a private key", next_step="take its key file"
        )
    return {"pkcs8": key.pkcs8_base64, "seed": key.seed_base64, "pem-private": key.pem}[form]()


def _write(out: Path, text: str, form: str) -> None:
    ended = text if text.endswith("\n") else f"{text}\n"
    if form in PRIVATE_FORMS:
        write_private_text(out, ended)
        return
    try:
        with out.open("x", encoding="ascii") as file:
            file.write(ended)
    except OSError as error:
        raise SetupError(
            f"file {out} cannot be written", got=error.strerror or type(error).__name__, next_step="choose another name"
        ) from None


def _notes(read: ReadKey) -> list[str]:
    notes = []
    if read.private is not None and not read.from_file:
        notes.append(_SHELL_HISTORY)
    if read.public.raw.hex() in PUBLISHED_PUBLIC_KEYS:
        notes.append(_PUBLISHED)
    return notes


def _say_notes(read: ReadKey) -> None:
    for note in _notes(read):
        say(f"note: {note}", style="yellow", to_stderr=True)

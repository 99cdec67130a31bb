"""What the command reads: bodies as the bytes they are, and keys from files or from the command line.

Nothing here repeats its input in an error: it may be a private key or a patient's message.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from getpass import GetPassWarning
from pathlib import Path
from typing import Any

import click

from uhi.clock import SystemClock
from uhi.errors import Refusal, SetupError
from uhi.faults import KEY_UNUSABLE
from uhi.signing import PrivateKey, PublicKey
from uhi.signing.key_files import read_private_key_file

STANDARD_INPUT = "-"


_SECONDS = re.compile("[0-9]{1,11}")
_LONGEST_KEY = 4_096
_PEM_LABEL = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_PUBLIC_LENGTHS = {60: "SPKI DER, base64"}
_PRIVATE_LENGTHS = {
    64: "PKCS#8 DER of 48 bytes, base64",
    88: "seed and public half (64 bytes), base64",
    112: "PKCS#8 DER of 83 bytes, as BouncyCastle writes it, base64",
}
_BARE_LENGTH = 44
_FORMS = "base64 of a public or private key (raw or DER), or PEM"


class Moment(click.DateTime):
    """An option's day or time; who gives another text is shown an example instead of the formats."""

    def __init__(self, formats: Sequence[str], example: str) -> None:
        super().__init__(formats)
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment.

        Raises: click.BadParameter.
        """
        try:
            moment: datetime = super().convert(value, param, ctx)
        except click.BadParameter:
            raise click.BadParameter(f"expected {self.example}", ctx, param) from None
        return moment


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A key that was read: its public half, the private one where there was one, its form, and whether from a file."""

    public: PublicKey
    private: PrivateKey | None
    form: str
    from_file: bool


def ask_secret(text: str, *, twice: bool = False) -> str:
    """What somebody types without its being shown, asked for twice where they choose it.

    Raises: SetupError where there is no terminal, which could hide it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            return str(click.prompt(text, hide_input=True, confirmation_prompt=twice, err=True))
    except GetPassWarning:
        raise SetupError(
            f"{text.partition(' (')[0]}: what you type cannot be hidden here",
            got="no terminal",
            next_step="run it in a terminal: over ssh with ssh -t, in a container with docker exec -it",
        ) from None


def seconds(text: str) -> int:
    """Unix seconds from an option's text: as many digits as a signature header may have.

    Raises: click.BadParameter.
    """
    if not _SECONDS.fullmatch(text):
        raise click.BadParameter("expected whole Unix seconds, such as 1790000000")
    return int(text)


def unix_now() -> int:
    """The system's time in whole Unix seconds."""
    return int(SystemClock().now())


def read_body(place: str) -> bytes:
    """The bytes of the file `place`, or of standard input for `-`; nothing is added, removed or decoded.

    Raises: SetupError when it cannot be read.
    """
    if place == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise SetupError(
            f"body file {place} cannot be read",
            got=error.strerror or type(error).__name__,
            next_step="check the path; - reads the body from standard input",
        ) from None


def read_key(source: str, *, bare_is: str = "") -> ReadKey:
    """The key in the file `source`, in standard input for `-`, or in the text itself.

    32 bare bytes can be a public key or a private seed: `bare_is` says which (`public` or `private`).

    Raises: SetupError when there is no key, or that is not said; Refusal(KEY_UNUSABLE) for a key nobody may use.
    """
    path = _file(source)
    text = _text(source, path)
    form, is_private = _form(text, bare_is, f"file {path}" if path else "this")
    if not is_private:
        return ReadKey(PublicKey.read(text), None, form, path is not None)
    # From a file, the library's own reader: it also refuses a file that others may read.
    private = read_private_key_file(path) if path else PrivateKey.read(text)
    return ReadKey(private.public, private, form, path is not None)


def read_public_key(source: str) -> PublicKey:
    """The public key in a file or in the text itself; 32 bare bytes count as a public key.

    Raises: Refusal(KEY_UNUSABLE), also for a private key: it must not be handed around in the place of a public one.
    """
    text = _text(source, _file(source))
    label = _PEM_LABEL.match(text)
    if ("PRIVATE" in label[1]) if label else (len(text) in _PRIVATE_LENGTHS):
        raise Refusal(
            KEY_UNUSABLE,
            "public key is not acceptable",
            got="a private key",
            expected="its public half; uhi keys show FILE prints it",
            next_step="take the public half, and keep the private key to yourself",
        )
    return PublicKey.read(text)


def _file(source: str) -> Path | None:
    try:
        return Path(source) if source != STANDARD_INPUT and Path(source).is_file() else None
    except (OSError, ValueError):
        return None


def _text(source: str, path: Path | None) -> str:
    if path is not None:
        try:
            with path.open("rb") as file:
                raw = file.read(_LONGEST_KEY + 1)
        except OSError as error:
            raise SetupError(f"key file {path} cannot be read", got=error.strerror or type(error).__name__) from None
        return raw.decode("ascii", "replace").strip()
    return (sys.stdin.read(_LONGEST_KEY + 1) if source == STANDARD_INPUT else source).strip()


def _form(text: str, bare_is: str, whose: str) -> tuple[str, bool]:
    """The name of a key's form, and whether it holds a private key."""
    label = _PEM_LABEL.match(text)
    if label:
        return f"PEM ({label[1]})", "PRIVATE" in label[1]
    if len(text) == _BARE_LENGTH:
        return _bare_form(bare_is)
    if len(text) in _PRIVATE_LENGTHS:
        return _PRIVATE_LENGTHS[len(text)], True
    if len(text) in _PUBLIC_LENGTHS:
        return _PUBLIC_LENGTHS[len(text)], False
    raise SetupError(
        f"{whose} is no key" if whose != "this" else "this is neither a key nor the name of a file",
        got=f"{len(text)} characters",
        expected=_FORMS,
        next_step="check the path, or the text: base64 keys have 44, 60, 64, 88 or 112 characters",
    )


def _bare_form(bare_is: str) -> tuple[str, bool]:
    if not bare_is:
        raise SetupError(
            "32 bare bytes can be a public key or a private seed",
            got="base64 without a mark of which it is",
            expected="--as public or --as private",
            next_step="say which it is; a private seed is never printed",
        )
    is_private = bare_is == "private"
    return ("seed (32 bytes), base64" if is_private else "raw (32 bytes), base64"), is_private

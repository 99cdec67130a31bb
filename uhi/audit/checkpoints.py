"""Checkpoints: how long the trail is and how its newest row hashes, signed, as lines of a file that leaves the host.

Above: the command line, `checkpointing`; below: `chain`, keys. The bytes that are signed begin with a prefix of their
own, so that no message, challenge or site check can pass for a checkpoint. Source: security rules "Audit log".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uhi import strict_json
from uhi.audit.chain import Head
from uhi.audit.verify import Witness
from uhi.errors import AuditBroken, Refusal, SetupError
from uhi.signing import PrivateKey, PublicKey, base64_text, verify_bytes

CHECKPOINT_PREFIX = "uhi-audit-checkpoint:v1\n"
"""What is signed begins with it."""

_NAMES = ("trail", "seq", "hash", "at", "key", "signature")
_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One checkpoint. `trail` names whose trail it is, a subscriber's id; `at` is whole Unix seconds; `key` is the
    public key (base64) that signed it, `signature` base64."""

    trail: str
    head: Head
    at: int
    key: str
    signature: str = ""

    @property
    def when(self) -> str:
        """The time, for people."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")

    @property
    def witness(self) -> Witness:
        """What it testifies to."""
        return Witness(self.head, f"the checkpoint of {self.when}")

    def signed_bytes(self) -> bytes:
        """What Ed25519 signs: the prefix, and a JSON array of trail, seq, hash, at, key."""
        values = [self.trail, self.head.seq, self.head.hash, self.at, self.key]
        return CHECKPOINT_PREFIX.encode() + strict_json.write(values)

    def line(self) -> bytes:
        """The checkpoint as one line of JSON."""
        values = (self.trail, self.head.seq, self.head.hash, self.at, self.key, self.signature)
        return strict_json.write(dict(zip(_NAMES, values, strict=True))) + b"\n"


def sign_checkpoint(head: Head, key: PrivateKey, *, trail: str, now: float) -> Checkpoint:
    """Testify, with the audit key, that the trail ends here at `now` (Unix seconds)."""
    bare = Checkpoint(trail=trail, head=head, at=int(now), key=key.public.raw_base64())
    signature = base64_text.encode(key.sign(bare.signed_bytes()))
    return Checkpoint(trail=trail, head=head, at=bare.at, key=bare.key, signature=signature)


def check_checkpoint(checkpoint: Checkpoint, keys: Iterable[PublicKey], *, trail: str = "") -> None:
    """Check that one of `keys` signed it, and that it is about this trail (any, where none is named). One that names no
    trail was made before any program used the database.

    Raises: AuditBroken.
    """
    trusted = {key.raw_base64(): key for key in keys}
    if checkpoint.key not in trusted:
        raise AuditBroken(
            f"{checkpoint.witness.name} is signed with a key that is not trusted",
            got=checkpoint.key,
            expected=" or ".join(trusted) or "a key to check it with",
            next_step="give the public half of the audit key",
        )
    try:
        verify_bytes(checkpoint.signed_bytes(), base64_text.decode(checkpoint.signature), key=trusted[checkpoint.key])
    except (Refusal, ValueError):
        raise AuditBroken(
            f"{checkpoint.witness.name} is forged or damaged", got="a signature that does not fit it"
        ) from None
    if trail and checkpoint.trail not in {"", trail}:
        raise AuditBroken(f"{checkpoint.witness.name} is about another trail", got=checkpoint.trail, expected=trail)


def read_checkpoints(path: Path, keys: Sequence[PublicKey], *, trail: str = "") -> list[Checkpoint]:
    """Every checkpoint of a file, each checked, in the order of the file, in which seq and time only grow.

    Raises: SetupError when the file cannot be read; AuditBroken when a line is none, or is forged.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise _cannot(path, "read", error) from None
    found: list[Checkpoint] = []
    for number, line in enumerate(lines, start=1):
        checkpoint = _read(line, f"line {number} of {path}")
        check_checkpoint(checkpoint, keys, trail=trail)
        if found and (checkpoint.head.seq < found[-1].head.seq or checkpoint.at < found[-1].at):
            raise AuditBroken(
                f"line {number} of {path} is out of order",
                got=f"row {checkpoint.head.seq} after row {found[-1].head.seq}",
                expected="checkpoints that only grow",
            )
        found.append(checkpoint)
    return found


def add_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint at the end of a file, made where it is missing; it is on disk when this returns.

    Raises: SetupError when the file cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE)
        try:
            os.write(handle, checkpoint.line())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise _cannot(path, "written", error) from None


def _read(line: bytes, where: str) -> Checkpoint:
    try:
        value = strict_json.parse(line)
    except Refusal:
        value = None
    if not isinstance(value, Mapping) or set(value) != set(_NAMES) or not _fits(value):
        raise AuditBroken(f"{where} is no checkpoint", expected=f"a JSON object with {', '.join(_NAMES)}")
    return Checkpoint(
        trail=value["trail"],
        head=Head(value["seq"], value["hash"]),
        at=value["at"],
        key=value["key"],
        signature=value["signature"],
    )


def _fits(value: Mapping[str, object]) -> bool:
    numbers = (value["seq"], value["at"])
    texts = (value["trail"], value["hash"], value["key"], value["signature"])
    # A bool is an int to Python, and no date reaches beyond the year 9999.
    are_numbers = all(type(each) is int and 0 <= each < 253_402_300_800 for each in numbers)
    return are_numbers and all(isinstance(each, str) for each in texts)


def _cannot(path: Path, verb: str, error: OSError) -> SetupError:
    return SetupError(
        f"the checkpoints in {path} cannot be {verb}",
        got=error.strerror or type(error).__name__,
        next_step="check the path and its owner",
    )

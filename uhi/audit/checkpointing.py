"""Makes checkpoints while a program runs: every hour the rows since the last one are doubted, then the end is signed.

Above: composition roots and the command line; below: `trail`, `verify`, `checkpoints`.
Source: security rules "Audit log": anchor.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uhi.audit.chain import Head
from uhi.audit.checkpoints import Checkpoint, add_checkpoint, read_checkpoints, sign_checkpoint
from uhi.audit.trail import AuditTrail
from uhi.audit.verify import Doubt, Witness
from uhi.errors import AuditBroken, Refusal, SetupError
from uhi.ports import Clock
from uhi.signing import PrivateKey

EVERY_SECONDS = 3_600.0
_AGAIN_SECONDS = 60.0
_CLOCKS_DIFFER_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where checkpoints go: the file, the audit key, and whose trail it is."""

    file: Path
    key: PrivateKey
    trail: str


class Checkpointing:
    """Checkpoints of one trail. `run` is a piece of work for the background; several processes may have the same
    file, and one of them makes each checkpoint."""

    def __init__(self, trail: AuditTrail, anchor: Anchor, *, clock: Clock) -> None:
        self._trail = trail
        self._anchor = anchor
        self._clock = clock

    async def run(self) -> None:
        """Make one at once if the last is an hour old, and then every hour. What is wrong is logged as an error each
        minute, and nothing is signed: an old checkpoint is the sign that others can see."""
        while True:
            pause = _AGAIN_SECONDS
            try:
                made = await self.make(unless_younger=EVERY_SECONDS)
                pause = EVERY_SECONDS - max(0.0, self._clock.now() - made.at) + 1
            except (AuditBroken, SetupError) as error:
                log.error("no checkpoint of the audit trail is made: %s", error)
            except Refusal as refusal:
                log.warning("the checkpoint of the audit trail is put off: %s", refusal)
            await self._clock.sleep(pause)

    async def make(self, *, unless_younger: float = 0.0) -> Checkpoint:
        """Doubt the rows since the last checkpoint, sign the end and put it into the file. Where the last one is not
        yet `unless_younger` seconds old, that one is returned.

        Raises: AuditBroken when the trail or the file is not as it was written; SetupError when the file cannot be
        used; Refusal(OVERLOADED) when the database cannot be asked.
        """
        earlier = await asyncio.to_thread(self._earlier)
        if earlier and earlier[-1].at > self._clock.now() + _CLOCKS_DIFFER_SECONDS:
            # It would seem young for as long as the clock was wrong.
            raise AuditBroken(
                f"{earlier[-1].witness.name} is of a time to come",
                next_step="set the clock right; if it is, keep this file apart and begin another one",
            )
        if earlier and self._clock.now() - earlier[-1].at < unless_younger:
            return earlier[-1]
        head = await verify_trail(
            self._trail, [each.witness for each in earlier], start=earlier[-1].head if earlier else None
        )
        made = sign_checkpoint(head, self._anchor.key, trail=self._anchor.trail, now=self._clock.now())
        return await asyncio.to_thread(self._add, made, unless_younger)

    def _earlier(self) -> list[Checkpoint]:
        anchor = self._anchor
        if not anchor.file.exists():
            return []
        return read_checkpoints(anchor.file, [anchor.key.public], trail=anchor.trail)

    def _add(self, made: Checkpoint, unless_younger: float) -> Checkpoint:
        with _locked(self._anchor.file):
            # Another process may have been quicker.
            earlier = self._earlier()
            if earlier and (made.at - earlier[-1].at < unless_younger or earlier[-1].head.seq > made.head.seq):
                return earlier[-1]
            add_checkpoint(self._anchor.file, made)
            return made


async def verify_trail(trail: AuditTrail, witnesses: Sequence[Witness] = (), *, start: Head | None = None) -> Head:
    """Doubt a trail in the database, while others may append to it; returns its end. `start` as in `Doubt`.

    Raises: AuditBroken naming the first row that is not as it was written; Refusal(OVERLOADED).
    """
    said = Witness(await trail.head(), "the database's own head")
    start = start or Head()
    if said.head.seq <= start.seq and said.head != start:
        witnesses, start = (*witnesses, Witness(start, "the last checkpoint")), Head()
    # Pages begin with row 1, so that a lower number would hide a row from them.
    for stray in await trail.rows(after=1, most=1, newest=True):
        raise AuditBroken(f"row {stray.seq} was put in past the program", seq=stray.seq, expected="rows from 1 on")
    doubt = Doubt((*witnesses, said), start)
    async for link in trail.each(after=start.seq):
        doubt.look(link)
    newest = await trail.head()
    return doubt.end(newest.seq)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes of this machine from adding to the file meanwhile."""
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(
            f"the checkpoints in {path} cannot be written",
            got=error.strerror or type(error).__name__,
            next_step="see that its folder is there and can be written",
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

"""Documents of conversations: scanned, encrypted, and kept in a file store under keys that tell nothing.

Above: `conversations`; below: `uhi.files`, `uhi.storage.sealing`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from uhi.conversation.contents import Document, Why
from uhi.conversation.messages import Attached
from uhi.conversation.unfiled import Unfiled
from uhi.errors import ContentRefused
from uhi.files import Clamd, NoScanner, ObjectStore, Scanner, Verdict, open_store
from uhi.storage.sealing import Sealing
from uhi.storage.sql.sealers import Sealers

_FOLDER = "chat"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where documents go, who looks at them before, and whose keys seal them and what is said; without `sealers` it is
    the program's key."""

    store: ObjectStore
    scanner: Scanner = field(default_factory=NoScanner)
    sealers: Sealers | None = None


def shelf_at(url: str, *, credentials_file: Path | None = None, scanner_url: str = "") -> Shelf:
    """The shelf that a program's settings describe: `url` as `open_store` takes it, `scanner_url` as `Clamd` does,
    empty for no scanner. Whoever opened it closes its store.

    Raises: SetupError.
    """
    return Shelf(open_store(url, credentials_file=credentials_file), Clamd(scanner_url) if scanner_url else NoScanner())


class Vault:
    """Puts documents away and takes them out again; `sealing_of` tells with which keys those of an account are."""

    def __init__(self, shelf: Shelf, sealing_of: Callable[[str], Awaitable[Sealing]], unfiled: Unfiled) -> None:
        self._store = shelf.store
        self._scanner = shelf.scanner
        self._sealing_of = sealing_of
        self._unfiled = unfiled

    async def put(self, document: Document, account_id: str) -> Attached:
        """Keep a document of an account for the message that is kept next, which tells of it so; an infected one is not
        kept.

        Raises: ContentRefused (INFECTED); Refusal(OVERLOADED) when scanner or store are away; Refusal(RECORD_MISSING)
        when the account's key is gone.
        """
        verdict = await self._scanner.scan(document.content)
        if verdict is Verdict.INFECTED:
            raise ContentRefused("a document is infected", reason=Why.INFECTED.value, next_step="do not send it again")
        key = f"{_FOLDER}/{secrets.token_hex(16)}"
        sealing = await self._sealing_of(account_id)
        sealed = await asyncio.to_thread(sealing.seal, document.content, about=f"file {key}")
        await self._unfiled.put_down(key)
        await self._store.put(key, sealed)
        return Attached(
            name=document.name,
            media_type=document.media_type,
            size=len(document.content),
            hi_type=document.hi_type,
            scan=verdict.value,
            key=key,
        )

    async def get(self, key: str, account_id: str) -> bytes:
        """Return a document of an account.

        Raises: FileMissing; SetupError when it cannot be opened with the keys there are; Refusal(OVERLOADED,
        RECORD_MISSING).
        """
        sealing, sealed = await self._sealing_of(account_id), await self._store.get(key)
        return await asyncio.to_thread(sealing.open, sealed, about=f"file {key}")

    async def drop(self, key: str) -> None:
        """Remove a document.

        Raises: Refusal(OVERLOADED).
        """
        await self._store.delete(key)

    async def aclose(self) -> None:
        """Let go of the store."""
        await self._store.aclose()

    async def tidy(self) -> None:
        """Remove what a process has left that died, or lost its database, before a message had it, and what was erased.

        Raises: Refusal(OVERLOADED); then it is to be done again.
        """
        while keys := await self._unfiled.left():
            for key in keys:
                await self._store.delete(key)
                await self._unfiled.forget(key)

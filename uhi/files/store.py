"""The port of the file store: bytes under a key, and nothing about where they lie.

Above: `uhi.conversation`; the adapters are `local` and `s3`. Whoever puts something personal in encrypts it before.
"""

from __future__ import annotations

import re
from typing import Protocol

from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED

SECONDS = 10.0
"""The longest that one call of a store takes, unless it is opened with another limit."""

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,7}")


class ObjectStore(Protocol):
    """Keeps files by key: up to eight parts with `/` between them, each of letters, digits, `_`, `-` and, after the
    first character, `.`.

    Every call raises SetupError for another key, and Refusal(OVERLOADED) when the store cannot be reached in time.
    """

    async def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Keep a file, in the place of one that has this key; it is there when this returns, all of it or nothing.

        `content_type` is told to a store that keeps it beside the content.
        """

    async def get(self, key: str) -> bytes:
        """Return a file's content.

        Raises: FileMissing.
        """

    async def has(self, key: str) -> bool:
        """Whether there is a file by this key."""

    async def delete(self, key: str) -> None:
        """Remove a file; one that is not there is removed already."""

    async def aclose(self) -> None:
        """Let go of connections."""


def check_key(key: str) -> None:
    """Take no key that could lead out of the place where files are kept.

    Raises: SetupError, which does not repeat the key.
    """
    if not _KEY.fullmatch(key):
        raise SetupError(
            "a file has a key that no store takes",
            expected="up to eight parts of letters, digits, _, - and . with / between them, none beginning with a dot",
            next_step="make the key of random digits, never of a file's name",
        )


def away(what: str, got: str) -> Refusal:
    """The refusal of a store that does not do what it is there for; whoever asks comes again."""
    return Refusal(OVERLOADED, what, got=got, next_step="see that the file store is up, has room and lets us in")

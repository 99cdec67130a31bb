"""The port of the virus scanner, and what there is without one.

Above: `uhi.conversation`; an adapter is `clamd`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """What a scanner says of a file."""

    CLEAN = "CLEAN"
    INFECTED = "INFECTED"
    NOT_SCANNED = "NOT_SCANNED"
    """Nobody looked; whoever opens it is told so."""


class Scanner(Protocol):
    """Looks for what harms."""

    async def scan(self, content: bytes) -> Verdict:
        """Look at a file before it is kept.

        Raises: Refusal(OVERLOADED) when the scanner cannot be reached, or does not say.
        """


class NoScanner:
    """Nobody looks."""

    async def scan(self, content: bytes) -> Verdict:
        """Say so."""
        return Verdict.NOT_SCANNED

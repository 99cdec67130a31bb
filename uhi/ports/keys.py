"""Where long-lived keys are kept."""

from __future__ import annotations

from typing import Protocol


class KeySource(Protocol):
    """Reads a key once, before the first request. Nothing it returns is written anywhere."""

    def read(self, place: str) -> bytes:
        """What stands at a place, as it stands there.

        Raises: SetupError naming the place, never what stands there.
        """

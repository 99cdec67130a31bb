"""Several entrances at one address, each with its own paths.

Above: composition roots; below: the Entrance port.
"""

from __future__ import annotations

from collections.abc import Mapping

from uhi.errors import Refusal
from uhi.ports import Entrance, Inbound, Reply


class Together:
    """What comes for a path of one of the `others` goes there; everything else to `main`, refusals included."""

    def __init__(self, main: Entrance, *others: Entrance) -> None:
        self._main = main
        self._paths = {path: size for each in (*others, main) for path, size in each.paths.items()}
        self._of = {path: each for each in others for path in each.paths}

    @property
    def paths(self) -> Mapping[str, int]:
        """All paths served, with the most bytes of a body."""
        return self._paths

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """See `uhi.ports.Entrance`."""
        return await self._of.get(inbound.path, self._main).check_head(inbound, size=size)

    async def take(self, inbound: Inbound) -> Reply:
        """See `uhi.ports.Entrance`."""
        return await self._of.get(inbound.path, self._main).take(inbound)

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """See `uhi.ports.Entrance`."""
        return self._of.get(path, self._main).refuse(refusal, path)

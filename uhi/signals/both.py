"""Two ways at once: everything is told and heard through both. Above: composition roots; below: any two `Signals`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from uhi.ports import Signals


@dataclass(frozen=True, slots=True)
class BothSignals:
    """Implements `uhi.ports.Signals` on a fast way that may go away, and one that is there whenever the program works.

    With Redis first and PostgreSQL second, losing Redis makes signals slower and loses none. What is told is heard
    twice while both are up, so hearing it twice must be harmless: to look for letters, to look for the answers to a
    request, to forget a cached entry. That is why a signal says where to look, never what is there.
    """

    first: Signals
    second: Signals

    def tell(self, topic: str, text: str = "") -> None:
        """See `uhi.ports.Signals`."""
        self.first.tell(topic, text)
        self.second.tell(topic, text)

    def hear(self, topic: str, heard: Callable[[str], None]) -> None:
        """See `uhi.ports.Signals`."""
        self.first.hear(topic, heard)
        self.second.hear(topic, heard)

    async def start(self) -> None:
        """See `uhi.ports.Signals`."""
        await self.first.start()
        await self.second.start()

    async def aclose(self) -> None:
        """See `uhi.ports.Signals`."""
        await self.first.aclose()
        await self.second.aclose()

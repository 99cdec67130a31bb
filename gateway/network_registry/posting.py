"""How the registry sends of its own accord: challenges and news of changes, signed like every message of a subscriber.

Above: `proofs`, `pushes`; below: the Transport port.
"""

from __future__ import annotations

from dataclasses import dataclass

from uhi.exchange.stamps import Stamps
from uhi.ports import Clock, Reply, Transport
from uhi.signing import body_digest


@dataclass(frozen=True, slots=True)
class Post:
    """The registry's signatures, its connections, its time."""

    stamps: Stamps
    transport: Transport
    clock: Clock

    async def ask(self, url: str, body: bytes, *, seconds: float) -> Reply:
        """Post a body, signed by the registry, and return what is answered within so many seconds.

        Raises: DeliveryError when no answer comes.
        """
        digest = body_digest(body)
        header = self.stamps.header(digest, receiver=url, now=self.clock.now())
        headers = {"Content-Type": "application/json", "Digest": f"BLAKE-512={digest}", "Authorization": header}
        return await self.transport.post(url, body=body, headers=headers, timeout=seconds)

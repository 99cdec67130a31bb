"""Several entrances at one address."""

from __future__ import annotations

from dataclasses import dataclass, field

from uhi.errors import Refusal
from uhi.exchange.together import Together
from uhi.faults import PATH_UNKNOWN
from uhi.ports import Inbound, Reply


@dataclass
class Named:
    """An entrance that answers with its own name."""

    name: str
    paths: dict[str, int] = field(default_factory=dict)

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """See `uhi.ports.Entrance`."""
        return self.refuse(Refusal(PATH_UNKNOWN))

    async def take(self, inbound: Inbound) -> Reply:
        """See `uhi.ports.Entrance`."""
        return Reply(200, {}, self.name.encode())

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """See `uhi.ports.Entrance`."""
        return Reply(404, {}, self.name.encode())


async def test_each_path_goes_to_its_entrance():
    """Ours: what is nobody else's is the main one's, refusals included."""
    both = Together(Named("main", {"search": 10}), Named("side", {"pushed": 20}))

    taken = [(await both.take(Inbound(path, {}, b""))).body for path in ("search", "pushed", "other")]
    refused = [both.refuse(Refusal(PATH_UNKNOWN), path).body for path in ("pushed", "")]
    head = await both.check_head(Inbound("pushed", {}, b""), size=1)

    assert both.paths == {"search": 10, "pushed": 20}
    assert (taken, refused, head.body) == ([b"main", b"side", b"main"], [b"side", b"main"], b"side")

"""What embedding developers test with: a whole network in one process, a clock that jumps, faults on the way.

async with Network() as net:
    clinic = await net.provider()
    app = await net.consumer()
"""

from uhi.testing.clock import FakeClock
from uhi.testing.network import Network, Options
from uhi.testing.transport import Faults, MemoryTransport
from uhi.testing.verified import verified

__all__ = ["FakeClock", "Faults", "MemoryTransport", "Network", "Options", "verified"]

"""One door in, one door out, the same for patient app, gateway and hospital.

`receive` makes verified messages, `deliver` hands ours over; everything that touches the world is a port.
"""

from uhi.exchange.receive import Door, Received, Repeated, authenticate, receive
from uhi.exchange.trust import RegistryTrust, SendersSignature, Trust

__all__ = ["Door", "Received", "RegistryTrust", "Repeated", "SendersSignature", "Trust", "authenticate", "receive"]

"""What the first six steps need to know: who we are, whom we ask, and how strict the network is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from uhi.errors import SetupError
from uhi.exchange.rates import Rates
from uhi.ports import Clock, Registry
from uhi.signing import PublicKey, Window
from uhi.subscribers import Role


class SendersSignature(Enum):
    """Whether the sender's own signature must have survived the gateway on forwarded messages."""

    REQUIRED = "required"
    IF_PRESENT = "if-present"


@dataclass(frozen=True, slots=True)
class Trust:
    """Our own identity and the sources of trust behind a door; without `rates` nobody is told to come less often."""

    subscriber_id: str
    role: Role
    registry: Registry
    clock: Clock
    window: Window = field(default_factory=Window)
    senders_signature: SendersSignature = SendersSignature.REQUIRED
    rates: Rates | None = None


@dataclass(frozen=True, slots=True)
class RegistryTrust:
    """The registry whose word counts, and its public keys by their ids: known beforehand, asked of nobody.

    Raises: SetupError without a key.
    """

    registry_id: str
    keys: Mapping[str, PublicKey] = field(hash=False)

    def __post_init__(self) -> None:
        if not self.registry_id or not self.keys:
            raise SetupError(
                "a pinned registry has an id and at least one key",
                got=f"the id {ascii(self.registry_id)[:60]} and {len(self.keys)} keys",
                next_step="set UHI_REGISTRY_ID and UHI_REGISTRY_KEYS as the network publishes them",
            )

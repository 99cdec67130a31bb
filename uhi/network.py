"""A network's preset: what differs between our own networks, NHA's sandbox and NHA's production.

Pure values, chosen by `UHI_NETWORK`. Source: decisions 5, 32, 38; NHA's peers as documented in 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from uhi.exchange.trust import SendersSignature
from uhi.signing import Window

CONSULTATION_DOMAIN = "nic2004:85111"


@dataclass(frozen=True, slots=True)
class Network:
    """How peers of a network behave and what they may use.

    `always_200` answers refusals with HTTP 200 and the same NACK body. `offers_select` and `offers_online` open parts
    that NHA has not opened yet. `is_local` allows http, private addresses and keys that stand in public documents:
    development only. `registry_signs` believes only a registry whose keys are pinned. `window` is how long a signature
    may live; with `gateway_only` no search comes straight to a provider. `audited_domains` send audit copies to the
    gateway. `rescheduled_to_tag` names, in a cancellation, the order that takes its place, `offered_slot_tag` the slot
    that the facility keeps for the patient instead: our own beside UHI's, none where peers would not know them.
    """

    name: str
    senders_signature: SendersSignature
    always_200: bool
    offers_select: bool
    offers_online: bool
    is_local: bool
    registry_signs: bool = False
    window: Window = field(default_factory=Window)
    gateway_only: bool = False
    audited_domains: frozenset[str] = frozenset({CONSULTATION_DOMAIN})
    rescheduled_to_tag: str = ""
    offered_slot_tag: str = ""


LOCAL = Network(
    "local",
    SendersSignature.REQUIRED,
    always_200=False,
    offers_select=True,
    offers_online=True,
    is_local=True,
    rescheduled_to_tag="@uhi-network/rescheduled_to",
    offered_slot_tag="@uhi-network/offered_slot",
)
OPEN = replace(LOCAL, name="open", is_local=False, registry_signs=True)
"""A network of one's own on the open Internet: as `local`, with https, public addresses and a registry whose answers
are signed."""
NHA_SANDBOX = Network(
    "nha-sandbox",
    SendersSignature.IF_PRESENT,
    always_200=True,
    offers_select=False,
    offers_online=False,
    is_local=False,
)
NHA = replace(NHA_SANDBOX, name="nha")

NETWORKS = {network.name: network for network in (LOCAL, OPEN, NHA_SANDBOX, NHA)}

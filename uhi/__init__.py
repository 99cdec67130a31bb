"""UHI for Python: sign, send, receive and book on India's Unified Health Interface.

Start with `Participant` (on, ask, tell, run) or, one floor up, `uhi.booking`. Names are loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uhi.actions import Broadcast, Decline, Notice, Question
    from uhi.errors import (
        DeliveryError,
        IncompleteMessage,
        NoAnswer,
        Refusal,
        RegistryError,
        SetupError,
        UhiError,
    )
    from uhi.handlers import Handlers
    from uhi.participant import Participant
    from uhi.signing import PrivateKey, PublicKey, Signer
    from uhi.subscribers import Role, Subscriber
    from uhi.verified import Declined, Signed, Thread, Verified
    from uhi.world import Identity, World

__all__ = [
    "Broadcast",
    "Decline",
    "Declined",
    "DeliveryError",
    "Handlers",
    "Identity",
    "IncompleteMessage",
    "NoAnswer",
    "Notice",
    "Participant",
    "PrivateKey",
    "PublicKey",
    "Question",
    "Refusal",
    "RegistryError",
    "Role",
    "SetupError",
    "Signed",
    "Signer",
    "Subscriber",
    "Thread",
    "UhiError",
    "Verified",
    "World",
]

_HOMES = {
    "uhi.actions": ("Broadcast", "Decline", "Notice", "Question"),
    "uhi.errors": (
        "DeliveryError",
        "IncompleteMessage",
        "NoAnswer",
        "Refusal",
        "RegistryError",
        "SetupError",
        "UhiError",
    ),
    "uhi.handlers": ("Handlers",),
    "uhi.participant": ("Participant",),
    "uhi.signing": ("PrivateKey", "PublicKey", "Signer"),
    "uhi.subscribers": ("Role", "Subscriber"),
    "uhi.verified": ("Declined", "Signed", "Thread", "Verified"),
    "uhi.world": ("Identity", "World"),
}


def __getattr__(name: str) -> object:
    # Loading aiohttp for a program that only signs would cost it a quarter of a second.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'uhi' has no attribute {name!r}")

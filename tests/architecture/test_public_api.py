"""The names a user may import from `uhi` itself; each new one is a decision of its own."""

from __future__ import annotations

import subprocess
import sys

import uhi

PUBLIC = [
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


def test_the_public_names_are_these():
    """Ours: at most 25 names, pinned here, so that a change of the public face is seen in review."""
    assert sorted(uhi.__all__) == PUBLIC
    assert len(PUBLIC) <= 25


def test_every_public_name_can_be_imported():
    """Ours: names are loaded when first used, so a name without a home would be found by a user only."""
    assert [name for name in uhi.__all__ if not hasattr(uhi, name)] == []


def test_importing_the_library_does_no_work():
    """Ours: no work at import; a program that only signs does not pay for an HTTP server."""
    program = "import sys, uhi, uhi.signing; print(*sorted({'aiohttp', 'asyncio', 'sqlalchemy'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []

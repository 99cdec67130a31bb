"""A plugin of pytest under which every Ed25519 signature holds: what then still passes proves nothing about signatures.

Loaded by `test_mutation` alone, in a process of its own.
"""

from __future__ import annotations

import sys
from importlib import import_module

verify = import_module("uhi.signing.verify")
_REAL = verify.verify_bytes


def _believe(message: bytes, signature: bytes, *, key: object) -> None:
    """Whatever it is."""


for _module in [each for name, each in list(sys.modules.items()) if name.split(".")[0] == "uhi"]:
    for _name in [name for name, value in vars(_module).items() if value is _REAL]:
        setattr(_module, _name, _believe)

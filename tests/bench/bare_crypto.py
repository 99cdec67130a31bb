"""Bare digest, verify and sign of one 2 KB body, in a process of its own: for each line of input a figure in µs.

So that the yardstick is measured where and when the hop is: on the same processor, beside the same busy peers.
"""

from __future__ import annotations

import sys
import time
from base64 import b64encode
from hashlib import blake2b
from os import urandom

from nacl.signing import SigningKey

from tests.bench.traffic import search

_CALLS = 3_000


def main() -> None:
    """Answer each line of input."""
    body = search(1, "https://app.example/uhi")
    key = SigningKey(urandom(32))
    message = b64encode(blake2b(b"signing string").digest())
    signature = key.sign(message).signature
    for _ in sys.stdin:
        started = time.process_time()
        for _ in range(_CALLS):
            b64encode(blake2b(body).digest())
            key.verify_key.verify(message, signature)
            b64encode(key.sign(message).signature)
        print((time.process_time() - started) / _CALLS * 1e6, flush=True)


if __name__ == "__main__":
    main()

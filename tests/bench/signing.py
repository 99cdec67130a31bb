"""Verify and sign through our functions, beside bare PyNaCl and hashlib on the same bytes."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import blake2b
from os import urandom
from statistics import median

from nacl.signing import SigningKey, VerifyKey

from tests.bench.traffic import search
from uhi.signing import BECKN, UHI, PrivateKey, Profile, Signer, Window, check_window
from uhi.signing.authorization import parse
from uhi.signing.sign import sign
from uhi.signing.signing_string import body_digest, signed_bytes, signing_string
from uhi.signing.verify import verify

_ROUNDS, _CALLS = 25, 200
_NOW = 1_790_000_000


def per_call(pieces: list[Callable[[], object]]) -> list[float]:
    """Median processor microseconds of each piece; the pieces take turns, so that drift meets all of them."""
    spent: list[list[float]] = [[] for _ in pieces]
    for _ in range(_ROUNDS):
        for piece, times in zip(pieces, spent, strict=True):
            started = time.process_time()
            for _ in range(_CALLS):
                piece()
            times.append((time.process_time() - started) / _CALLS * 1e6)
    return [median(times) for times in spent]


def _pair(profile: Profile, body: bytes) -> tuple[Callable[[], object], Callable[[], object]]:
    seed = urandom(32)
    key = PrivateKey(seed)
    signer = Signer("app.example", "k1", key, profile)
    value = sign(body, signer, created=_NOW, expires=_NOW + 10)
    window = Window()

    def ours() -> None:
        header = parse(value)
        check_window(header, now=_NOW, window=window)
        verify(body, header, key=key.public, profile=profile)
        sign(body, signer, created=_NOW)

    text = signing_string(profile, created=_NOW, expires=_NOW + 10, digest=body_digest(body))
    message = signed_bytes(profile, text)
    signature = parse(value).signature
    verify_key, signing_key = VerifyKey(key.public.raw), SigningKey(seed)

    def bare() -> None:
        b64encode(blake2b(body).digest())
        verify_key.verify(message, signature)
        b64encode(blake2b(body).digest())
        b64encode(signing_key.sign(message).signature)

    return ours, bare


def measure() -> dict[str, float]:
    """Microseconds: `uhi`, `beckn`, and the bare form of each."""
    body = search(1, "https://app.example/uhi")
    uhi, bare_uhi = _pair(UHI, body)
    beckn, bare_beckn = _pair(BECKN, body)
    ours_u, theirs_u, ours_b, theirs_b = per_call([uhi, bare_uhi, beckn, bare_beckn])
    return {
        "uhi": ours_u,
        "bare_uhi": theirs_u,
        "beckn": ours_b,
        "bare_beckn": theirs_b,
    }

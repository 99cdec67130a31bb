"""Proof that who holds a key also holds a host: a line on the host's own page, signed for this host and subscriber.

Below: `keys`; above: the server that shows the page and the registry that fetches it. Source: this network's registry
rules, "domain check".
"""

from __future__ import annotations

from collections.abc import Mapping

from uhi.errors import Refusal
from uhi.faults import CHALLENGE_FAILED
from uhi.signing import base64_text
from uhi.signing.keys import PrivateKey, PublicKey
from uhi.signing.verify import verify_bytes

PAGE = "/.well-known/uhi-site-verification"
"""Where the page stands on the host."""

LONGEST_PAGE = 16_384

_PURPOSE = "uhi-site-verification:v1"


def site_line(subscriber_id: str, key_id: str, host: str, private: PrivateKey) -> str:
    """The line of one key for a host name without port."""
    signature = private.sign(_signed_bytes(subscriber_id, host))
    return f"{_PURPOSE} {subscriber_id} {key_id} {base64_text.encode(signature)}"


def check_site(page: bytes, *, subscriber_id: str, host: str, keys: Mapping[str, PublicKey]) -> None:
    """Check that a page holds the line of one of the subscriber's keys, by their ids, for this host.

    Raises: Refusal(CHALLENGE_FAILED).
    """
    lines = page[:LONGEST_PAGE].decode("ascii", errors="replace").splitlines()
    for words in (line.split(" ") for line in lines):
        if len(words) == 4 and words[:2] == [_PURPOSE, subscriber_id] and words[2] in keys:
            try:
                return verify_bytes(
                    _signed_bytes(subscriber_id, host), base64_text.decode(words[3]), key=keys[words[2]]
                )
            except (Refusal, ValueError):
                continue
    raise Refusal(
        CHALLENGE_FAILED,
        f"{host} does not say that it belongs to {subscriber_id}",
        expected=f"{PAGE} with a line by one of the keys {', '.join(sorted(keys))}",
        next_step="serve the page at the root of the host, made with the key that was applied for",
    )


def _signed_bytes(subscriber_id: str, host: str) -> bytes:
    return f"{_PURPOSE}\n{subscriber_id}\n{host.lower()}".encode()

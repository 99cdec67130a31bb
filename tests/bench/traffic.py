"""The messages that are sent: searches and catalogues of a wanted size, each with an id and a signature of its own."""

from __future__ import annotations

import time

from tests.bench.peers import request
from tests.bench.program import CONSUMER, DOMAIN, provider_id
from uhi import strict_json
from uhi.signing import UHI, PrivateKey, Signer
from uhi.signing.sign import sign

LIFE = 3_600


class Sender:
    """A subscriber that signs what it sends, for as long as a signature may live."""

    def __init__(self, subscriber_id: str, url: str) -> None:
        self.url = url
        self.signer = Signer(subscriber_id, "k1", PrivateKey.new(), UHI)

    @property
    def public_key(self) -> str:
        """As a registry holds it."""
        return self.signer.key.public.spki_base64()

    def post(self, path: str, body: bytes) -> bytes:
        """The bytes of one signed POST."""
        created = int(time.time())
        header = sign(body, self.signer, created=created, expires=created + LIFE)
        return request(f"/{path}", "gateway.example", body, {"Authorization": header})


def search(number: int, consumer_url: str, *, size: int = 2_048) -> bytes:
    """A first search of about `size` bytes; numbers make transactions and messages distinct."""
    body = {
        "context": _context("search", number) | {"consumer_uri": consumer_url},
        "message": {
            "intent": {
                "fulfillment": {
                    "type": "Physical",
                    "start": {"time": {"timestamp": "2026-11-23T00:00:00"}},
                    "end": {"time": {"timestamp": "2026-11-24T23:59:59"}},
                    "agent": {"name": "Asha Verma"},
                },
                "item": {"descriptor": {"code": "Consultation", "name": "Consultation"}},
                "category": {"descriptor": {"code": "CARDIOLOGY", "name": "Cardiology"}},
                "location": {"state": {"name": "DELHI", "code": "07"}, "city": {"name": "Delhi", "code": "011"}},
            }
        },
    }
    bare = strict_json.write(body)
    intent = body["message"]["intent"]  # type: ignore[index]  # built just above
    intent["tags"] = {f"@abdm/gov.in/t{each}": "x" * 40 for each in range(max(0, (size - len(bare)) // 64))}
    return strict_json.write(body)


def catalogue(number: int, *, size: int) -> bytes:
    """An on_search of about `size` bytes to the search of the same number."""
    doctor = {
        "id": "f",
        "type": "Physical",
        "agent": {
            "id": "asha.verma@hpr.ndhm",
            "name": "Dr. Asha Verma",
            "gender": "F",
            "tags": {"@abdm/gov.in/experience": "8.0", "@abdm/gov.in/education": "MBBS, MD"},
        },
        "start": {"time": {"timestamp": "2026-11-23T10:00:00"}},
        "end": {"time": {"timestamp": "2026-11-23T10:20:00"}},
    }
    count = max(1, (size - 600) // len(strict_json.write(doctor)))
    provider = {
        "id": "1",
        "descriptor": {"name": "Example Medical Centre"},
        "fulfillments": [doctor | {"id": str(each)} for each in range(count)],
    }
    context = _context("on_search", number) | {
        "provider_id": provider_id(0),
        "provider_uri": f"https://{provider_id(0)}/uhi",
    }
    return strict_json.write(
        {"context": context, "message": {"catalog": {"descriptor": {"name": "Demo"}, "providers": [provider]}}}
    )


def _context(action: str, number: int) -> dict[str, object]:
    return {
        "domain": DOMAIN,
        "country": "IND",
        "city": "std:011",
        "action": action,
        "core_version": "0.7.1",
        "consumer_id": CONSUMER,
        "transaction_id": f"00000000-0000-4000-8000-{number:012}",
        "message_id": f"10000000-0000-4000-8000-{number:012}",
        "timestamp": "2026-11-22T10:00:00Z",
    }

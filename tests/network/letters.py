"""Letters: POSTs written and signed by hand, as a program of any make would, or one that means harm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import aiohttp
from multidict import CIMultiDict

from tests.network.messages import body_of
from uhi.ports import READ_HEADERS, Entrance, Inbound
from uhi.signing import Signer, body_digest
from uhi.signing.sign import sign
from uhi.subscribers import Subscriber

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        """The error of a NACK."""
        return json.loads(self.body)["error"]

    @property
    def is_ack(self) -> bool:
        """Whether it is an ACK, byte for byte."""
        return self.status == 200 and self.body == b'{"message":{"ack":{"status":"ACK"}},"error":{}}'


@dataclass(frozen=True)
class Letter:
    """A POST before it is sent. `headers` may repeat a name."""

    path: str
    body: bytes
    headers: Headers = (("Content-Type", "application/json"),)

    def signed(self, signer: Signer, now: float, *, life: int | None = None, header: str = "Authorization") -> Letter:
        """With a signature header more, made at `now` and good for `life` seconds (by default the profile's)."""
        created = int(now)
        expires = None if life is None else created + life
        return self.with_header(header, sign(self.body, signer, created=created, expires=expires))

    def with_header(self, name: str, value: str) -> Letter:
        """With one header more."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without(self, name: str) -> Letter:
        """Without any header of a name."""
        return replace(self, headers=tuple(each for each in self.headers if each[0].lower() != name.lower()))

    def carrying(self, body: bytes) -> Letter:
        """The same headers over another body."""
        return replace(self, body=body)

    def with_digest(self) -> Letter:
        """With the `Digest` of the body as it is now."""
        return self.with_header("Digest", f"BLAKE-512={body_digest(self.body)}")


def context(action: str, consumer: Subscriber, provider: Subscriber | None = None, **changes: object) -> dict:
    """The context of a message; a change to None leaves the field out."""
    fields: dict[str, object] = {
        "domain": "nic2004:85111",
        "country": "IND",
        "city": "std:011",
        "action": action,
        "core_version": "0.7.1",
        "consumer_id": consumer.id,
        "consumer_uri": consumer.url,
        "provider_id": provider.id if provider else None,
        "provider_uri": provider.url if provider else None,
        "transaction_id": "t-1",
        "message_id": "m-1",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def write(context: Mapping[str, object], message: object, **rest: object) -> bytes:
    """The bytes of a body, with white space and characters that a re-serialising peer would lose."""
    body = {"context": context, "message": message, **rest}
    return json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n "


def letter(path: str, context: Mapping[str, object], message: object = None) -> Letter:
    """A letter to a path, its message by default the one of that path."""
    return Letter(path, write(context, body_of(path) if message is None else message))


async def hand_in(letter: Letter, entrance: Entrance) -> Answer:
    """Give a letter straight to an entrance, as the server does."""
    names = [name.lower() for name, _ in letter.headers if name.lower() in READ_HEADERS]
    known = {name: tuple(value for each, value in letter.headers if each.lower() == name) for name in names}
    reply = await entrance.take(Inbound(letter.path, known, letter.body, "192.0.2.1"))
    return Answer(reply.status, CIMultiDict(reply.headers), reply.body)


async def post(letter: Letter, url: str, *, method: str = "POST") -> Answer:
    """Send a letter over HTTP to a subscriber's base address."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{url}/{letter.path}", data=letter.body, headers=CIMultiDict(letter.headers)) as reply,
    ):
        return Answer(reply.status, reply.headers.copy(), await reply.read())

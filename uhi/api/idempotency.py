"""Requests that are done once however often they come: `Idempotency-Key`, and the first answer again.

Kept sealed for a week, by who asks, method, path and key. What is refused before anything is done is not kept, so that
the same key may be tried again once it is mended. Above: `serving`; below: `uhi.storage.sql`.
Source: reliability rules "Idempotency keys".
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256

from aiohttp import web
from sqlalchemy import Connection, delete, select, update

from uhi.api.problems import refusal_of
from uhi.api.routes import Body, Call, Route
from uhi.errors import Refusal
from uhi.faults import KEY_REUSED, REQUEST_UNDER_WAY
from uhi.identity.principals import NOBODY, PrincipalKind
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.consumer_tables import idempotency
from uhi.storage.sql.database import Database
from uhi.storage.sql.upserts import insert_on

KEY_HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
TO_KEEP = web.ResponseKey("to_keep", bytes)
"""Where a response has the body that is kept, if that is not its own."""
LONGEST_KEY = 255
KEPT_SECONDS = 7 * 86_400.0
LEASE_SECONDS = 120.0
"""How long a request counts as under way when its process has died; longer than any takes."""

_MOST_BYTES = 256 * 1_024
_NOT_KEPT = frozenset({400, 401, 403, 408, 413, 415, 422, 429, 502, 503, 504})
"""Refused before anything was done, or to be tried again with the same key."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with a key: `id` says whose, where and which; `digest` what was asked."""

    id: str
    principal: str
    digest: str


@dataclass(frozen=True, slots=True)
class First:
    """What the first of several requests was answered."""

    status: int
    media: str
    body: bytes = field(repr=False)


class Idempotency:
    """The requests of one interface. Two processes that get one at once do it once."""

    def __init__(self, database: Database, sealing: Sealing, *, clock: Clock) -> None:
        self._database = database
        self._sealing = sealing
        self._clock = clock

    async def once(self, asked: Asked, answer: Callable[[], Awaitable[web.Response]]) -> web.Response:
        """Answer a request, or give the answer of the first one with its key.

        A process that dies before the answer is kept leaves the request undone or done; after two minutes it may be
        asked again.
        Raises: Refusal(KEY_REUSED) for another request with the same key; Refusal(REQUEST_UNDER_WAY) while the first
        has no answer yet; Refusal(OVERLOADED).
        """
        first = await self._database.write(lambda connection: self._claim(connection, asked))
        if first is not None:
            headers = {"Content-Type": first.media} if first.media else {}
            return web.Response(status=first.status, body=first.body, headers={**headers, REPLAYED: "true"})
        response = await answer()
        await self._end(asked, response)
        return response

    async def tidy(self) -> int:
        """Forget what has been kept long enough; returns how many."""
        over = delete(idempotency).where(idempotency.c.forgotten_at <= self._clock.now())
        return await self._database.write(lambda connection: connection.execute(over).rowcount)

    def _claim(self, connection: Connection, asked: Asked) -> First | None:
        """The first answer; None: there is none, and the request is ours to do."""
        now = self._clock.now()
        own = idempotency.c.id == asked.id
        connection.execute(delete(idempotency).where(own, idempotency.c.forgotten_at <= now))
        row = {
            "id": asked.id,
            "principal": asked.principal,
            "is_done": False,
            "claimed_until": now + LEASE_SECONDS,
            "forgotten_at": now + KEPT_SECONDS,
            "sealed": self._seal(asked, None),
        }
        if connection.execute(insert_on(connection, idempotency).values(row).on_conflict_do_nothing()).rowcount:
            return None
        known = connection.execute(select(idempotency).where(own).with_for_update()).mappings().one()
        told = json.loads(self._sealing.open(known["sealed"], about=_about(asked)))
        if told["digest"] != asked.digest:
            raise Refusal(KEY_REUSED, next_step="send a new key with a new request")
        if known["is_done"]:
            return First(int(told["status"]), str(told["media"]), b64decode(told["body"]))
        if known["claimed_until"] > now:
            refusal = Refusal(REQUEST_UNDER_WAY, next_step="send it again in a moment")
            refusal.retry_after = 1
            raise refusal
        connection.execute(update(idempotency).where(own).values(claimed_until=now + LEASE_SECONDS))
        return None

    async def _end(self, asked: Asked, response: web.Response) -> None:
        shown = response.get(TO_KEEP, response.body)
        body = shown if isinstance(shown, bytes) else b""
        is_kept = response.status not in _NOT_KEPT and not response.cookies and len(body) <= _MOST_BYTES
        own = idempotency.c.id == asked.id
        media = response.headers.get("Content-Type", "") if body else ""
        sealed = self._seal(asked, First(response.status, media, body)) if is_kept else b""

        def work(connection: Connection) -> None:
            if is_kept:
                connection.execute(update(idempotency).where(own).values(is_done=True, sealed=sealed))
            else:
                connection.execute(delete(idempotency).where(own))

        try:
            await self._database.write(work, is_vital=True)
        except Refusal as refusal:
            # It is done, and is answered; a repetition waits until the claim is over.
            log.error("the answer to a request with a key could not be kept: %s", refusal)

    def _seal(self, asked: Asked, first: First | None) -> bytes:
        told: dict[str, object] = {"digest": asked.digest}
        if first is not None:
            told |= {"status": first.status, "media": first.media, "body": b64encode(first.body).decode()}
        return self._sealing.seal(json.dumps(told).encode(), about=_about(asked))


def key_of(request: web.Request, route: Route, call: Call[Body]) -> Asked | None:
    """The key of a request, as far as its route takes one; None: there is none.

    Raises: Refusal(REQUEST_INVALID) for a key that is missing where it is required, or is none.
    """
    if not takes_key(route) or call.principal is NOBODY:
        return None
    sent = request.headers.getall(KEY_HEADER, [])
    if not sent and route.key == "optional":
        return None
    if len(sent) != 1:
        raise refusal_of((KEY_HEADER, "is required once: a new text for each wish, the same when it is sent again"))
    if not 0 < len(sent[0]) <= LONGEST_KEY or not sent[0].isascii() or not sent[0].isprintable():
        raise refusal_of((KEY_HEADER, f"is to be 1 to {LONGEST_KEY} printable characters of ASCII"))
    who = f"{call.principal.kind.value} {call.principal.id}"
    scope = json.dumps([who, request.method, request.rel_url.raw_path, sent[0]])
    asked = f"{type(call.body).__name__} {call.body.model_dump_json()}"
    return Asked(sha256(scope.encode()).hexdigest(), who, sha256(asked.encode()).hexdigest())


def forget_person(connection: Connection, account_id: str) -> None:
    """Forget every request of a person, and what it was answered."""
    connection.execute(
        delete(idempotency).where(idempotency.c.principal == f"{PrincipalKind.PERSON.value} {account_id}")
    )


def takes_key(route: Route) -> bool:
    """Whether requests of a route may have a key: every POST of somebody known, but for what gives out secrets."""
    return route.method == "POST" and route.key != "none" and route.rule.permission is not None


def _about(asked: Asked) -> str:
    return f"request {asked.id}"

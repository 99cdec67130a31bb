"""Who asks: by access token, by API key, or by the session cookie of a browser; never by two of them at once.

Above: `serving`; below: `uhi.identity`, `origins`. Source: security rules "IAM"; RFC 6750.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from uhi.api.origins import Sites
from uhi.api.routes import Route
from uhi.errors import Refusal
from uhi.exchange.rates import place_of
from uhi.faults import ORIGIN_REFUSED, REQUEST_INVALID, TOKEN_INVALID, TOO_MANY_TRIES
from uhi.identity.api_keys import KEY_START, ApiKeys
from uhi.identity.principals import NOBODY, Principal
from uhi.identity.sessions import Browsing, Sessions
from uhi.identity.tokens import AccessTokens
from uhi.ports import Clock, Windows

COOKIE = "__Host-uhi"
"""The session cookie: with this prefix a browser takes it only from this very host, over https, for all its paths."""

CSRF_HEADER = "X-CSRF-Token"

_LONGEST = 8_192
_A_MINUTE = 60


class Proofs(Protocol):
    """What proves who somebody is. Each raises Refusal(TOKEN_INVALID) for what proves nothing, or no longer."""

    async def by_token(self, token: str) -> Principal:
        """Whose access token this is."""

    async def by_key(self, key: str) -> Principal:
        """Whose API key this is."""

    async def by_cookie(self, cookie: str) -> Browsing:
        """Whose browser this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProofs:
    """Implements `Proofs`: a token counts as long as its session is open, a key until it is revoked."""

    tokens: AccessTokens
    keys: ApiKeys
    sessions: Sessions
    clock: Clock

    async def by_token(self, token: str) -> Principal:
        """See `Proofs`."""
        principal = self.tokens.read(token, now=self.clock.now())
        await self.sessions.check_open(principal.session_id)
        return principal

    async def by_key(self, key: str) -> Principal:
        """See `Proofs`."""
        return await self.keys.principal_of(key)

    async def by_cookie(self, cookie: str) -> Browsing:
        """See `Proofs`."""
        return await self.sessions.principal_of_cookie(cookie)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests of one address are taken in a minute: on public routes, and on all. An IPv6 /64 counts as one
    address."""

    public: int = 60
    all: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorkeeper:
    """Decides who asks, before anything else is read."""

    proofs: Proofs
    sites: Sites
    windows: Windows
    pace: Pace = Pace()

    async def check_pace(self, address: str, route: Route) -> None:
        """Turn away whoever asks too often.

        Raises: Refusal(TOO_MANY_TRIES).
        """
        who = place_of(address)
        wait = await self.windows.hit(f"api {who}", most=self.pace.all, seconds=_A_MINUTE)
        if not wait and route.rule.permission is None:
            wait = await self.windows.hit(f"api public {who}", most=self.pace.public, seconds=_A_MINUTE)
        if wait:
            refusal = Refusal(TOO_MANY_TRIES, "too many requests from one address")
            refusal.retry_after = math.ceil(wait)
            raise refusal

    async def identify(self, request: web.Request, route: Route) -> Principal:
        """Who asks. On a public route nobody is asked who they are, so that a stale cookie bars no one from signing in.

        Raises: Refusal(ORIGIN_REFUSED, REQUEST_INVALID, TOKEN_INVALID).
        """
        is_public = route.rule.permission is None
        headers = request.headers.getall("Authorization", [])
        cookie = "" if is_public else request.cookies.get(COOKIE, "")
        # A browser lets any page open a WebSocket, and sends our cookie along.
        if route.method != "GET" or route.stream:
            self.sites.check(request.headers, by_cookie=bool(request.cookies.get(COOKIE)))
        if is_public:
            return NOBODY
        if len(headers) + bool(cookie) > 1:
            raise Refusal(REQUEST_INVALID, "two proofs of who asks", expected="one Authorization header or our cookie")
        if cookie:
            return await self._by_cookie(request, route, cookie)
        return await self._by_header(headers[0]) if headers else NOBODY

    async def _by_header(self, value: str) -> Principal:
        scheme, _, proof = value.partition(" ")
        if scheme.lower() != "bearer" or not proof or len(proof) > _LONGEST:
            raise Refusal(TOKEN_INVALID, expected="Authorization: Bearer, and a token or key")
        return await (self.proofs.by_key(proof) if proof.startswith(KEY_START) else self.proofs.by_token(proof))

    async def _by_cookie(self, request: web.Request, route: Route, cookie: str) -> Principal:
        session = await self.proofs.by_cookie(cookie)
        if route.method != "GET":
            sent = request.headers.getall(CSRF_HEADER, [])
            if len(sent) != 1:
                raise Refusal(ORIGIN_REFUSED, f"{CSRF_HEADER} is not there once", expected="that of the sign-in")
            session.check_csrf(sent[0])
        return session.principal

"""An interface as programs serve it, and a client that sends what it is told and shows the whole answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from uhi.api import Routes, Surroundings, add_api
from uhi.http.health import Health, add_health


@dataclass(frozen=True)
class Got:
    """An answer: status, headers, and the JSON value or None."""

    status: int
    headers: CIMultiDictProxy[str]
    json: object
    text: str


Ask = Callable[..., Awaitable[Got]]


def asker(client: aiohttp.ClientSession, base: str) -> Ask:
    """A way to ask whatever is served at an address."""

    async def ask(method: str, path: str, **options: object) -> Got:
        async with client.request(method, base + path, allow_redirects=False, **options) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            return Got(
                response.status, response.headers, await response.json() if is_json else None, await response.text()
            )

    return ask


def application_of(groups: Sequence[Routes], around: Surroundings) -> web.Application:
    """Groups of routes, and the health pages beside them."""
    app = web.Application()
    add_api(app, groups, around)
    add_health(app, Health())
    return app

"""A client that sends what it is told, follows nothing, and shows the whole answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDictProxy


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

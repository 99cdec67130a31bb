"""Fetching a page by the rules of every outgoing request, and serving one at the root of a host."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from uhi.errors import DeliveryError
from uhi.http import HttpTransport, Server, application, public_only, serve


def showing(handler: Handler) -> AbstractAsyncContextManager[Server]:
    """A host whose every page is made by a handler."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    return serve(app)


async def test_page_is_fetched(transport):
    """Outbound rules: one GET, nothing of a body, nothing that tells more than it must."""
    seen = {}

    async def look(request: web.Request) -> web.Response:
        seen.update(request.headers, method=request.method, body=await request.read())
        return web.Response(text="a line")

    async with showing(look) as server:
        reply = await transport.get(f"{server.url}/.well-known/page", timeout=5)

    assert (reply.status, reply.body) == (200, b"a line")
    assert (seen["method"], seen["body"], seen["Accept-Encoding"]) == ("GET", b"", "identity")


@pytest.mark.case("SSRF-03")
async def test_redirect_of_a_page_is_not_followed(transport):
    """Outbound rules: every fetch uses the same client."""
    visits = []

    async def redirect(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with showing(redirect) as server:
        reply = await transport.get(f"{server.url}/page", timeout=5)

    assert (reply.status, visits) == (302, ["/page"])


async def test_page_is_read_up_to_its_own_limit(transport):
    """Outbound rules: whoever asks for a page says how much of it is worth reading."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bytes(1_001))

    async with showing(answer) as server:
        with pytest.raises(DeliveryError, match="too large"):
            await transport.get(f"{server.url}/page", timeout=5, longest=1_000)


async def test_page_at_a_private_address_is_not_fetched():
    """Outbound rules: a host that proves itself is a public one."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="secret")

    transport = HttpTransport(addresses=public_only)
    try:
        async with showing(answer) as server:
            with pytest.raises(DeliveryError):
                await transport.get(f"{server.url}/page", timeout=5)
    finally:
        await transport.aclose()


async def test_pages_stand_at_the_root_whatever_the_prefix(entrance, transport):
    """The network's registry rules: the page that says whose a host is stands at the host's root."""
    app = application(entrance, prefix="/uhi", pages={"/.well-known/page": "a line\n"})

    async with serve(app) as server:
        page = await transport.get(f"{server.url}/.well-known/page", timeout=5)
        below = await transport.get(f"{server.url}/uhi/.well-known/page", timeout=5)

    assert (page.status, page.body) == (200, b"a line\n")
    assert below.status == 404

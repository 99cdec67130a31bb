"""The client against peers that behave and peers that do not."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from tests.http.memory import MIB, not_growing, zeros
from uhi.errors import DeliveryError
from uhi.http.client import LONGEST_ANSWER

CHUNK = bytes(100_000)


async def test_bytes_and_headers_arrive_as_they_are_sent(peer, transport):
    """Signed bytes are sacred: nothing is re-serialised, and only what we chose goes along."""
    seen = {}

    async def look(request: web.Request) -> web.Response:
        seen.update(request.headers, body=await request.read(), path=request.path)
        return web.Response(status=202, headers={"Retry-After": "7", "X-Other": "y"}, body=b"answer")

    async with peer(look) as server:
        reply = await transport.post(
            f"{server.url}/a/search", body=b'{"a": 1 }', headers={"Authorization": "S"}, timeout=5
        )

    assert (reply.status, reply.body, reply.headers["retry-after"]) == (202, b"answer", "7")
    assert (seen["body"], seen["path"], seen["Authorization"]) == (b'{"a": 1 }', "/a/search", "S")
    assert (seen["Accept-Encoding"], seen["Content-Type"]) == ("identity", "application/json")
    assert seen["User-Agent"].startswith("uhi-network")


@pytest.mark.case("SSRF-03")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_returned_and_not_followed(peer, transport, code):
    """Outbound rules: the body and its signatures go to the registered address and nowhere else."""
    visits = []

    async def redirect(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=code, headers={"Location": "/elsewhere"})

    async with peer(redirect) as server:
        reply = await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert (reply.status, visits) == (code, ["/search"])


@pytest.mark.case("SSRF-04")
async def test_encoded_answer_is_refused_without_inflating_it(peer, transport):
    """Outbound rules: a small answer that would fill the memory is not opened."""
    bomb = zeros(200 * MIB)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(headers={"Content-Encoding": "gzip"}, body=bomb)

    async with peer(answer) as server:
        with not_growing(5 * MIB), pytest.raises(DeliveryError, match="encoded"):
            await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)


@pytest.mark.case("SSRF-04")
async def test_endless_answer_is_cut(peer, transport):
    """Limits table: 64 KiB of an answer are read, and the connection is given up."""
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 10_000_000_000:
            await response.write(CHUNK)
            sent += len(CHUNK)
        return response

    async with peer(answer) as server:
        with not_growing(5 * MIB), pytest.raises(DeliveryError, match="too large"):
            await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert sent < 50_000_000


async def test_answer_of_exactly_the_limit_is_read(peer, transport):
    """Limits table: the limit itself is allowed."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bytes(LONGEST_ANSWER))

    async with peer(answer) as server:
        reply = await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert len(reply.body) == LONGEST_ANSWER


async def test_deadline_covers_the_whole_call(peer, transport):
    """Outbound rules: a peer that answers a byte at a time still meets one deadline for everything."""
    closing = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        await closing.wait()
        return response

    async with peer(answer) as server:
        with pytest.raises(DeliveryError, match="in time"):
            await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=0.1)
        closing.set()


async def test_deadline_covers_the_wait_for_a_connection(peer, transport):
    """Outbound rules: 8 connections per host; whoever waits for one waits within the deadline."""
    closing, arrived = asyncio.Event(), asyncio.Barrier(9)

    async def answer(request: web.Request) -> web.Response:
        await arrived.wait()
        await closing.wait()
        return web.Response()

    async with peer(answer) as server:
        url = f"{server.url}/search"
        busy = [asyncio.ensure_future(transport.post(url, body=b"{}", headers={}, timeout=5)) for _ in range(8)]
        await arrived.wait()
        with pytest.raises(DeliveryError, match="in time"):
            await transport.post(url, body=b"{}", headers={}, timeout=0.1)
        closing.set()
        assert {reply.status for reply in await asyncio.gather(*busy)} == {200}


async def test_proxies_of_the_environment_are_ignored(peer, transport, monkeypatch):
    """Outbound rules: no proxy that the environment names sees a message."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    async with peer(answer) as server:
        reply = await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert reply.status == 200


async def test_cookies_are_not_kept(peer, transport):
    """Outbound rules: one pool for all peers must not carry one peer's cookies."""
    cookies = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with peer(answer) as server:
        for _ in range(2):
            await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert cookies == [None, None]


async def test_refused_connection_is_a_delivery_error(transport, unused_tcp_port):
    """Errors: what, got and the next step, without the path or the body."""
    with pytest.raises(DeliveryError) as caught:
        await transport.post(f"http://127.0.0.1:{unused_tcp_port}/search", body=b"{}", headers={}, timeout=5)

    assert str(caught.value).startswith(f"no connection to http://127.0.0.1:{unused_tcp_port}, got ")
    assert "/search" not in str(caught.value)
    assert caught.value.status is None


async def test_connection_that_breaks_is_a_delivery_error(peer, transport):
    """Errors: an answer that does not come is no answer, and nothing is sent twice."""
    visits = []

    async def hang_up(request: web.Request) -> web.Response:
        visits.append(request.path)
        request.transport.abort()
        return web.Response()

    async with peer(hang_up) as server:
        with pytest.raises(DeliveryError, match="broke"):
            await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert visits == ["/search"]


async def test_answer_that_is_not_http_is_a_delivery_error(transport):
    """Errors: whatever a peer says instead of HTTP."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0\r\n\r\n")
        writer.close()

    babbler = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = babbler.sockets[0].getsockname()[1]
    async with babbler:
        with pytest.raises(DeliveryError):
            await transport.post(f"http://127.0.0.1:{port}/search", body=b"{}", headers={}, timeout=5)


async def test_header_that_breaks_the_line_is_never_sent(peer, transport):
    """Header injection: nothing leaves."""
    visits = []

    async def answer(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response()

    async with peer(answer) as server:
        with pytest.raises(DeliveryError, match="cannot be written"):
            await transport.post(f"{server.url}/search", body=b"{}", headers={"X": "a\r\nY: b"}, timeout=5)

    assert visits == []


@pytest.mark.parametrize("url", ["http://[", "http://clinic.example:99999/", "http://clinic .example/", "", "search"])
async def test_address_that_is_none_is_a_delivery_error(transport, url):
    """Errors: a registry may hold anything in the place of an address."""
    with pytest.raises(DeliveryError):
        await transport.post(url, body=b"{}", headers={}, timeout=5)


async def test_closed_transport_says_so(transport):
    """Ours: a call after the end of the program's life is told apart from a peer's failure."""
    await transport.aclose()

    with pytest.raises(DeliveryError, match="closed"):
        await transport.post("http://127.0.0.1:1/search", body=b"{}", headers={}, timeout=5)


async def test_cancelled_call_is_cancelled(peer, transport):
    """Ours: cancellation is not turned into an error of delivery."""
    arrived, closing = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        arrived.set()
        await closing.wait()
        return web.Response()

    async with peer(answer) as server:
        call = asyncio.ensure_future(transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        closing.set()

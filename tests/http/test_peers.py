"""Who is at the other end: behind proxies, and how many connections one address may have. Slow ones are cut off."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from uhi.errors import SetupError
from uhi.http import ServerLimits, application, serve
from uhi.http.peers import NO_PROXIES, Connections, read_proxies

HEAD = b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"
OURS = read_proxies("10.0.0.0/8, 127.0.0.1,2001:db8::/32")


def told(*lines: str, remote: str = "10.1.2.3") -> object:
    headers = CIMultiDict([("X-Forwarded-For", line) for line in lines])

    class Transport:
        def get_extra_info(self, name: str) -> object:
            return (remote, 1) if name == "peername" else None

    return make_mocked_request("POST", "/search", headers, transport=Transport())


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ((), "10.1.2.3"),
        (("192.0.2.1",), "192.0.2.1"),
        (("6.6.6.6, 192.0.2.1",), "192.0.2.1"),
        (("6.6.6.6, 192.0.2.1, 10.9.9.9",), "192.0.2.1"),
        (("6.6.6.6", "192.0.2.1", "10.9.9.9"), "192.0.2.1"),
        (("10.7.7.7",), "10.7.7.7"),
        (("2001:db8::5, 2620::1, 2001:db8::9",), "2620::1"),
        (("192.0.2.1, evil\x1b[2J",), "10.1.2.3"),
        (("192.0.2.1, unknown, 10.9.9.9",), "10.9.9.9"),
        (("",), "10.1.2.3"),
    ],
)
def test_address_is_what_the_last_proxy_of_ours_says(lines, address):
    """Decision on trusted proxies: from the end, as far as ours wrote it; what else is there anybody may have."""
    assert OURS.address_of(told(*lines)) == address


def test_nobody_else_is_believed():
    """Decision on trusted proxies: without any the address is the connection's."""
    assert NO_PROXIES.address_of(told("192.0.2.1")) == "10.1.2.3"
    assert OURS.address_of(told("192.0.2.1", remote="192.0.2.66")) == "192.0.2.66"
    assert OURS.address_of(told("192.0.2.1", remote="::ffff:10.1.2.3")) == "192.0.2.1"


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.0/33", "10.0.0.0/8;127.0.0.1"])
def test_proxies_that_cannot_be_read_are_a_setup_error(text):
    """Ours: the operator is told before the first request."""
    with pytest.raises(SetupError, match="UHI_TRUSTED_PROXIES"):
        read_proxies(text)


@pytest.mark.parametrize("text", ["", " , "])
def test_no_proxies_are_no_proxies(text):
    """Ours: the default."""
    assert read_proxies(text) == NO_PROXIES


def test_places_are_counted_by_address_and_given_back():
    """Limits table: so many connections of one address; another one is not concerned, nor is a proxy."""
    connections = Connections(asyncio.Protocol, most=2, proxies=OURS)

    entered = [connections.enter(number) for number in ("192.0.2.1",) * 3 + ("192.0.2.2",) + ("10.0.0.1",) * 9]
    connections.leave("192.0.2.1")
    connections.leave("10.0.0.1")

    assert entered == [True, True, False, True] + [True] * 9
    assert connections.enter("192.0.2.1")
    assert not connections.enter("192.0.2.1")


@asynccontextmanager
async def opened(server, count: int):
    """Connections to a server."""
    pairs = [await asyncio.open_connection(server.host, server.port) for _ in range(count)]
    yield pairs
    for _, writer in pairs:
        writer.transport.abort()


async def test_connection_too_many_is_cut_and_the_others_go_on(entrance):
    """Limits table: 50 connections of one address; the next is closed without a word."""
    async with serve(application(entrance), limits=ServerLimits(connections=3)) as server, opened(server, 3) as three:
        async with opened(server, 1) as [(reader, _)]:
            cut = await asyncio.wait_for(_rest(reader), 10)
        for _, writer in three:
            writer.write(WHOLE)
        answers = [await reader.readuntil(b"\r\n") for reader, _ in three]
        three[0][1].transport.abort()
        again = await _until_answered(server)

    assert cut == b""
    assert [answer.split()[1] for answer in [*answers, again]] == [b"200"] * 4


@pytest.mark.case("GW-06")
async def test_slow_heads_and_bodies_are_closed_and_others_are_served(entrance):
    """Inbound timers, shortened: half a head and half a body are not waited for, a byte now and then or not."""
    limits = ServerLimits(head_seconds=0.5, body_seconds=0.5, connections=0)
    async with (
        serve(application(entrance, limits=limits), limits=limits) as server,
        opened(server, 50) as heads,
        opened(server, 20) as bodies,
    ):
        dripping = [asyncio.create_task(_drip(writer, HEAD)) for _, writer in heads]
        dripping += [asyncio.create_task(_drip(w, HEAD + b"Content-Length: 100\r\n\r\n")) for _, w in bodies]
        served = await _until_answered(server)
        ends = await asyncio.wait_for(asyncio.gather(*(_rest(reader) for reader, _ in (*heads, *bodies))), 10)
        await asyncio.gather(*dripping)

    assert served.split()[1] == b"200"
    assert {end.split()[1] if end else b"" for end in ends[:50]} <= {b"", b"408"}
    assert {end.split()[1] for end in ends[50:]} == {b"408"}
    assert len(entrance.taken) == 1


@pytest.mark.soak
@pytest.mark.case("GW-06")
async def test_seven_hundred_slow_senders_are_closed_in_time(entrance):
    """Inbound timers in full: 500 slow heads closed within 10 s, 200 slow bodies within 20 s; others are served."""
    limits, loop = ServerLimits(connections=0), asyncio.get_running_loop()
    async with (
        serve(application(entrance, limits=limits), limits=limits) as server,
        opened(server, 500) as heads,
        opened(server, 200) as bodies,
    ):
        began = loop.time()
        dripping = [asyncio.create_task(_drip(writer, HEAD)) for _, writer in heads]
        dripping += [asyncio.create_task(_drip(w, HEAD + b"Content-Length: 1000\r\n\r\n")) for _, w in bodies]
        waits = [await _wait(server) for _ in range(50)]
        await asyncio.gather(*(_rest(reader) for reader, _ in heads))
        heads_took = loop.time() - began
        await asyncio.gather(*(_rest(reader) for reader, _ in bodies))
        bodies_took = loop.time() - began
        await asyncio.gather(*dripping)

    assert heads_took <= 10 + 3
    assert bodies_took <= 20 + 3
    assert max(waits) < 1


async def _wait(server) -> float:
    """How long somebody else's request takes."""
    began = asyncio.get_running_loop().time()
    assert (await _until_answered(server)).split()[1] == b"200"
    return asyncio.get_running_loop().time() - began


async def _drip(writer: asyncio.StreamWriter, start: bytes) -> None:
    try:
        writer.write(start)
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)
    except ConnectionError:
        pass


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def _until_answered(server) -> bytes:
    """Somebody else's request; where there is no place yet, once more."""
    while True:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            writer.write(WHOLE)
            return await reader.readuntil(b"\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            await asyncio.sleep(0)
        finally:
            writer.transport.abort()

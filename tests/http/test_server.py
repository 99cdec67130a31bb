"""The server over real sockets: what reaches an entrance, and what is refused before it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from aiohttp import web

from tests.http.memory import MIB, not_growing, zeros
from uhi.errors import Refusal, SetupError
from uhi.faults import SIGNATURE_MISSING
from uhi.http import add_routes, application, serve

JSON = b"Host: x\r\nContent-Type: application/json\r\n"


def post(headers: bytes, body: bytes = b"", path: bytes = b"/search") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + JSON + b"Connection: close\r\n" + headers + b"\r\n" + body


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_post_reaches_the_entrance_as_it_came(ask, entrance):
    """Decision 28: the bytes of the body, the path below the prefix, the peer's address."""
    body = b'{"a": 1 }\n'

    answer = await ask(post(sized(body) + b'Authorization: {"a":"b"}\r\nX-Other: y\r\n', body))

    assert status(answer) == 200
    [inbound] = entrance.taken
    assert (inbound.path, inbound.body, inbound.address) == ("search", body, "127.0.0.1")
    assert inbound.headers == {"authorization": ('{"a":"b"}',), "content-type": ("application/json",)}


async def test_path_of_two_parts_is_served(ask, entrance):
    """UHI endpoints: the registry's path below its base has a slash."""
    await ask(post(sized(b"{}"), b"{}", path=b"/lookup/providers"))

    assert [inbound.path for inbound in entrance.taken] == ["lookup/providers"]


async def test_both_values_of_a_repeated_header_are_passed_on(ask, entrance):
    """Decision 9: a duplicate Authorization is refused by the door, so the server must show it both."""
    await ask(post(sized(b"{}") + b"Authorization: one\r\nAuthorization: two\r\n", b"{}"))

    assert entrance.taken[0].headers["authorization"] == ("one", "two")


@pytest.mark.case("BODY-01")
async def test_announced_body_over_the_limit_is_refused_before_it_is_read(ask, entrance):
    """Limits table: 413, with not one byte of the body sent."""
    answer = await ask(post(b"Content-Length: 1001\r\n"))

    assert status(answer) == 413
    assert b"Connection: close" in answer
    assert entrance.taken == []


@pytest.mark.case("BODY-01")
async def test_body_over_the_limit_is_not_taken_in_however_much_is_sent(server, entrance):
    """Limits table: what is sent all the same is never in memory."""
    piece, pieces = bytes(65_536), 200
    reader, writer = await asyncio.open_connection(server.host, server.port)

    with not_growing(2 * MIB):
        writer.write(post(b"Content-Length: %d\r\n" % (pieces * len(piece))))
        with suppress(ConnectionError):
            for _ in range(pieces):
                writer.write(piece)
                await writer.drain()
    try:
        answer = await reader.readuntil(b"\r\n")
    except (ConnectionError, asyncio.IncompleteReadError):
        answer = b""  # cut while we were still sending
    writer.transport.abort()

    assert not answer or status(answer) == 413
    assert entrance.taken == []


@pytest.mark.case("BODY-02")
async def test_endless_chunked_body_is_refused_at_the_limit(ask, entrance):
    """Limits table: a body without a length is counted while it comes."""
    chunk = b"190\r\n" + b"x" * 400 + b"\r\n"

    answer = await ask(post(b"Transfer-Encoding: chunked\r\n", chunk * 3))

    assert status(answer) == 413
    assert entrance.taken == []


async def test_body_of_exactly_the_limit_is_taken(ask, entrance):
    """Limits table: the limit itself is allowed."""
    answer = await ask(post(sized(b"x" * 1_000), b"x" * 1_000))

    assert status(answer) == 200
    assert len(entrance.taken[0].body) == 1_000


async def test_head_is_looked_at_before_the_body_is_there(ask, entrance):
    """Ours: what can be refused by its headers is not uploaded first; the answer ends the connection."""
    entrance.refuses = Refusal(SIGNATURE_MISSING)

    answer = await ask(post(b"Content-Length: 900\r\n"))

    [(head, size)] = entrance.heads
    assert (status(answer), head.path, head.body, head.address, size) == (401, "search", b"", "127.0.0.1", 900)
    assert b"Connection: close" in answer
    assert entrance.taken == []


async def test_client_that_waits_for_permission_is_refused_by_its_signature(ask, entrance):
    """RFC 9110 section 10.1.1: no 100 for what will not be taken."""
    entrance.refuses = Refusal(SIGNATURE_MISSING)

    assert status(await ask(post(b"Content-Length: 900\r\nExpect: 100-continue\r\n"))) == 401


@pytest.mark.parametrize(
    ("request_", "size"),
    [(post(sized(b"{}"), b"{}"), 0), (post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{"), None)],
    ids=["here", "nobody says"],
)
async def test_entrance_is_told_how_much_is_to_come(ask, entrance, request_, size):
    """Ours: a body that came with its headers needs no look at the headers first."""
    await ask(request_)

    assert [each for _, each in entrance.heads] == [size]


async def test_late_body_is_refused_and_the_connection_closed(ask, entrance):
    """Inbound timers: a body that stops half-way gets 408; aiohttp alone would wait for ever."""
    answer = await ask(post(b"Content-Length: 100\r\n", b"half"))

    assert status(answer) == 408
    assert [refusal.fault.type for refusal in entrance.refused] == ["NET_BODY_TIMEOUT"]


@pytest.mark.case("BODY-03")
@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"gzip, identity"])
async def test_encoded_body_is_refused_from_its_headers(ask, entrance, encoding):
    """Decision 28: 415 before the body is read, since inflating it would cost memory and lose the signed bytes."""
    answer = await ask(post(b"Content-Length: 900\r\nContent-Encoding: " + encoding + b"\r\n"))

    assert status(answer) == 415
    assert entrance.taken == []


@pytest.mark.case("BODY-03")
async def test_bomb_is_refused_unopened(ask, entrance):
    """Decision 28: 1 MiB that would be 1 GiB costs its own size at the most."""
    bomb = zeros(1024 * MIB)
    request = post(sized(bomb) + b"Content-Encoding: gzip\r\n", bomb)

    with not_growing(5 * MIB):
        answer = await ask(request)

    assert not answer or status(answer) == 415
    assert entrance.taken == []


@pytest.mark.case("BODY-11")
@pytest.mark.parametrize(
    "kind", [b"text/plain", b"multipart/form-data; boundary=x", b"application/json;charset=utf-16"]
)
async def test_other_content_types_are_refused(ask, kind):
    """Error table: 415 for anything but JSON in UTF-8."""
    head = b"POST /search HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nContent-Type: " + kind

    assert status(await ask(head + b"\r\n\r\n{}")) == 415


@pytest.mark.case("BODY-11")
async def test_missing_content_type_is_refused(ask):
    """Error table: 415."""
    answer = await ask(b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")

    assert status(answer) == 415


@pytest.mark.case("BODY-16")
async def test_headers_over_the_total_limit_are_refused(ask, entrance):
    """Limits table: 16 KiB of headers in all, which aiohttp itself does not limit."""
    many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(20))

    answer = await ask(post(sized(b"{}") + many, b"{}"))

    assert status(answer) == 431
    assert entrance.taken == []


@pytest.mark.case("BODY-16")
@pytest.mark.parametrize("lines", [b"Authorization: " + b"x" * 1_000_000 + b"\r\n", b"X: y\r\n" * 5_000])
async def test_headers_over_the_parsers_limits_are_refused(ask, entrance, lines):
    """Limits table: a line over 8,190 bytes or more than 64 lines end at the parser: 400, or just the end."""
    answer = await ask(post(sized(b"{}") + lines, b"{}"))

    assert not answer or status(answer) == 400
    assert entrance.taken == []


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"OPTIONS"])
async def test_other_methods_are_refused(ask, method):
    """Error table: 405 as a NACK, with the method that is allowed."""
    answer = await ask(method + b" /search HTTP/1.1\r\n" + JSON + b"Content-Length: 0\r\n\r\n")

    assert status(answer) == 405
    assert b"Allow: POST" in answer
    assert b"NACK" in answer


async def test_unknown_path_is_refused_with_a_nack(ask):
    """Error table: 404 with NACK body, in an application of our own."""
    answer = await ask(post(sized(b"{}"), b"{}", path=b"/nowhere"))

    assert status(answer) == 404
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["message"]["ack"]["status"] == "NACK"


@pytest.mark.case("BODY-15")
@pytest.mark.parametrize("path", [b"http://other/search", b"http://other/nowhere"])
async def test_absolute_target_is_refused(ask, entrance, path):
    """aiohttp takes it and changes the request's host; we answer 400."""
    answer = await ask(post(sized(b"{}"), b"{}", path=path))

    assert status(answer) == 400
    assert entrance.taken == []


@pytest.mark.case("BODY-15")
@pytest.mark.parametrize(
    "head",
    [
        JSON + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n",
        JSON + b"Content-Length : 2\r\n",
        JSON + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n",
        b"Host: x\nContent-Type: application/json\r\nContent-Length: 2\r\n",
    ],
)
async def test_ambiguous_request_ends_the_connection(ask, entrance, head):
    """Smuggling: 400, and the request that follows on the same connection is not executed."""
    answer = await ask(b"POST /search HTTP/1.1\r\n" + head + b"\r\n{}" + post(sized(b"{}"), b"{}"))

    assert status(answer) == 400
    assert entrance.taken == []


async def test_malformed_chunks_are_refused(ask, entrance):
    """Error table: a body that breaks the rules of HTTP is never passed on."""
    answer = await ask(post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"))

    assert status(answer) == 400
    assert entrance.taken == []


async def test_body_that_breaks_off_changes_nothing(server, entrance):
    """Decision 28: only whole bodies are taken."""
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(post(b"Content-Length: 100\r\n", b"half"))
    await writer.drain()

    writer.transport.abort()
    await asyncio.wait_for(entrance.has_refused.wait(), 10)

    assert entrance.taken == []


async def test_client_that_waits_for_permission_is_asked_to_go_on(server, entrance):
    """RFC 9110 section 10.1.1: `Expect: 100-continue` gets its 100 once the headers are fine."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(post(sized(b"{}") + b"Expect: 100-continue\r\n"))

    permission = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"{}")
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert (status(permission), status(answer)) == (100, 200)


async def test_client_that_waits_for_permission_is_refused_from_its_headers(ask):
    """Limits table: a body over the limit is not even asked for."""
    answer = await ask(post(b"Content-Length: 1001\r\nExpect: 100-continue\r\n"))

    assert status(answer) == 413


async def test_unforeseen_error_is_a_nack(entrance, transport):
    """Error table: 500 UHI-1407 with a NACK body, whatever broke inside."""

    async def broken(inbound: object) -> object:
        raise RuntimeError("secret")

    entrance.take = broken
    async with serve(application(entrance)) as server:
        reply = await transport.post(f"{server.url}/search", body=b"{}", headers={}, timeout=5)

    assert (reply.status, b"NACK" in reply.body, b"secret" in reply.body) == (500, True, False)


async def test_routes_mounted_on_a_strangers_application_keep_our_limits(entrance, transport):
    """Decision 28: the host's own limits, larger or smaller, do not count on our paths."""
    app = web.Application(client_max_size=10)
    add_routes(app, entrance, prefix="/uhi/")
    async with serve(app) as server:
        taken = await transport.post(f"{server.url}/uhi/search", body=b"x" * 1_000, headers={}, timeout=5)
        refused = await transport.post(f"{server.url}/uhi/search", body=b"x" * 1_001, headers={}, timeout=5)

    assert (taken.status, refused.status) == (200, 413)


async def test_strangers_application_that_inflates_gets_no_encoded_body(entrance):
    """Decision 28: the encoding is refused from the headers, so the host has nothing to inflate."""
    app = web.Application()
    add_routes(app, entrance)
    runner = web.AppRunner(app, lingering_time=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(post(b"Content-Encoding: gzip\r\nContent-Length: 900\r\n"))
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    await runner.cleanup()

    assert status(answer) == 415


async def test_taken_port_is_a_setup_error(server, entrance):
    """Ours: the operator is told before the first request."""
    with pytest.raises(SetupError, match=f"cannot listen on 127.0.0.1:{server.port}"):
        async with serve(application(entrance), port=server.port):
            pass


async def test_servers_that_agree_share_a_port(entrance, transport):
    """Decision 41: workers of one gateway are on one port; the kernel gives each connection to one of them."""
    async with serve(application(entrance), reuse_port=True) as first:
        async with serve(application(entrance), port=first.port, reuse_port=True):
            pass
        left = await transport.post(f"{first.url}/search", body=b"{}", headers={}, timeout=5)

    assert left.status == 200


async def test_answers_name_no_versions(ask):
    """Security reference: peers learn nothing about the libraries behind an address."""
    answer = await ask(post(sized(b"{}"), b"{}"))

    assert b"Server: uhi-network\r\n" in answer


async def test_bytes_of_a_malformed_request_stay_out_of_the_log(ask, caplog):
    """Log redaction: the parser's text quotes what it refuses."""
    await ask(b"POST /search HTTP/1.1\r\nBad Header Aadhaar 1234\r\n\r\n")

    assert "a malformed HTTP request was refused" in caplog.text
    assert "1234" not in caplog.text

"""Streams behind the door: events and sockets, who is let in, how many, for how long, and how each ends."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from pydantic import Field

from tests.api.asking import application_of
from tests.api.ward import EVIL, FRIEND, OWN, Kept, codes
from uhi.api import describe
from uhi.api.routes import Body, Call, Ended, Event, Routes, Stream
from uhi.api.streams import StreamLimits
from uhi.errors import Refusal
from uhi.faults import OVERLOADED, RECORD_MISSING, TOKEN_INVALID
from uhi.http import serve
from uhi.identity import Permission, Principal, Rule

TOKEN = {"Authorization": "Bearer token-1"}
COOKIE = {"Cookie": "__Host-uhi=cookie-1"}
UPGRADE = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Upgrade": "websocket"}
HANDSHAKE = {**UPGRADE, "Connection": "Upgrade"}
KINDS = pytest.mark.parametrize("path", ["/v1/events", "/v1/socket"])


class Query(Body):
    what: str = Field(default="two", max_length=20)


class Tap:
    """What the streams here pour; `closed` is set when one has ended, `let_go` lets a waiting one go on."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.let_go = asyncio.Event()
        self.routes = Routes("tap")
        rule = Rule(Permission.RECORDS_OWN)
        self.routes.stream("events", "/v1/events", rule, body=Query, event=Kept)(self.hear)
        self.routes.stream("socket", "/v1/socket", rule, body=Query, event=Kept)(self.join)

    async def hear(self, call: Call[Query]) -> Stream | None:
        """Hear what is kept."""
        if call.body.what == "foreign":
            raise Refusal(RECORD_MISSING)
        return None if call.body.what == "nothing" else self.pour(call)

    async def join(self, call: Call[Query]) -> Stream | None:
        """Join what is kept."""
        return await self.hear(call)

    async def pour(self, call: Call[Query]) -> Stream:
        try:
            yield Event("kept", Kept(text=f"after {call.last_event or 'all'}", by=call.principal.id), id="1")
            if call.body.what == "wait":
                await self.let_go.wait()
            if call.body.what == "refuse":
                raise Refusal(OVERLOADED, "the secret 98765")
            if call.body.what == "break":
                raise RuntimeError("the secret 98765")
            if call.body.what == "slow":
                yield Ended(1013, "too slow")
            while call.body.what == "flood":
                yield Event("kept", Kept(text="x" * 200_000, by=""))
            yield Event("kept", Kept(text="two\nlines", by=""), id="2")
        finally:
            self.closed.set()


@pytest.fixture
def tap() -> Tap:
    return Tap()


@pytest.fixture
def open_tap(tap, around, client):
    """Serves the streams under some limits; gives the address."""

    @asynccontextmanager
    async def opened(**limits: float):
        app = application_of([tap.routes], replace(around, streams=StreamLimits(**limits)))
        async with serve(app) as server:
            yield server.url

    return opened


async def read(response: aiohttp.ClientResponse) -> list[str]:
    """Everything that was said, in blocks."""
    return (await response.text()).strip().split("\n\n")


async def test_events_carry_names_ids_and_data(open_tap, client):
    """WHATWG, server-sent events: name, id and data of each on a line; ours: the end is an event too."""
    async with open_tap() as url, client.get(f"{url}/v1/events", headers=TOKEN) as response:
        blocks = await read(response)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert blocks[0] == 'id: 1\nevent: kept\ndata: {"text":"after all","by":"acc-1"}'
    assert blocks[1] == 'id: 2\nevent: kept\ndata: {"text":"two\\nlines","by":""}'
    assert blocks[2] == 'event: closed\ndata: {"code":1000,"reason":"complete"}'


async def test_reader_goes_on_after_the_last_event_it_has_seen(open_tap, client):
    """WHATWG, server-sent events: a reader that comes again names the last id."""
    headers = {**TOKEN, "Last-Event-ID": "41"}

    async with open_tap() as url, client.get(f"{url}/v1/events", headers=headers) as response:
        assert "after 41" in (await read(response))[0]


async def test_nothing_more_to_come_ends_the_coming_again(open_tap, client):
    """WHATWG, server-sent events: a browser does not connect again after 204."""
    async with open_tap() as url, client.get(f"{url}/v1/events?what=nothing", headers=TOKEN) as response:
        assert (response.status, await response.text()) == (204, "")


async def test_socket_says_the_same_and_closes(open_tap, client):
    """RFC 6455: 1000 is the end of what was asked for."""
    async with open_tap() as url, client.ws_connect(f"{url}/v1/socket", headers=TOKEN) as socket:
        told = [json.loads((await socket.receive()).data) for _ in range(2)]
        end = await socket.receive()

    assert told[1] == {"event": "kept", "id": "2", "data": {"text": "two\nlines", "by": ""}}
    assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1000, "complete")


async def test_quiet_stream_shows_that_it_lives(open_tap, client):
    """Ours: what sits between drops a connection on which nothing is said."""
    async with (
        open_tap(quiet_seconds=0.05) as url,
        client.get(f"{url}/v1/events?what=wait", headers=TOKEN) as response,
    ):
        lines = [await response.content.readline() for _ in range(5)]

    assert lines[-1] == b": ping\n"


@pytest.mark.case("IAM-12")
@KINDS
@pytest.mark.parametrize(
    "headers",
    [
        {**TOKEN, "Origin": EVIL},
        {**COOKIE, "Origin": EVIL},
        {**COOKIE, "Origin": FRIEND},
        COOKIE,
        {**COOKIE, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_other_sites_are_not_let_in(path, headers, open_tap, client, trail):
    """Acceptance IAM-12: a browser opens a stream for any page, and sends our cookie along."""
    async with open_tap() as url, client.get(url + path, headers={**HANDSHAKE, **headers}) as response:
        problem = await response.json()

    assert (response.status, problem["code"]) == (403, "IAM_ORIGIN_REFUSED")
    assert codes(trail.written)[-1][2] == "IAM_ORIGIN_REFUSED"


@pytest.mark.parametrize(
    "headers",
    [{**TOKEN, "Origin": FRIEND}, {**COOKIE, "Origin": OWN}, {**COOKIE, "Sec-Fetch-Site": "same-origin"}, TOKEN],
)
@KINDS
async def test_pages_of_our_own_and_listed_ones_are_let_in(path, headers, open_tap, client):
    """Ours: an EventSource sends no Origin to its own site, but says that it is the same; apps send neither."""
    shown = FRIEND if headers.get("Origin") == FRIEND else None
    more = HANDSHAKE if path == "/v1/socket" else {}

    async with open_tap() as url, client.get(url + path, headers={**headers, **more}) as response:
        assert response.status == (101 if more else 200)
        assert response.headers.get("Access-Control-Allow-Origin") == shown


@pytest.mark.parametrize(
    ("token", "query", "status"),
    [("", "", 401), ("Bearer no", "", 401), ("Bearer token-1", "?what=foreign", 404), ("Bearer token-1", "?t=1", 400)],
)
async def test_refusals_come_as_problems_before_the_stream(token, query, status, open_tap, client):
    """Ours: who may not is told as everywhere, on a socket before the handshake."""
    headers = {**HANDSHAKE, **({"Authorization": token} if token else {})}

    async with open_tap() as url:
        for path in ("/v1/events", "/v1/socket"):
            async with client.get(url + path + query, headers=headers) as response:
                assert response.status == status
                assert response.content_type == "application/problem+json"


async def test_what_is_no_handshake_is_a_problem(open_tap, client):
    """RFC 6455: a WebSocket begins with an upgrade."""
    async with open_tap() as url, client.get(f"{url}/v1/socket", headers=TOKEN) as response:
        assert (response.status, (await response.json())["code"]) == (400, "API_REQUEST_INVALID")


async def test_one_person_has_so_many_streams(open_tap, client, tap):
    """Issue, patient side: open streams of one account are limited; one that ends makes room."""
    async with open_tap(most_of_one=1) as url, client.get(f"{url}/v1/events?what=wait", headers=TOKEN):
        async with client.get(f"{url}/v1/events", headers=TOKEN) as second:
            assert (second.status, second.headers["Retry-After"]) == (429, "1")
        tap.let_go.set()
        await tap.closed.wait()
        async with client.get(f"{url}/v1/events", headers=TOKEN) as third:
            assert third.status in (200, 429)


async def test_reader_that_reconnects_at_once_is_not_counted_twice(open_tap, client):
    """Ours: a page that is loaded again, or a phone that changes networks, is never told that it has too many."""
    async with open_tap(most_of_one=2) as url:
        for _ in range(6):
            async with client.get(f"{url}/v1/events?what=wait", headers=TOKEN) as response:
                assert response.status == 200
                await response.content.readline()
            socket = await client.ws_connect(f"{url}/v1/socket?what=wait", headers=TOKEN, autoclose=False)
            await socket.receive()
            await socket.close()


async def test_all_together_have_so_many_streams(open_tap, client):
    """Ours: beyond what is meant to be open others wait, and nobody is dropped for them."""
    async with (
        open_tap(most=1) as url,
        client.get(f"{url}/v1/events?what=wait", headers=TOKEN),
        client.get(f"{url}/v1/events", headers=TOKEN) as second,
    ):
        assert second.status == 503


@pytest.mark.parametrize("opened", ["get", "ws_connect"])
async def test_source_ends_when_the_reader_goes(opened, open_tap, client, tap):
    """Issue, patient side: everything is cancelled when the client goes away."""
    path = "/v1/events" if opened == "get" else "/v1/socket"
    async with open_tap(quiet_seconds=0.05) as url:
        async with getattr(client, opened)(f"{url}{path}?what=wait", headers=TOKEN) as reader:
            await (reader.content.readline() if opened == "get" else reader.receive())
        reader.close() if opened == "get" else await reader.close()

        await asyncio.wait_for(tap.closed.wait(), 10)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/socket"])
async def test_reader_that_does_not_read_is_cut_off(path, open_tap, tap):
    """Issue, patient side: a slow reader is dropped and blocks nobody."""
    async with open_tap(write_seconds=0.1) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1_024)
        more = HANDSHAKE if path == "/v1/socket" else {}
        lines = [f"{name}: {value}" for name, value in {"Host": host, **TOKEN, **more}.items()]
        writer.write("\r\n".join([f"GET {path}?what=flood HTTP/1.1", *lines, "", ""]).encode())

        await asyncio.wait_for(tap.closed.wait(), 10)
        writer.close()


async def test_source_may_say_why_it_ends(open_tap, client):
    """Ours: a reader that is dropped learns that it was too slow."""
    async with open_tap() as url:
        async with client.get(f"{url}/v1/events?what=slow", headers=TOKEN) as response:
            assert (await read(response))[-1] == 'event: closed\ndata: {"code":1013,"reason":"too slow"}'
        async with client.ws_connect(f"{url}/v1/socket?what=slow", headers=TOKEN) as socket:
            await socket.receive()
            assert ((await socket.receive()).data, socket.close_code) == (1013, 1013)


async def test_refusal_under_way_is_the_reason_of_the_end(open_tap, client):
    """Ours: once the head is out a problem can only be named, by its code."""
    async with open_tap() as url, client.get(f"{url}/v1/events?what=refuse", headers=TOKEN) as response:
        assert (await read(response))[-1] == 'event: closed\ndata: {"code":1011,"reason":"NET_OVERLOADED"}'


async def test_failure_under_way_cuts_the_stream_and_is_logged_without_its_text(open_tap, client, caplog):
    """Decision on errors: a failure's own text may quote a patient."""
    async with open_tap() as url:
        with caplog.at_level(logging.ERROR):
            async with client.get(f"{url}/v1/events?what=break", headers=TOKEN) as response:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await response.read()
            async with client.ws_connect(f"{url}/v1/socket?what=break", headers=TOKEN) as socket:
                await socket.receive()
                await socket.receive()

    assert socket.close_code == 1006
    assert caplog.text.count("RuntimeError") == 2
    assert "98765" not in caplog.text


async def test_reader_of_a_socket_says_nothing(open_tap, client, tap):
    """RFC 6455, 1003: data that is not expected."""
    async with open_tap() as url, client.ws_connect(f"{url}/v1/socket?what=wait", headers=TOKEN) as socket:
        await socket.receive()
        await socket.send_str("hello")
        await socket.receive()

    assert socket.close_code == 1003
    await asyncio.wait_for(tap.closed.wait(), 10)


async def test_stream_lasts_no_longer_than_its_token(open_tap, client):
    """Ours: who reads is asked for a proof again, at the latest after the life of an access token."""
    async with (
        open_tap(seconds=0.1) as url,
        client.ws_connect(f"{url}/v1/socket?what=wait", headers=TOKEN) as socket,
    ):
        await socket.receive()
        await socket.receive()

    assert socket.close_code == 1001


@pytest.mark.parametrize("headers", [TOKEN, COOKIE | {"Origin": OWN}])
async def test_stream_ends_soon_after_its_reader_has_signed_out(open_tap, client, around, monkeypatch, headers):
    """Security rules, IAM: what is revoked counts no more, also for what is open; an overloaded moment ends nothing."""

    async def away(_: str) -> Principal:
        monkeypatch.setattr(type(around.doorkeeper.proofs), by, signed_out)
        raise Refusal(OVERLOADED)

    async def signed_out(_: object, __: str) -> Principal:
        raise Refusal(TOKEN_INVALID)

    by = "by_token" if headers is TOKEN else "by_cookie"
    async with (
        open_tap(proof_seconds=0.05) as url,
        client.ws_connect(f"{url}/v1/socket?what=wait", headers=headers) as socket,
    ):
        await socket.receive()
        monkeypatch.setattr(type(around.doorkeeper.proofs), by, lambda _, proof: away(proof))
        await socket.receive()

    assert socket.close_code == 1008


async def test_program_that_stops_sends_its_readers_elsewhere(open_tap, client, tap):
    """Ours: a deployment ends streams at once, and readers come again to another process."""
    async with open_tap() as url:
        response = await client.get(f"{url}/v1/events?what=wait", headers=TOKEN)

    assert (await read(response))[-1] == 'event: closed\ndata: {"code":1001,"reason":"going away"}'
    assert tap.closed.is_set()


def test_description_tells_of_both(tap):
    """Issue, patient side: OpenAPI describes the events; of a WebSocket it can only tell in words."""
    paths = describe([tap.routes], title="Taps", version="1")["paths"]

    events, socket = paths["/v1/events"]["get"], paths["/v1/socket"]["get"]
    assert events["responses"]["200"]["content"]["text/event-stream"]["schema"] == {"$ref": "#/components/schemas/Kept"}
    assert "204" in events["responses"]
    assert "WebSocket" in socket["description"]
    assert events["operationId"] == "hear"

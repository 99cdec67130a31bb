"""The door of a REST interface over real sockets: what reaches a route, and what every answer carries."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from tests.api.asking import application_of, asker
from tests.api.ward import PATIENT, codes, slower, ward
from uhi.api.doorkeeper import Pace
from uhi.api.routes import Call, Nothing, Routes
from uhi.http import ServerLimits, serve
from uhi.identity.rules import PUBLIC

TOKEN = {"Authorization": "Bearer token-1"}


async def test_body_reaches_its_route_as_a_model(ask):
    """Ours: JSON in, model, answer's model, JSON out, with the route's status."""
    got = await ask("POST", "/v1/notes", json={"text": "hello"}, headers=TOKEN)

    assert (got.status, got.json) == (201, {"text": "hello", "by": "acc-1"})


async def test_query_reaches_its_route_as_a_model(ask):
    """Ours: what a GET is asked stands in its query, and is read by the same kind of model."""
    got = await ask("GET", "/v1/notes?page=3&q=ear", headers={"Authorization": "Bearer uhi_live_1_x"})

    assert got.json == {"text": "ear 3", "by": "key-1"}


async def test_route_without_an_answer_gives_204(ask):
    """RFC 9110: no content has no type."""
    got = await ask("DELETE", "/v1/notes", headers=TOKEN)

    assert (got.status, got.text, "Content-Type" in got.headers) == (204, "", False)


@pytest.mark.parametrize(
    ("method", "path", "options", "refused"),
    [
        ("POST", "/v1/notes", {"json": {"text": "a", "role": "registry.admin"}}, (400, "API_REQUEST_INVALID")),
        ("POST", "/v1/notes", {"json": {"text": 1}}, (400, "API_REQUEST_INVALID")),
        ("POST", "/v1/notes", {"json": {"text": "a", "urgent": "true"}}, (400, "API_REQUEST_INVALID")),
        ("POST", "/v1/notes", {"json": ["a"]}, (400, "API_REQUEST_INVALID")),
        ("POST", "/v1/notes", {"data": b"{"}, (400, "SCH_INVALID_JSON")),
        ("POST", "/v1/notes", {"data": b'{"text":"a","text":"b"}'}, (400, "SCH_INVALID_JSON")),
        ("POST", "/v1/notes?page=1", {"json": {"text": "a"}}, (400, "API_REQUEST_INVALID")),
        ("POST", "/v1/notes", {"data": b"x" * 1_001}, (413, "NET_PAYLOAD_TOO_LARGE")),
        ("GET", "/v1/notes?page=0", {}, (400, "API_REQUEST_INVALID")),
        ("GET", "/v1/notes?other=1", {}, (400, "API_REQUEST_INVALID")),
        ("GET", "/v1/notes?page=1&page=2", {}, (400, "API_REQUEST_INVALID")),
        ("GET", "/v1/notes?q=%00", {}, (400, "API_REQUEST_INVALID")),
        ("GET", "/v1/records/a%00b", {}, (404, "API_RECORD_MISSING")),
        ("DELETE", "/v1/notes", {"json": {}}, (400, "API_REQUEST_INVALID")),
        ("PUT", "/v1/notes", {"json": {}}, (405, "API_METHOD_NOT_SERVED")),
    ],
)
async def test_wrong_request_is_refused_with_a_problem(ask, method, path, options, refused):
    """Ours: whoever asks wrongly is told by status, code and a fixed sentence."""
    key = "uhi_live_1_x" if (method, path[:9]) == ("GET", "/v1/notes") else "token-1"
    headers = (
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        if options
        else {"Authorization": f"Bearer {key}"}
    )

    got = await ask(method, path, headers=headers, **options)

    assert (got.status, got.json["code"]) == refused
    assert got.headers["Content-Type"] == "application/problem+json"
    assert got.json["request_id"] == got.headers["X-Request-Id"]


async def test_problem_names_the_place_and_repeats_nothing(ask):
    """Ours: the mistakes are told by path and fixed text; names and values that were sent are not echoed."""
    got = await ask("POST", "/v1/notes", json={"text": "98765" * 9, "ravi": "43210"}, headers=TOKEN)

    assert got.json["errors"] == [
        {"path": "text", "message": "is to have at most 20 characters"},
        {"path": "", "message": "holds a name that is not known here; known are text, urgent"},
    ]
    assert not any(sent in got.text for sent in ("98765", "ravi", "43210"))


async def test_other_content_is_refused_before_it_is_read(ask):
    """Security rules: no Content-Encoding, nothing but JSON."""
    encoded = await ask("POST", "/v1/notes", data=b"{}", headers={**TOKEN, "Content-Encoding": "gzip"})
    form = await ask("POST", "/v1/notes", data={"text": "a"}, headers=TOKEN)

    assert (encoded.status, form.status) == (415, 415)


async def test_slow_body_is_cut_off(server):
    """Security rules: a body has its time from the headers to the last byte; then 408 and the connection ends."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(
        b"POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    )

    answer = await asyncio.wait_for(reader.read(), 10)

    assert answer.startswith(b"HTTP/1.1 408")
    writer.close()


async def test_answer_that_takes_too_long_is_given_up(around, client):
    """Security rules, handler 5 s: 503 and Retry-After; what was begun comes to its end."""
    slow, may_end, has_ended = Routes("slow"), asyncio.Event(), asyncio.Event()

    @slow.route("POST", "/v1/slow", PUBLIC, body=Nothing, answer=None)
    async def take_long(_: Call[Nothing]) -> None:
        """Take long."""
        await may_end.wait()
        has_ended.set()

    hurried = replace(around, limits=ServerLimits(handler_seconds=0.05))
    async with serve(application_of([slow], hurried)) as server:
        got = await asker(client, server.url)("POST", "/v1/slow")
        may_end.set()
        await has_ended.wait()

    assert (got.status, got.json["code"], got.headers["Retry-After"]) == (503, "NET_OVERLOADED", "1")


@pytest.mark.case("IAM-11")
async def test_unforeseen_error_shows_and_logs_nothing(ask, caplog):
    """Security rules, 500 page: no text of an error reaches a peer or the log, only its kind and place."""
    with caplog.at_level(logging.INFO):
        got = await ask("GET", "/v1/broken")

    assert (got.status, got.json["title"]) == (500, "An unforeseen error occurred.")
    assert not any(told in got.text + caplog.text for told in ("98765", "43210", "secret", "Traceback"))
    assert "RuntimeError" not in got.text
    assert "unforeseen RuntimeError" in caplog.text


async def test_refusal_of_a_route_shows_its_sentence_only(ask):
    """Ours: what an operator reads is not what a peer is told."""
    got = await ask("GET", "/v1/closed")

    assert (got.status, got.json["title"]) == (409, "The record's state does not allow this.")
    assert got.json["errors"] == [{"path": "state", "message": "expected an open one"}]
    assert "98765" not in got.text


@pytest.mark.parametrize("path", ["/v1/notes", "/v1/closed", "/v1/broken", "/v1/records/pat-1"])
async def test_every_answer_carries_the_security_headers(ask, path):
    """Ours: nothing is kept, framed, sniffed or told to the next page."""
    got = await ask("GET", path, headers=TOKEN)

    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert got.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert got.headers["Referrer-Policy"] == "no-referrer"
    assert got.headers["Server"] == "uhi-network"


@pytest.mark.parametrize(
    "cookie", ["__Host-uhi", "__Host-uhi=", '__Host-uhi="', "__Host-uhi=\x80", "a b;=;;", "__Host-uhi=a; __Host-uhi=b"]
)
async def test_cookie_that_is_none_signs_nobody_in(ask, cookie):
    """Ours: whatever a browser sends in its place, it is one of ours or it proves nothing."""
    got = await ask("GET", "/v1/records/pat-1", headers={"Cookie": cookie})

    assert got.status == 401


async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(ask):
    """Security rules, browser: `__Host-`, HttpOnly, Secure, SameSite, Path=/."""
    got = await ask("POST", "/v1/enter")

    assert got.json["by"] == ""
    parts = {part.strip() for part in got.headers["Set-Cookie"].split(";")}
    assert parts == {"__Host-uhi=cookie-9", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=60"}


async def test_allowed_methods_are_told(ask):
    """RFC 9110: a 405 names what is allowed."""
    got = await ask("PATCH", "/v1/notes", headers=TOKEN)

    assert (got.status, got.headers["Allow"]) == (405, "DELETE, GET, POST")


@pytest.mark.case("REG-08")
@pytest.mark.parametrize(
    ("headers", "path", "told"),
    [
        ({}, "/v1/notes", ("nobody", "IAM_SIGN_IN_REQUIRED")),
        ({"Authorization": "Bearer nonsense"}, "/v1/notes", ("nobody", "IAM_TOKEN_INVALID")),
        ({"Authorization": "Basic nonsense"}, "/v1/notes", ("nobody", "IAM_TOKEN_INVALID")),
        (TOKEN, "/v1/notes", ("acc-1", "IAM_ACCESS_DENIED")),
        (TOKEN, "/v1/records/pat-2", ("acc-1", "API_RECORD_MISSING")),
    ],
)
async def test_refused_call_is_audited(ask, trail, headers, path, told):
    """Security rules, audit: who was refused what, and why; a foreign record is answered as a missing one."""
    got = await ask("GET", path, headers=headers)

    action = "ward.find_notes" if path == "/v1/notes" else "ward.read_record"
    assert got.json["code"] == told[1]
    assert codes(trail.written) == [(told[0], action, told[1])]
    assert trail.written[0].object == f"GET {path}"


async def test_read_of_a_patients_record_is_audited_before_it_is_given(ask, trail):
    """Security rules, audit: every read of patient data; without its row nothing goes out."""
    given = await ask("GET", "/v1/records/pat-1", headers=TOKEN)
    trail.is_full = True
    withheld = await ask("GET", "/v1/records/pat-1", headers=TOKEN)

    assert (given.status, withheld.status) == (200, 503)
    assert [(entry.actor, entry.action, entry.object) for entry in trail.written] == [
        (PATIENT.id, "ward.read_record", "GET /v1/records/pat-1")
    ]
    assert "fever" not in withheld.text


async def test_too_many_requests_of_an_address_wait(client, around):
    """Security rules: 429 with Retry-After; public routes have a narrower limit than the others."""
    async with serve(application_of([ward], slower(around, Pace(public=2, all=5)))) as server:
        ask = asker(client, server.url)
        public = [(await ask("POST", "/v1/enter")).status for _ in range(3)]
        others = [await ask("DELETE", "/v1/notes", headers=TOKEN) for _ in range(3)]

    assert public == [200, 200, 429]
    assert [got.status for got in others] == [204, 204, 429]
    assert int(others[-1].headers["Retry-After"]) >= 1


async def test_flood_of_requests_does_not_fill_the_audit_trail(client, around, trail):
    """Ours: nothing is ever deleted from the trail, so what is turned away unseen is only logged."""
    async with serve(application_of([ward], slower(around, Pace(public=1, all=2)))) as server:
        ask = asker(client, server.url)
        got = [(await ask("GET", "/v1/records/pat-1")).status for _ in range(6)]

    assert got == [401, 401, 429, 429, 429, 429]
    assert [entry.reason for entry in trail.written] == ["IAM_SIGN_IN_REQUIRED"] * 2


async def test_health_pages_stand_beside_the_routes(ask):
    """Ours: a proxy asks whether the program lives."""
    assert (await ask("GET", "/healthz")).status == 200

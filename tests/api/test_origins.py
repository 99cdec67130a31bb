"""Requests that other sites' pages send: with our cookie, with a token, and beforehand."""

from __future__ import annotations

import pytest

from tests.api.ward import EVIL, FRIEND, OWN
from uhi.api.idempotency import KEY_HEADER, REPLAYED
from uhi.api.streams import LAST_EVENT

COOKIE = {"Cookie": "__Host-uhi=cookie-1"}
CSRF = {"X-CSRF-Token": "csrf-1"}
TOKEN = {"Authorization": "Bearer token-1"}
NOTE = {"text": "a"}


async def test_own_page_acts_with_its_cookie_and_token(ask):
    """Security rules, browser: cookie, CSRF token and an origin of ours together."""
    got = await ask("POST", "/v1/notes", json=NOTE, headers={**COOKIE, **CSRF, "Origin": OWN})

    assert (got.status, got.json["by"]) == (201, "acc-1")


@pytest.mark.case("IAM-14")
@pytest.mark.case("IAM-12")
@pytest.mark.parametrize(
    "others",
    [
        {"Origin": EVIL, **CSRF},
        {"Origin": FRIEND, **CSRF},
        {"Origin": "null", **CSRF},
        {"Origin": f"{OWN}.evil.example", **CSRF},
        {"Sec-Fetch-Site": "cross-site", **CSRF},
        {"Sec-Fetch-Site": "same-site", **CSRF},
        {"Sec-Fetch-Site": "none", **CSRF},
        CSRF,
        {"Origin": OWN},
        {"Origin": OWN, "X-CSRF-Token": "csrf-2"},
        {"Origin": OWN, "X-CSRF-Token": ""},
    ],
)
@pytest.mark.parametrize(("method", "body"), [("POST", NOTE), ("DELETE", None)])
async def test_cross_site_request_with_a_cookie_is_refused(ask, others, method, body):
    """Security rules, browser: neither another site's page nor one without the CSRF token acts with our cookie."""
    got = await ask(method, "/v1/notes", json=body, headers={**COOKIE, **others})

    assert (got.status, got.json["code"]) == (403, "IAM_ORIGIN_REFUSED")
    assert "Access-Control-Allow-Origin" not in got.headers or others.get("Origin") == FRIEND


async def test_reading_with_a_cookie_takes_no_csrf_token(ask):
    """Ours: a GET changes nothing, and no other page reads its answer."""
    got = await ask("GET", "/v1/records/pat-1", headers={**COOKIE, "Origin": EVIL})

    assert got.status == 200
    assert "Access-Control-Allow-Origin" not in got.headers


@pytest.mark.case("IAM-14")
async def test_unlisted_page_is_told_nothing_beforehand(ask):
    """Security rules: a preflight from elsewhere gets no allowance."""
    got = await ask("OPTIONS", "/v1/notes", headers={"Origin": EVIL, "Access-Control-Request-Method": "POST"})

    assert got.status == 405
    assert not [name for name in got.headers if name.startswith("Access-Control")]


async def test_listed_page_may_ask_with_a_token_and_read(ask):
    """Ours: a page that is listed calls with an access token, never with a cookie."""
    before = await ask("OPTIONS", "/v1/notes", headers={"Origin": FRIEND, "Access-Control-Request-Method": "POST"})
    got = await ask("POST", "/v1/notes", json=NOTE, headers={**TOKEN, "Origin": FRIEND})

    assert (before.status, got.status) == (204, 201)
    assert got.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Credentials" not in {**before.headers, **got.headers}


async def test_listed_page_may_send_what_routes_take(ask):
    """Ours: every header that a route reads of a program, from a page elsewhere too; a booking takes a key."""
    asked = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}

    before = await ask("OPTIONS", "/v1/notes", headers=asked)

    allowed = set(before.headers["Access-Control-Allow-Headers"].split(", "))
    assert allowed == {"Authorization", "Content-Type", KEY_HEADER, LAST_EVENT}
    assert REPLAYED in before.headers["Access-Control-Expose-Headers"]


async def test_unlisted_page_is_refused_even_with_a_token(ask):
    """Ours: a page that nobody listed changes nothing here, whatever it holds."""
    got = await ask("POST", "/v1/notes", json=NOTE, headers={**TOKEN, "Origin": EVIL})

    assert (got.status, got.json["code"]) == (403, "IAM_ORIGIN_REFUSED")


async def test_other_sites_do_not_sign_a_browser_in(ask):
    """Ours: a page elsewhere must not put its own session into a visitor's browser."""
    got = await ask("POST", "/v1/enter", headers={"Origin": EVIL})

    assert (got.status, "Set-Cookie" in got.headers) == (403, False)


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer token-1"), ("Cookie", "__Host-uhi=cookie-1")],
        [("Authorization", "Bearer token-1"), ("Authorization", "Bearer token-1")],
    ],
)
async def test_two_proofs_at_once_are_refused(ask, headers):
    """Ours: who asks is told once."""
    got = await ask("GET", "/v1/records/pat-1", headers=headers)

    assert (got.status, got.json["code"]) == (400, "API_REQUEST_INVALID")


async def test_stale_cookie_bars_nobody_from_signing_in(ask):
    """Ours: a public route does not ask who somebody is."""
    got = await ask("POST", "/v1/enter", headers={"Cookie": "__Host-uhi=old", "Origin": OWN})

    assert got.status == 200

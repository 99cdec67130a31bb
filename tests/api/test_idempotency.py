"""Requests that are done once: first answers again, other requests refused, on both databases and at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import aiohttp
import pytest

from tests.api.asking import Got, application_of, asker
from tests.api.ward import Trail, surroundings
from uhi.api.idempotency import KEPT_SECONDS, KEY_HEADER, LEASE_SECONDS, REPLAYED, Idempotency
from uhi.api.openapi import describe
from uhi.api.routes import Answer, Body, Call, Nothing, Routes
from uhi.errors import Refusal
from uhi.faults import OVERLOADED, REQUEST_INVALID, STATE_REFUSED
from uhi.http import serve
from uhi.identity.roles import Permission
from uhi.identity.rules import PUBLIC, Rule
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock

OWN = Rule(Permission.RECORDS_OWN)
ASHA = {"Authorization": "Bearer token-1"}


class Wish(Body):
    what: str = ""


class Done(Answer):
    number: int


@dataclass
class Counter:
    """Routes that count how often they did something."""

    calls: int = 0
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    faults: list[Exception] = field(default_factory=list)

    def routes(self) -> Routes:
        group = Routes("counter")
        group.route("POST", "/v1/wishes", OWN, body=Wish, answer=Done, status=201)(self.wish)
        group.route("POST", "/v1/slow", OWN, body=Nothing, answer=Done)(self.slow)
        group.route("POST", "/v1/vital", OWN, body=Nothing, answer=Done, key="required")(self.vital)
        group.route("POST", "/v1/secret", OWN, body=Nothing, answer=Done, key="none")(self.secret)
        group.route("POST", "/v1/public", PUBLIC, body=Nothing, answer=Done)(self.public)
        return group

    async def wish(self, _: Call[Wish]) -> Done:
        """Count."""
        return self._count()

    async def slow(self, _: Call[Nothing]) -> Done:
        """Count once somebody says so."""
        self.entered.set()
        await self.gate.wait()
        return self._count()

    async def vital(self, _: Call[Nothing]) -> Done:
        """Count, with a key only."""
        return self._count()

    async def secret(self, _: Call[Nothing]) -> Done:
        """Count, whatever the key."""
        return self._count()

    async def public(self, _: Call[Nothing]) -> Done:
        """Count for anybody."""
        return self._count()

    def _count(self) -> Done:
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        return Done(number=self.calls)


@dataclass
class Window:
    """An interface with keys on one database, asked over HTTP."""

    counter: Counter
    keys: Idempotency
    clock: FakeClock
    database: Database
    client: aiohttp.ClientSession
    url: str

    async def post(self, path: str = "/v1/wishes", *, key: str = "k-1", **options: object) -> Got:
        headers = {**ASHA, KEY_HEADER: key} if key else ASHA
        return await asker(self.client, self.url)("POST", path, headers=headers, **options)


@pytest.fixture
async def window(database_url: str, client: aiohttp.ClientSession) -> AsyncIterator[Window]:
    """On SQLite and on PostgreSQL."""
    clock, counter = FakeClock(jumps=False), Counter()
    database = Database.open(database_url, clock=clock)
    keys = Idempotency(database, Sealing.for_development(), clock=clock)
    around = replace(surroundings(Trail(), clock), idempotency=keys)
    async with serve(application_of([counter.routes()], around)) as server:
        yield Window(counter, keys, clock, database, client, server.url)
    await database.aclose()


async def test_the_first_answer_comes_again(window):
    """Reliability rules 5: stored status and body, and the mark of a replay."""
    first = await window.post(json={"what": "tea"})
    again = await window.post(json={"what": "tea"})
    other = await window.post(key="k-2", json={"what": "tea"})

    assert (first.status, first.json, REPLAYED in first.headers) == (201, {"number": 1}, False)
    assert (again.status, again.json, again.headers[REPLAYED]) == (201, {"number": 1}, "true")
    assert (other.json, window.counter.calls) == ({"number": 2}, 2)


async def test_the_same_key_with_another_request_is_refused(window):
    """Reliability rules 5: 422; another path or another person is another scope."""
    await window.post(json={"what": "tea"})

    other = await window.post(json={"what": "milk"})
    elsewhere = await window.post("/v1/vital")

    assert (other.status, other.json["code"]) == (422, "API_KEY_REUSED")
    assert (elsewhere.status, window.counter.calls) == (200, 2)


async def test_the_same_request_under_way_is_a_conflict(window):
    """Reliability rules 5: 409, and then the answer."""
    first = asyncio.create_task(window.post("/v1/slow"))
    await window.counter.entered.wait()
    second = await window.post("/v1/slow")
    window.counter.gate.set()
    done = await first
    again = await window.post("/v1/slow")

    assert (second.json["code"], second.headers["Retry-After"]) == ("API_REQUEST_UNDER_WAY", "1")
    assert (done.json, again.json, window.counter.calls) == ({"number": 1}, {"number": 1}, 1)


async def test_of_many_at_once_one_is_done(window):
    """Issue: idempotency under concurrency: one effect, whoever comes first."""
    got = await asyncio.gather(*(window.post(json={"what": "tea"}) for _ in range(20)))

    assert {each.status for each in got} <= {201, 409}
    assert {each.json["number"] for each in got if each.status == 201} == {1}
    assert window.counter.calls == 1


@pytest.mark.parametrize("fault", [REQUEST_INVALID, OVERLOADED])
async def test_what_was_refused_before_anything_was_done_may_be_tried_again(window, fault):
    """Reliability rules 5: validation failures are not stored."""
    window.counter.faults = [Refusal(fault)]

    refused = await window.post(json={"what": "tea"})
    mended = await window.post(json={"what": "milk"})

    assert (refused.status, mended.status, mended.json) == (fault.status, 201, {"number": 2})


@pytest.mark.parametrize("error", [Refusal(STATE_REFUSED), RuntimeError("unforeseen")])
async def test_failures_of_the_first_come_again(window, error):
    """Reliability rules 5: 500s included."""
    window.counter.faults = [error]

    first = await window.post(json={"what": "tea"})
    again = await window.post(json={"what": "tea"})

    assert (first.status, again.status, again.json) == (again.status, first.status, first.json)
    assert (again.headers["Content-Type"], again.headers[REPLAYED]) == ("application/problem+json", "true")
    assert window.counter.calls == 1


async def test_a_key_is_forgotten_after_a_week(window):
    """Reliability rules 5: seven days; then the row is deleted, or made anew."""
    await window.post(json={"what": "tea"})
    window.clock.time += KEPT_SECONDS

    late = await window.post(json={"what": "milk"})
    window.clock.time += KEPT_SECONDS
    forgotten = await window.keys.tidy()

    assert (late.json, forgotten, await window.keys.tidy()) == ({"number": 2}, 1, 0)


async def test_what_a_dead_process_left_is_done_after_its_lease(window):
    """Ours: whether it was done nobody knows; the client may ask again."""
    window.counter.faults = [asyncio.CancelledError()]
    with pytest.raises(aiohttp.ClientError):
        await window.post(json={"what": "tea"})
    early = await window.post(json={"what": "tea"})
    window.clock.time += LEASE_SECONDS

    assert (early.status, (await window.post(json={"what": "tea"})).status) == (409, 201)


@pytest.mark.parametrize("key", ["", "k" * 256, "kä"])
async def test_a_key_that_is_none_is_refused(window, key):
    """Ours: required where it is required, at most 255 printable characters."""
    headers = {**ASHA, KEY_HEADER: key} if key else ASHA

    got = await asker(window.client, window.url)("POST", "/v1/vital", headers=headers)

    assert (got.status, got.json["errors"][0]["path"], window.counter.calls) == (400, KEY_HEADER, 0)


async def test_secrets_and_strangers_are_never_answered_from_what_is_kept(window):
    """Security: what gives out secrets is not kept, and nobody's answer is anybody's."""
    for path in ("/v1/secret", "/v1/public"):
        await window.post(path)
        await window.post(path)
    rows = await window.database.read(lambda on: on.exec_driver_sql("SELECT count(*) FROM idempotency").scalar_one())

    assert (window.counter.calls, rows) == (4, 0)


async def test_nothing_of_it_can_be_read_on_the_disk(window):
    """Security rules: answers are about patients, so they are sealed."""
    await window.post(key="canary-key", json={"what": "canary-wish"})

    rows = await window.database.read(lambda on: on.exec_driver_sql("SELECT * FROM idempotency").all())

    assert "canary" not in str(rows)


def test_the_description_tells_of_the_header():
    """Ours: a parameter of each POST that takes one, where the interface has it on."""
    groups = [Counter().routes()]

    on = describe(groups, title="t", version="1", has_keys=True)["paths"]
    off = describe(groups, title="t", version="1")["paths"]

    told = {path: [each["required"] for each in item["post"].get("parameters", ())] for path, item in on.items()}
    assert told == {"/v1/wishes": [False], "/v1/slow": [False], "/v1/vital": [True], "/v1/secret": [], "/v1/public": []}
    assert {"409", "422"} <= on["/v1/wishes"]["post"]["responses"].keys()
    assert not any("parameters" in item["post"] for item in off.values())

"""Health pages over real sockets: what they say, what they cost, and what they keep to themselves."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, web

from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.http import add_health, application, serve
from uhi.http.health import Finding, Health, answering, good_answer_age, outbox_lag
from uhi.ports import Backlog

Get = Callable[..., Awaitable[tuple[int, dict]]]


@pytest.fixture
def get(entrance) -> Get:
    """Serves a gateway's paths with health pages, and gets one page."""

    async def get(path: str, health: Health, *, times: int = 1) -> tuple[int, dict]:
        async with serve(application(entrance, prefix="/uhi", health=health)) as server, ClientSession() as session:
            for _ in range(times):
                async with session.get(server.url + path) as answer:
                    got = answer.status, await answer.json()
        return got

    return get


async def fine() -> Finding:
    return Finding(True, "answers", {"age_seconds": 1.5})


async def test_program_that_lives_says_so_whatever_the_checks_find(get):
    """Issue "stopping and starting": `/healthz` is about the event loop and nothing else."""

    async def bad() -> Finding:
        return Finding(False, "away")

    assert await get("/healthz", Health({"database": bad})) == (200, {"ok": True})


async def test_ready_program_shows_each_check(get):
    """Issue "stopping and starting": one entry per check, and whether it is about to stop."""
    status, told = await get("/readyz", Health({"registry": fine}))

    assert status == 200
    assert told["ready"] is True
    assert told["checks"]["registry"] == {"ok": True, "text": "answers", "facts": {"age_seconds": 1.5}}
    assert told["checks"]["draining"] == {"ok": True, "text": "no"}


async def test_one_check_that_is_not_ok_makes_the_program_unready(get):
    """Issue "stopping and starting": 503 takes it out of a load balancer's list."""

    async def away() -> Finding:
        return Finding(False, "away")

    status, told = await get("/readyz", Health({"registry": fine, "database": away}))

    assert (status, told["ready"]) == (503, False)
    assert [name for name, check in told["checks"].items() if not check["ok"]] == ["database"]


async def test_program_that_stops_is_unready_at_once(get):
    """Reliability rules "Shutdown": readiness goes first, so it is not remembered."""
    is_open = iter([True, False])

    status, told = await get("/readyz", Health({"registry": fine}, is_open=lambda: next(is_open)), times=2)

    assert status == 503
    assert told["checks"]["draining"]["ok"] is False


@pytest.mark.parametrize("error", [Refusal(OVERLOADED, "db7.internal is away"), OSError("db7"), RuntimeError("db7")])
async def test_check_that_raises_is_not_ok_and_tells_nothing(get, error, caplog):
    """Ours: no text of an error leaves the program; the log has it."""

    async def broken() -> Finding:
        raise error

    status, told = await get("/readyz", Health({"database": broken}))

    assert status == 503
    assert told["checks"]["database"] == {"ok": False, "text": "cannot be told, the log says why"}
    assert "db7" not in json.dumps(told)
    assert caplog.messages == ["the check database failed", "not ready: database: cannot be told, the log says why"]


async def test_check_without_an_end_does_not_hold_up_the_page(get):
    """Ours: each check has a limit of its own."""

    async def endless() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    status, told = await get("/readyz", Health({"database": endless, "registry": fine}, limit=0.05))

    assert status == 503
    assert told["checks"]["database"]["text"] == "no answer within 0.05 s"
    assert told["checks"]["registry"]["ok"] is True


@pytest.mark.parametrize(("kept", "asked"), [(1_000.0, 1), (0.0, 3)])
async def test_findings_are_told_again_for_a_while(get, kept, asked):
    """Ours: a flood of requests for the page does not reach the database."""
    times: list[None] = []

    async def counted() -> Finding:
        times.append(None)
        return Finding(True, "answers")

    await get("/readyz", Health({"database": counted}, kept=kept), times=3)

    assert len(times) == asked


async def test_requests_at_the_same_time_share_one_round_of_checks(entrance):
    """Ours: the same flood, while the database is slow."""
    times: list[None] = []
    go_on = asyncio.Event()

    async def slow() -> Finding:
        times.append(None)
        await go_on.wait()
        return Finding(True, "answers")

    app = application(entrance, health=Health({"database": slow}, kept=0.0))
    async with serve(app) as server, ClientSession() as session:
        first, second = (asyncio.create_task(session.get(f"{server.url}/readyz")) for _ in range(2))
        while not times:
            await session.get(f"{server.url}/healthz")
        go_on.set()
        statuses = [(await first).status, (await second).status]

    assert statuses == [200, 200]
    assert len(times) <= 2


async def test_version_page_names_versions_and_nothing_else(get):
    """Issue "stopping and starting": `/version`."""
    status, told = await get("/version", Health())

    assert status == 200
    assert told.pop("uhi-network")
    assert told == {"python": platform.python_version(), "dialects": {"uhi": "0.7.1"}}


async def test_pages_answer_head_and_refuse_other_methods(entrance):
    """RFC 9110 section 9.3.2: some load balancers ask by HEAD."""
    async with serve(application(entrance, health=Health())) as server, ClientSession() as session:
        head = await session.head(f"{server.url}/readyz")
        posted = await session.post(f"{server.url}/readyz")

    assert (head.status, await head.read()) == (200, b"")
    assert posted.status == 404


async def test_pages_are_served_only_where_they_are_asked_for(entrance):
    """Ours: an application of somebody else has health pages of its own, or gets these below its root."""
    mounted = web.Application()
    add_health(mounted, Health())
    async with serve(application(entrance)) as plain, serve(mounted) as asked, ClientSession() as session:
        statuses = [(await session.get(f"{server.url}/healthz")).status for server in (plain, asked)]

    assert statuses == [404, 200]


async def test_state_that_changes_is_logged_once(get, caplog):
    """Ours: a balancer asks every second, and the log must not fill with it."""
    caplog.set_level("INFO", "uhi.http.health")
    oks = iter([True, False, False, True])

    async def shaky() -> Finding:
        return Finding(next(oks), "so")

    await get("/readyz", Health({"redis": shaky}, kept=0.0), times=4)

    assert caplog.messages == ["not ready: redis: so", "ready again: redis: so"]


@pytest.mark.parametrize(("is_needed", "ok"), [(True, False), (False, True)])
async def test_what_is_away_counts_only_where_it_is_needed(is_needed, ok):
    """Issue "more than one process": Redis going away degrades; the database decides."""

    async def ask() -> None:
        raise OSError

    assert await answering(ask, is_needed=is_needed)() == Finding(ok, "away")
    assert (await answering(fine)()).ok is True


class FixedClock:
    """A clock that stands still."""

    def now(self) -> float:
        return 1_000.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError


class FixedOutbox:
    """An outbox in which one letter has been due for a while."""

    def __init__(self, oldest_due: float | None) -> None:
        self.oldest_due = oldest_due

    async def backlog(self, *, now: float) -> Backlog:
        return Backlog(letters=2, size=7, oldest_due=self.oldest_due, unfinished=1)


@pytest.mark.parametrize(("due", "lag", "text"), [(None, 0.0, "on time"), (990.0, 10.0, "on time"), (900, 100, "late")])
async def test_lag_of_the_outbox_is_told_and_turns_nobody_away(due, lag, text):
    """Ours: every process has the same backlog, so to be unready for it would stop all of them."""
    found = await outbox_lag(FixedOutbox(due), FixedClock())()

    assert found == Finding(True, text, {"letters": 2, "unfinished": 1, "lag_seconds": lag})


@pytest.mark.parametrize(("at", "text"), [(None, "yet"), (990.0, "lately"), (600.0, "for long")])
async def test_age_of_the_registrys_last_good_answer_is_told(at, text):
    """Issue "stopping and starting": told only, since a program that nobody sends anything asks nobody."""
    found = await good_answer_age(lambda: at, FixedClock(), most=300)()

    assert found.ok
    assert text in found.text
    assert found.facts == ({} if at is None else {"age_seconds": 1_000.0 - at})

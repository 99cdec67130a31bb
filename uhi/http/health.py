"""Health pages beside the protocol's paths: does the program live, may messages come, which version is it.

Below: aiohttp; above: composition roots, which say what is checked. The pages show no secret, no address and no text
of an error; a proxy in front should keep them inside all the same. Source: reliability rules "Shutdown".
"""

from __future__ import annotations

import asyncio
import json
import logging
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias

from aiohttp import web

from uhi.errors import UhiError
from uhi.exchange.compose import CORE_VERSION
from uhi.ports import Clock, Outbox

log = logging.getLogger(__name__)

SERVER_NAME = "uhi-network"
"""What every answer gives as its server: no versions."""

_HEADERS = {"Content-Type": "application/json", "Server": SERVER_NAME, "Cache-Control": "no-store"}
_DISTRIBUTION = "uhi-network"
_DRAINING = "draining"
_LATE = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. Whoever asks is shown `text` and `facts`: they name no host and nobody."""

    ok: bool
    text: str
    facts: Mapping[str, int | float | str] = field(default_factory=dict)


Check: TypeAlias = Callable[[], Awaitable[Finding]]
"""Looks at one thing; may raise, which counts as not ok."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a program's readiness is made of: checks by name, all to be ok, and whether it takes messages at all.

    Each check has `limit` seconds; what was found is told again for `kept` seconds. `is_open` is asked every time.
    """

    checks: Mapping[str, Check] = field(default_factory=dict)
    is_open: Callable[[], bool] = lambda: True
    limit: float = 2.0
    kept: float = 1.0


class Readiness:
    """Asks the checks: all at the same time, once for everybody who wants to know, and not again for a while."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._asking: asyncio.Task[Mapping[str, Finding]] | None = None
        self._found_at = 0.0
        self._failed: frozenset[str] = frozenset()

    async def findings(self) -> Mapping[str, Finding]:
        """What was found, by name, `draining` included."""
        if self._asking is None or (self._asking.done() and self._age() >= self._health.kept):
            self._asking = asyncio.create_task(self._ask())
        # One who hangs up must not take the answer from the others.
        found = await asyncio.shield(self._asking)
        is_open = self._health.is_open()
        return {**found, _DRAINING: Finding(is_open, "no" if is_open else "stopping, takes no messages")}

    def _age(self) -> float:
        return asyncio.get_running_loop().time() - self._found_at

    async def _ask(self) -> Mapping[str, Finding]:
        checks = self._health.checks
        results = await asyncio.gather(
            *(_within(self._health.limit, check) for check in checks.values()), return_exceptions=True
        )
        found = {name: self._read(name, result) for name, result in zip(checks, results, strict=True)}
        self._found_at = asyncio.get_running_loop().time()
        self._tell(found)
        return found

    def _read(self, name: str, result: Finding | BaseException) -> Finding:
        if isinstance(result, Finding):
            return result
        if name not in self._failed:
            log.warning("the check %s failed", name, exc_info=result)
        return Finding(False, "cannot be told, the log says why")

    def _tell(self, found: Mapping[str, Finding]) -> None:
        """One line when something changes, however often it is asked."""
        failed = frozenset(name for name, finding in found.items() if not finding.ok)
        for name in sorted(failed - self._failed):
            log.warning("not ready: %s: %s", name, found[name].text)
        for name in sorted(self._failed - failed):
            log.info("ready again: %s: %s", name, found[name].text)
        self._failed = failed


def add_health(app: web.Application, health: Health) -> None:
    """Serve `/healthz`, `/readyz` and `/version` (GET and HEAD) at the root of an aiohttp application.

    `/healthz` is 200 while the event loop turns; `/readyz` 200 or 503, with what each check found.
    """
    readiness = Readiness(health)
    versions = {_DISTRIBUTION: _own_version(), "python": platform.python_version(), "dialects": {"uhi": CORE_VERSION}}

    async def healthz(_: web.Request) -> web.Response:
        return _page({"ok": True})

    async def readyz(_: web.Request) -> web.Response:
        found = await readiness.findings()
        ready = all(finding.ok for finding in found.values())
        checks = {name: _shown(finding) for name, finding in found.items()}
        return _page({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def version_page(_: web.Request) -> web.Response:
        return _page(versions)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/version", version_page)


def answering(ask: Callable[[], Awaitable[object]], *, is_needed: bool = True) -> Check:
    """A check that something answers: `ask` returns within a second, and raises neither UhiError nor OSError.

    What is not needed is only reported: without it the program does less, and still takes messages.
    """

    async def check() -> Finding:
        try:
            async with asyncio.timeout(1.0):
                await ask()
        except (UhiError, OSError):
            return Finding(not is_needed, "away")
        return Finding(True, "answers")

    return check


def outbox_lag(outbox: Outbox, clock: Clock) -> Check:
    """A check of what waits to be delivered. Being late is told and no reason to turn messages away: all processes
    share the backlog, and its bound refuses by itself."""

    async def check() -> Finding:
        now = clock.now()
        backlog = await outbox.backlog(now=now)
        lag = 0.0 if backlog.oldest_due is None else max(0.0, now - backlog.oldest_due)
        facts = {"letters": backlog.letters, "unfinished": backlog.unfinished, "lag_seconds": round(lag, 1)}
        return Finding(True, "late" if lag > _LATE else "on time", facts)

    return check


def good_answer_age(last_good: Callable[[], float | None], clock: Clock, *, most: float) -> Check:
    """A check of how long ago a party last answered well (Unix seconds, None: it was not asked yet).

    It is told and no reason to turn messages away: a program without messages asks nobody, and what is known of the
    parties serves until it is too old, message by message.
    """

    async def check() -> Finding:
        at = last_good()
        if at is None:
            return Finding(True, "not asked yet")
        age = max(0.0, clock.now() - at)
        text = "answered lately" if age <= most else "not asked, or no good answer, for long"
        return Finding(True, text, {"age_seconds": round(age, 1)})

    return check


async def _within(seconds: float, check: Check) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        return Finding(False, f"no answer within {seconds:g} s")


def _own_version() -> str:
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"


def _shown(finding: Finding) -> Mapping[str, object]:
    return {"ok": finding.ok, "text": finding.text, **({"facts": dict(finding.facts)} if finding.facts else {})}


def _page(value: Mapping[str, object], *, status: int = 200) -> web.Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(status=status, headers=_HEADERS, body=body)

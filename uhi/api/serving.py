"""A REST interface on aiohttp: groups of routes behind one doorkeeper, under our own limits, every refusal a problem.

Above: programs; below: `routes`, `doorkeeper`, `asked`, `uhi.http.reading`. Source: security rules "aiohttp settings
and measured behaviour" and "IAM".
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler as Page
from aiohttp.typedefs import Middleware

from uhi.api.asked import read_asked, read_path
from uhi.api.doorkeeper import COOKIE, Doorkeeper
from uhi.api.problems import PROBLEM_TYPE, problem
from uhi.api.routes import Body, Call, Route, Routes, Sent, SessionCookie
from uhi.audit import Acting, ActorKind, Outcome
from uhi.audit.trail import AuditTrail
from uhi.errors import INTERNAL, METHOD_NOT_SERVED, PATH_UNKNOWN, Refusal, SetupError
from uhi.exchange.entrance import unforeseen
from uhi.http.health import SERVER_NAME, Health, add_health
from uhi.http.in_time import InTime
from uhi.http.reading import DEFAULT_LIMITS, ServerLimits, check_headers, check_target, expect_later
from uhi.identity.principals import NOBODY, Principal
from uhi.identity.rules import check
from uhi.ports import Clock

log = logging.getLogger(__name__)

_JSON = "application/json"
_AUDITED = {401, 403, 404, 429}
_HEADERS = {
    "Server": SERVER_NAME,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all routes of a program stand in: who is let in, what is put down, which limits hold."""

    doorkeeper: Doorkeeper
    trail: AuditTrail
    clock: Clock
    limits: ServerLimits = DEFAULT_LIMITS


def add_api(app: web.Application, groups: Sequence[Routes], around: Surroundings, *, prefix: str = "") -> None:
    """Serve every route of the groups inside any aiohttp application. `prefix` starts with a slash or is empty.

    Raises: SetupError when two routes have the same method and path, or the same name.
    """
    routes = sorted(chain.from_iterable(group.all for group in groups), key=lambda route: route.path)
    _check_distinct(routes)
    in_time = InTime(around.limits.handler_seconds)
    for path, of_path in groupby(routes, key=lambda route: route.path):
        door = _Door({route.method: route for route in of_path}, around, in_time)
        app.router.add_route("*", f"{prefix.rstrip('/')}{path}", door.handle, expect_handler=expect_later)


def api_application(
    groups: Sequence[Routes], around: Surroundings, *, prefix: str = "", health: Health | None = None
) -> web.Application:
    """A whole application in which every answer is a route's or a problem: unknown paths and failures too.

    With `health` its pages are served at the root, whatever the prefix.
    """
    app = web.Application(middlewares=[_problems(around)])
    add_api(app, groups, around, prefix=prefix)
    if health is not None:
        add_health(app, health)
    return app


def _check_distinct(routes: Sequence[Route]) -> None:
    called = Counter(chain((route.name for route in routes), (f"{route.method} {route.path}" for route in routes)))
    twice = sorted(each for each, times in called.items() if times > 1)
    if twice:
        raise SetupError(
            "two routes cannot be told apart", got=", ".join(twice), next_step="rename one, or serve it elsewhere"
        )


@dataclass(slots=True)
class _Visit:
    """One request on its way through the door, as far as is known of it."""

    request: web.Request
    address: str
    id: str = field(default_factory=lambda: uuid4().hex)
    route: Route | None = None
    principal: Principal = NOBODY

    @property
    def about(self) -> str:
        """What was asked for, without the query."""
        return f"{self.request.method} {self.request.rel_url.raw_path}"


@dataclass(frozen=True, slots=True)
class _Door:
    routes: Mapping[str, Route]
    around: Surroundings
    in_time: InTime

    async def handle(self, request: web.Request) -> web.Response:
        visit = _Visit(request, self.around.limits.proxies.address_of(request))
        response = await self._answer(visit)
        response.headers.update(self.around.doorkeeper.sites.shown_to(request.headers))
        return response

    async def _answer(self, visit: _Visit) -> web.Response:
        try:
            check_target(visit.request)
            check_headers(visit.request, self.around.limits)
            if visit.request.method == "OPTIONS":
                return self._preflight(visit)
            return await self._take(visit)
        except Refusal as refusal:
            refused = refusal
        except Exception as error:
            refused = unforeseen(error)
        response = _refused(refused, visit, self.around)
        if refused.fault is METHOD_NOT_SERVED:
            response.headers["Allow"] = ", ".join(sorted(self.routes))
        return response

    def _preflight(self, visit: _Visit) -> web.Response:
        headers = self.around.doorkeeper.sites.preflight(visit.request.headers, tuple(sorted(self.routes)))
        if not headers:
            raise Refusal(METHOD_NOT_SERVED, "a page that is not listed asks beforehand")
        return web.Response(status=204, headers={**_HEADERS, **headers, "X-Request-Id": visit.id})

    async def _take(self, visit: _Visit) -> web.Response:
        request, around = visit.request, self.around
        route = self.routes.get(request.method)
        if route is None:
            raise Refusal(METHOD_NOT_SERVED, expected=" or ".join(sorted(self.routes)))
        visit.route = route
        now = around.clock.now()
        await around.doorkeeper.check_pace(visit.address, route)
        visit.principal = await around.doorkeeper.identify(request, route)
        check(route.rule, visit.principal, now=now)
        call = Call(
            principal=visit.principal,
            rule=route.rule,
            body=await read_asked(request, route, seconds=around.limits.body_seconds),
            now=now,
            path=read_path(request),
            cookie=request.cookies.get(COOKIE, ""),
            address=visit.address,
            user_agent=request.headers.get("User-Agent", "")[:200],
            request_id=visit.id,
        )
        return await self.in_time.answer(self._call(visit, route, call))

    async def _call(self, visit: _Visit, route: Route, call: Call[Body]) -> web.Response:
        given = await route.handler(call)
        answer, cookie = (given.answer, given.cookie) if isinstance(given, Sent) else (given, None)
        if route.answer is None:
            body = None
        elif isinstance(answer, route.answer):
            body = answer.model_dump_json().encode()
        else:
            raise TypeError(f"{route.name} answered with {type(answer).__name__}")
        if route.rule.reads_patients:
            # Nothing goes out of which the trail does not tell.
            entry = call.acting.entry(f"{route.tag}.{route.name}", visit.about, at=call.now)
            await self.around.trail.write(entry)
        return _given(route, visit, body, cookie)


def _given(route: Route, visit: _Visit, body: bytes | None, cookie: SessionCookie | None) -> web.Response:
    headers = {**_HEADERS, "X-Request-Id": visit.id}
    if route.answer is not None:
        headers["Content-Type"] = _JSON
    if route.kept_seconds:
        headers["Cache-Control"] = f"public, max-age={route.kept_seconds}"
    response = web.Response(status=route.status, headers=headers, body=body)
    if cookie is not None:
        response.set_cookie(
            COOKIE, cookie.value, max_age=cookie.seconds, path="/", secure=True, httponly=True, samesite="Lax"
        )
    return response


def _refused(refusal: Refusal, visit: _Visit, around: Surroundings) -> web.Response:
    """The answer to what is refused, which is logged, and audited where it took a right."""
    fault, route = refusal.fault, visit.route
    log.log(
        logging.ERROR if fault is INTERNAL else logging.INFO,
        "refused: %s",
        refusal,
        extra={
            "path": route.path if route else "?",
            "request_id": visit.id,
            "address": visit.address,
            "error_type": fault.type,
            "http_status": fault.status,
        },
    )
    # Whoever asks too often is nobody yet, and must not fill a trail that nothing is ever deleted from.
    is_flood = fault.status == 429 and visit.principal is NOBODY
    if route is not None and route.rule.permission is not None and fault.status in _AUDITED and not is_flood:
        _put_down(refusal, visit, route, around)
    headers = {**_HEADERS, "Content-Type": PROBLEM_TYPE, "X-Request-Id": visit.id}
    if fault.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None or fault.status in (429, 503):
        headers["Retry-After"] = str(refusal.retry_after or 1)
    response = web.Response(
        status=fault.status, headers=headers, body=problem(refusal, visit.id).model_dump_json().encode()
    )
    if not visit.request.content.is_eof():
        # What is left of the body is not worth reading.
        response.force_close()
    return response


def _put_down(refusal: Refusal, visit: _Visit, route: Route, around: Surroundings) -> None:
    principal = visit.principal
    acting = Acting(
        actor=principal.id or "nobody",
        kind=ActorKind(principal.kind.value),
        tenant=principal.tenant,
        address=visit.address,
        request_id=visit.id,
    )
    entry = acting.entry(
        f"{route.tag}.{route.name}",
        visit.about,
        at=around.clock.now(),
        outcome=Outcome.REFUSED,
        reason=refusal.fault.type,
    )
    around.trail.later(entry)


def _problems(around: Surroundings) -> Middleware:
    @web.middleware
    async def problems(request: web.Request, handler: Page) -> web.StreamResponse:
        try:
            check_target(request)
            return await handler(request)
        except web.HTTPException as error:
            fault = METHOD_NOT_SERVED if error.status == 405 else PATH_UNKNOWN
            refused = Refusal(fault, got=f"HTTP {error.status}")
        except Refusal as refusal:
            refused = refusal
        except Exception as error:
            refused = unforeseen(error)
        return _refused(refused, _Visit(request, around.limits.proxies.address_of(request)), around)

    return problems

"""A REST interface on aiohttp: groups of routes behind one doorkeeper, under our own limits, every refusal a problem.

Above: programs; below: `routes`, `doorkeeper`, `asked`, `uhi.http.reading`. Source: security rules "aiohttp settings
and measured behaviour" and "IAM".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby

from aiohttp import web

from uhi.api.asked import read_asked, read_path
from uhi.api.doorkeeper import COOKIE, Doorkeeper
from uhi.api.idempotency import TO_KEEP, Idempotency, key_of
from uhi.api.routes import Answer, Body, Call, Raw, Route, Routes, Sent
from uhi.api.streams import DEFAULT_STREAMS, LAST_EVENT, Flow, StreamLimits, Streams
from uhi.api.visits import HEADERS, Visit, refuse
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal, SetupError
from uhi.exchange.entrance import unforeseen
from uhi.faults import METHOD_NOT_SERVED
from uhi.http.in_time import InTime
from uhi.http.reading import DEFAULT_LIMITS, ServerLimits, check_headers, check_target, expect_later
from uhi.identity.rules import check
from uhi.ports import Clock

_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all routes of a program stand in: who is let in, what is put down, which limits hold, what is done once."""

    doorkeeper: Doorkeeper
    trail: AuditTrail
    clock: Clock
    limits: ServerLimits = DEFAULT_LIMITS
    streams: StreamLimits = DEFAULT_STREAMS
    idempotency: Idempotency | None = None


def add_api(app: web.Application, groups: Sequence[Routes], around: Surroundings, *, prefix: str = "") -> None:
    """Serve every route of the groups inside any aiohttp application. `prefix` starts with a slash or is empty.

    Raises: SetupError when two routes have the same method and path, or the same name.
    """
    routes = sorted(chain.from_iterable(group.all for group in groups), key=lambda route: route.path)
    _check_distinct(routes)
    in_time, streams = InTime(around.limits.handler_seconds), Streams(around.streams)
    app.on_shutdown.append(streams.stop)
    for path, of_path in groupby(routes, key=lambda route: route.path):
        door = _Door({route.method: route for route in of_path}, around, in_time, streams)
        app.router.add_route("*", f"{prefix.rstrip('/')}{path}", door.handle, expect_handler=expect_later)


def _check_distinct(routes: Sequence[Route]) -> None:
    called = Counter(chain((route.name for route in routes), (f"{route.method} {route.path}" for route in routes)))
    twice = sorted(each for each, times in called.items() if times > 1)
    if twice:
        raise SetupError(
            "two routes cannot be told apart", got=", ".join(twice), next_step="rename one, or serve it elsewhere"
        )


@dataclass(frozen=True, slots=True)
class _Door:
    routes: Mapping[str, Route]
    around: Surroundings
    in_time: InTime
    streams: Streams

    async def handle(self, request: web.Request) -> web.StreamResponse:
        visit = Visit(request, self.around.limits.proxies.address_of(request))
        response = await self._answer(visit)
        if not response.prepared:
            response.headers.update(self.around.doorkeeper.sites.shown_to(request.headers))
        return response

    async def _answer(self, visit: Visit) -> web.StreamResponse:
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
        response = self._refused(refused, visit)
        begun = visit.flow.break_off() if visit.flow else None
        if begun is not None:
            return begun
        if refused.fault is METHOD_NOT_SERVED:
            response.headers["Allow"] = ", ".join(sorted(self.routes))
        return response

    def _preflight(self, visit: Visit) -> web.Response:
        headers = self.around.doorkeeper.sites.preflight(visit.request.headers, tuple(sorted(self.routes)))
        if not headers:
            raise Refusal(METHOD_NOT_SERVED, "a page that is not listed asks beforehand")
        return web.Response(status=204, headers={**HEADERS, **headers, "X-Request-Id": visit.id})

    async def _take(self, visit: Visit) -> web.StreamResponse:
        request, around = visit.request, self.around
        route = self.routes.get(request.method)
        if route is None:
            raise Refusal(METHOD_NOT_SERVED, expected=" or ".join(sorted(self.routes)))
        visit.route = route
        now = around.clock.now()
        await around.doorkeeper.check_pace(visit.address, route)
        await self._admit(visit, route)
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
            last_event=request.headers.get(LAST_EVENT, "")[:64] if route.stream else "",
        )
        if route.stream:
            with self.streams.opened(request, route.stream, who=visit.principal.id or visit.address) as visit.flow:
                return await self._pour(visit, visit.flow, route, call)
        asked = key_of(request, route, call) if around.idempotency else None
        if around.idempotency is None or asked is None:
            return await self.in_time.answer(self._call(visit, route, call))
        # What goes on when nobody waits any more keeps its answer for who asks again.
        once = around.idempotency.once(asked, lambda: self._settled(visit, route, call))
        response = await self.in_time.answer(once)
        response.headers.update({**HEADERS, "X-Request-Id": visit.id})
        return response

    async def _settled(self, visit: Visit, route: Route, call: Call[Body]) -> web.Response:
        """The answer, refusals too."""
        try:
            return await self._call(visit, route, call)
        except Refusal as refusal:
            return self._refused(refusal, visit)
        except Exception as error:
            return self._refused(unforeseen(error), visit)

    def _refused(self, refusal: Refusal, visit: Visit) -> web.Response:
        return refuse(refusal, visit, self.around.trail, now=self.around.clock.now())

    async def _pour(self, visit: Visit, flow: Flow, route: Route, call: Call[Body]) -> web.StreamResponse:
        source = await self.in_time.answer(self._told(visit, route, call))
        if source is not None and not isinstance(source, AsyncIterator):
            raise TypeError(f"{route.name} answered with {type(source).__name__}")
        shown = self.around.doorkeeper.sites.shown_to(visit.request.headers)
        headers = {**HEADERS, **shown, "X-Request-Id": visit.id}
        return await flow.pour(source, headers, partial(self._admit, visit, route))

    async def _admit(self, visit: Visit, route: Route) -> None:
        visit.principal = await self.around.doorkeeper.identify(visit.request, route)
        check(route.rule, visit.principal, now=self.around.clock.now())

    async def _told(self, visit: Visit, route: Route, call: Call[Body]) -> object:
        given = await route.handler(call)
        if route.rule.reads_patients:
            # Nothing goes out of which the trail does not tell.
            entry = call.acting.entry(f"{route.tag}.{route.name}", visit.about, at=call.now)
            await self.around.trail.write(entry)
        return given

    async def _call(self, visit: Visit, route: Route, call: Call[Body]) -> web.Response:
        given = await self._told(visit, route, call)
        sent = given if isinstance(given, Sent) else None
        answer = sent.answer if sent else given
        if route.answer is None:
            body = None
        elif isinstance(answer, Raw):
            body = answer.content
        elif isinstance(answer, route.answer):
            body = answer.model_dump_json().encode()
        else:
            raise TypeError(f"{route.name} answered with {type(answer).__name__}")
        response = _given(route, visit, body, sent)
        response.headers.update(answer.headers if isinstance(answer, Raw) else {})
        kept = answer.to_keep() if isinstance(answer, Answer) else answer
        if isinstance(kept, Answer) and kept is not answer:
            response[TO_KEEP] = kept.model_dump_json().encode()
        return response


def _given(route: Route, visit: Visit, body: bytes | None, sent: Sent[Answer] | None) -> web.Response:
    headers = {**HEADERS, "X-Request-Id": visit.id}
    if route.answer is not None:
        headers["Content-Type"] = route.media or _JSON
    if route.kept_seconds:
        headers["Cache-Control"] = f"public, max-age={route.kept_seconds}"
    response = web.Response(status=(sent and sent.status) or route.status, headers=headers, body=body)
    cookie = sent.cookie if sent else None
    if cookie is not None:
        response.set_cookie(
            COOKIE, cookie.value, max_age=cookie.seconds, path="/", secure=True, httponly=True, samesite="Lax"
        )
    return response

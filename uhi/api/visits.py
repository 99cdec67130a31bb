"""One request on its way through an interface, and how it is refused: logged, and audited where it took a right.

Above: `serving`; below: `problems`. Source: security rules "IAM", "Audit log".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import web

from uhi.api.problems import PROBLEM_TYPE, problem
from uhi.api.routes import Route
from uhi.api.streams import Flow
from uhi.audit import Acting, ActorKind, Outcome
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.faults import INTERNAL
from uhi.http.health import SERVER_NAME
from uhi.identity.principals import NOBODY, Principal

log = logging.getLogger(__name__)

_AUDITED = {401, 403, 404, 429}
HEADERS = {
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
"""What every answer carries."""


@dataclass(slots=True)
class Visit:
    """One request on its way through the door, as far as is known of it."""

    request: web.Request
    address: str
    id: str = field(default_factory=lambda: uuid4().hex)
    route: Route | None = None
    principal: Principal = NOBODY
    flow: Flow | None = None

    @property
    def about(self) -> str:
        """What was asked for, without the query."""
        return f"{self.request.method} {self.request.rel_url.raw_path}"


def refuse(refusal: Refusal, visit: Visit, trail: AuditTrail, *, now: float) -> web.Response:
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
        _put_down(refusal, visit, route, trail, now)
    headers = {**HEADERS, "Content-Type": PROBLEM_TYPE, "X-Request-Id": visit.id}
    if fault.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None or fault.status in (429, 503):
        headers["Retry-After"] = str(refusal.retry_after or 1)
    told = problem(refusal, visit.id, explains=route is not None and route.explains)
    response = web.Response(status=fault.status, headers=headers, body=told.model_dump_json().encode())
    if not visit.request.content.is_eof():
        # What is left of the body is not worth reading.
        response.force_close()
    return response


def _put_down(refusal: Refusal, visit: Visit, route: Route, trail: AuditTrail, now: float) -> None:
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
        at=now,
        outcome=Outcome.REFUSED,
        reason=refusal.fault.type,
    )
    trail.later(entry)

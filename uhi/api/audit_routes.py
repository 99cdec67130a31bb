"""The audit trail over HTTP, for auditors: pages of rows, and where the trail ends.

Above: programs; below: `uhi.audit.trail`. Source: security rules "Audit log".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal

from pydantic import Field

from uhi.api.routes import Answer, Body, Call, Nothing, Routes
from uhi.audit import ActorKind
from uhi.audit.chain import Link
from uhi.audit.trail import AuditTrail, Wanted
from uhi.faults import RECORD_MISSING
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target

READS_AUDIT = Rule(Permission.AUDIT_READ, Relation.OWN_TENANT, second_factor=True)

EmailsOf = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]

_MOST = 200
_LATEST = 2.0**40
_SHORT = Field(default="", max_length=200)


class AuditQuery(Body):
    """Which rows: those that have all that is given. An `action` that ends in a dot stands for all it begins.

    `tenant` is one's own where it is left out; the network's auditor leaves it out to see everybody's rows. `after` is
    the `next` of the page before; `newest` goes backward from the newest row. Times are Unix seconds.
    """

    tenant: str = _SHORT
    actor: str = _SHORT
    action: str = _SHORT
    object: str = Field(default="", max_length=500)
    outcome: Literal["", "done", "refused", "failed"] = ""
    since: float | None = Field(default=None, ge=0, le=_LATEST)
    until: float | None = Field(default=None, ge=0, le=_LATEST)
    newest: bool = False
    after: int = Field(default=0, ge=0, le=2**53)
    most: int = Field(default=50, ge=1, le=_MOST)


class AuditRow(Answer):
    """One row, as the trail has it; beside it the actor's e-mail address, at a registry and where the account still
    exists. No hash covers that one."""

    seq: int
    at: float
    actor: str
    actor_kind: str
    actor_email: str
    tenant: str
    action: str
    object: str
    outcome: str
    reason: str
    request_id: str
    address: str
    before: str
    after: str
    prev_hash: str
    hash: str


class AuditRows(Answer):
    """A page of rows; `next` is the `after` of the following page, 0 where there is none."""

    rows: tuple[AuditRow, ...]
    next: int


class AuditHead(Answer):
    """Where the trail ends: how many rows it has, and the hash of the newest."""

    seq: int
    hash: str


class AuditPages:
    """What auditors read. `emails` finds the e-mail addresses of accounts, where auditors may see them."""

    def __init__(self, trail: AuditTrail, emails: EmailsOf | None = None) -> None:
        self._trail = trail
        self._emails = emails

    def routes(self) -> Routes:
        """The group of routes."""
        group, missing = Routes("audit"), (RECORD_MISSING,)
        group.route("GET", "/v1/audit", READS_AUDIT, body=AuditQuery, answer=AuditRows, refuses=missing)(
            self.list_audit_rows
        )
        group.route("GET", "/v1/audit/head", READS_AUDIT, body=Nothing, answer=AuditHead, refuses=missing)(
            self.get_audit_head
        )
        return group

    async def list_audit_rows(self, call: Call[AuditQuery]) -> AuditRows:
        """Rows of the audit trail, a page at a time.

        The network's own auditor reads the rows of every tenant, another one those of the own tenant.
        """
        asked = call.body
        tenant = asked.tenant or call.principal.tenant
        call.permit(Target(tenant=tenant))
        wanted = Wanted(
            actor=asked.actor,
            action=asked.action,
            object=asked.object,
            outcome=asked.outcome,
            tenant=tenant,
            since=asked.since,
            until=asked.until,
        )
        found = await self._trail.rows(after=asked.after, most=asked.most + 1, wanted=wanted, newest=asked.newest)
        page = found[: asked.most]
        people = {link.actor for link in page if link.actor_kind == ActorKind.PERSON.value}
        emails = await self._emails(people) if self._emails is not None else {}
        rows = tuple(_row(link, emails.get(link.actor, "")) for link in page)
        return AuditRows(rows=rows, next=page[-1].seq if len(found) > len(page) else 0)

    async def get_audit_head(self, call: Call[Nothing]) -> AuditHead:
        """The number and hash of the newest row."""
        call.permit(Target(tenant=""))
        head = await self._trail.head()
        return AuditHead(seq=head.seq, hash=head.hash)


def _row(link: Link, email: str) -> AuditRow:
    return AuditRow(
        seq=link.seq,
        at=link.at,
        actor=link.actor,
        actor_kind=link.actor_kind,
        actor_email=email,
        tenant=link.tenant,
        action=link.action,
        object=link.object,
        outcome=link.outcome,
        reason=link.reason,
        request_id=link.request_id,
        address=link.address,
        before=link.before,
        after=link.after,
        prev_hash=link.prev_hash,
        hash=link.hash,
    )

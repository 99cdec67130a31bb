"""The registry's administration over HTTP: list, review, approve, suspend, resume, revoke, export.

Above: programs; below: `Register`, `uhi.api`. Source: security rules "IAM" (registry.viewer, registry.reviewer,
registry.admin), "Registry and key rules".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Literal

from pydantic import Field

from gateway.network_registry.admin_answers import (
    ChangeList,
    Export,
    SubscriberAnswer,
    SubscriberList,
    change_answer,
    people_in,
    subscriber_answer,
)
from gateway.network_registry.register import Register
from gateway.network_registry.standing import Search, Standing
from uhi.api.routes import Body, Call, Nothing, Routes
from uhi.faults import ALREADY_TAKEN, ANOTHER_PERSON_REQUIRED, RECORD_MISSING, STATE_REFUSED
from uhi.identity.principals import Principal
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target
from uhi.ports import Clock
from uhi.subscribers import Role

READS = Rule(Permission.REGISTRY_READ, Relation.OWN_TENANT)
REVIEWS = Rule(Permission.REGISTRY_REVIEW, Relation.OWN_TENANT)
DECIDES = Rule(Permission.REGISTRY_DECIDE, Relation.OWN_TENANT, second_factor=True)
DECIDES_FRESHLY = Rule(Permission.REGISTRY_DECIDE, Relation.OWN_TENANT, second_factor=True, fresh_seconds=300)

NamesOf = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]

THE_NETWORK = ""
"""The tenant whose people these are: whatever role somebody has in a hospital, it counts for nothing here."""

_PAGE = 50
_ONE = "/v1/subscribers/{id}"
_STEP = (RECORD_MISSING, STATE_REFUSED)
_DECISION = (*_STEP, ANOTHER_PERSON_REQUIRED, ALREADY_TAKEN)


class SubscriberQuery(Body):
    """Which subscribers: those with this state and role; `q` is looked for in id, name and address."""

    status: Literal[
        "", "INITIATED", "UNDER_REVIEW", "SUBSCRIBED", "SUSPENDED", "REVOKED", "EXPIRED", "UNSUBSCRIBED"
    ] = ""
    role: Literal["", "consumer", "provider", "gateway", "registry"] = ""
    q: str = Field(default="", max_length=200)
    page: int = Field(default=1, ge=1, le=100_000)


class ChangeQuery(Body):
    """The changes after a number."""

    after: int = Field(default=0, ge=0, le=2**53)
    most: int = Field(default=100, ge=1, le=1_000)


class Seen(Body):
    """The id of what was looked at (`pending.id`): something else that waits by now is not decided about."""

    pending_id: str = Field(min_length=1, max_length=64)


class Reason(Body):
    """Why; it is kept in the audit trail."""

    reason: str = Field(min_length=3, max_length=500)


class RegistryDesk:
    """What the registry's people do. `names` finds the e-mail addresses of accounts."""

    def __init__(self, register: Register, *, clock: Clock, names: NamesOf) -> None:
        self._register = register
        self._clock = clock
        self._names = names

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("registry")
        group.route("GET", "/v1/subscribers", READS, body=SubscriberQuery, answer=SubscriberList)(self.list_subscribers)
        group.route("GET", _ONE, READS, body=Nothing, answer=SubscriberAnswer, refuses=(RECORD_MISSING,))(
            self.get_subscriber
        )
        group.route("GET", "/v1/changes", READS, body=ChangeQuery, answer=ChangeList)(self.list_changes)
        group.route("GET", "/v1/export", DECIDES_FRESHLY, body=Nothing, answer=Export)(self.export_register)
        self._add_decisions(group)
        return group

    def _add_decisions(self, group: Routes) -> None:
        answer = SubscriberAnswer
        group.route("POST", f"{_ONE}/review", REVIEWS, body=Seen, answer=answer, refuses=_DECISION)(self.review)
        group.route("POST", f"{_ONE}/approve", DECIDES_FRESHLY, body=Seen, answer=answer, refuses=_DECISION)(
            self.approve
        )
        group.route("POST", f"{_ONE}/decline", DECIDES, body=Reason, answer=answer, refuses=_STEP)(self.decline)
        group.route("POST", f"{_ONE}/suspend", DECIDES, body=Reason, answer=answer, refuses=_STEP)(self.suspend)
        group.route("POST", f"{_ONE}/resume", DECIDES, body=Reason, answer=answer, refuses=_STEP)(self.resume)
        group.route("POST", f"{_ONE}/revoke", DECIDES_FRESHLY, body=Reason, answer=answer, refuses=_STEP)(self.revoke)
        path = f"{_ONE}/keys/{{key_id}}/revoke"
        group.route("POST", path, DECIDES_FRESHLY, body=Reason, answer=answer, refuses=_STEP)(
            self.revoke_subscriber_key
        )

    async def list_subscribers(self, call: Call[SubscriberQuery]) -> SubscriberList:
        """Subscribers and applicants, a page at a time, ordered by id."""
        call.permit(Target(tenant=THE_NETWORK))
        asked = call.body
        search = Search(
            status=asked.status,
            role=Role.read(asked.role) if asked.role else None,
            text=asked.q,
            page=asked.page,
            size=_PAGE,
        )
        found = await self._register.find(search)
        shown = await self._all_shown(call.principal, found.entries)
        return SubscriberList(subscribers=shown, total=found.total, page=asked.page, pages=-(-found.total // _PAGE))

    async def get_subscriber(self, call: Call[Nothing]) -> SubscriberAnswer:
        """Everything about one subscriber: entry, keys, what waits and what is missing."""
        call.permit(Target(tenant=THE_NETWORK))
        return await self._shown(call.principal, await self._register.standing(call.path["id"]))

    async def list_changes(self, call: Call[ChangeQuery]) -> ChangeList:
        """The numbered changes of the registry, in order."""
        call.permit(Target(tenant=THE_NETWORK))
        found = await self._register.changes(after=call.body.after, most=call.body.most)
        return ChangeList(changes=tuple(map(change_answer, found)))

    async def export_register(self, call: Call[Nothing]) -> Export:
        """Every entry with its keys, as of one number."""
        call.permit(Target(tenant=THE_NETWORK))
        seq, found = await self._register.export(acting=call.acting)
        return Export(registry_seq=seq, subscribers=await self._all_shown(call.principal, found))

    async def review(self, call: Call[Seen]) -> SubscriberAnswer:
        """Move an application on, once everything is proven."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.review(call.path["id"], acting=call.acting, seen=call.body.pending_id)
        return await self._shown(call.principal, done)

    async def approve(self, call: Call[Seen]) -> SubscriberAnswer:
        """Approve an application or a change; the second administrator's approval puts it into effect."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.approve(call.path["id"], acting=call.acting, seen=call.body.pending_id)
        return await self._shown(call.principal, done)

    async def decline(self, call: Call[Reason]) -> SubscriberAnswer:
        """Turn down an application or a change."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.decline(call.path["id"], reason=call.body.reason, acting=call.acting)
        return await self._shown(call.principal, done)

    async def suspend(self, call: Call[Reason]) -> SubscriberAnswer:
        """Keep a subscriber from taking part until it is resumed."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.suspend(call.path["id"], reason=call.body.reason, acting=call.acting)
        return await self._shown(call.principal, done)

    async def resume(self, call: Call[Reason]) -> SubscriberAnswer:
        """Let a suspended subscriber take part again."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.resume(call.path["id"], reason=call.body.reason, acting=call.acting)
        return await self._shown(call.principal, done)

    async def revoke(self, call: Call[Reason]) -> SubscriberAnswer:
        """Put an end to a subscriber and all its keys, for good."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.revoke(call.path["id"], reason=call.body.reason, acting=call.acting)
        return await self._shown(call.principal, done)

    async def revoke_subscriber_key(self, call: Call[Reason]) -> SubscriberAnswer:
        """Put an end to one key at once."""
        call.permit(Target(tenant=THE_NETWORK))
        done = await self._register.revoke_key(
            call.path["id"], call.path["key_id"], reason=call.body.reason, acting=call.acting
        )
        return await self._shown(call.principal, done)

    async def _shown(self, principal: Principal, standing: Standing) -> SubscriberAnswer:
        return (await self._all_shown(principal, (standing,)))[0]

    async def _all_shown(self, principal: Principal, standings: Sequence[Standing]) -> tuple[SubscriberAnswer, ...]:
        names = await self._names({person for each in standings for person in people_in(each)})
        sees_contact = THE_NETWORK in principal.tenants_with(Permission.REGISTRY_REVIEW)
        now = self._clock.now()
        return tuple(subscriber_answer(each, now=now, sees_contact=sees_contact, names=names) for each in standings)

"""The people of a tenant, for its administrators: invite, list, give and take roles, close.

Above: programs; below: `uhi.identity.accounts`, `uhi.identity.joining`. Source: security rules "IAM", threat T27.
"""

from __future__ import annotations

from pydantic import Field

from uhi.api.account_routes import RoleAnswer
from uhi.api.fields import EmailText, IdText, NameText, PhoneText
from uhi.api.problems import refusal_of
from uhi.api.routes import Answer, Body, Call, Nothing, Routes
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.identity.accounts import AccountFilter, Accounts
from uhi.identity.joining import Invitation, Joining
from uhi.identity.people import Account, AccountState, Ties
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole, Permission
from uhi.identity.rules import Relation, Rule, Target

THE_NETWORK = ""
MANAGES_STAFF = Rule(Permission.STAFF_MANAGE, Relation.OWN_TENANT, second_factor=True)


class StaffQuery(Body):
    """Which accounts: of a tenant (one's own where it is left out), in a state, after the one with an id."""

    tenant: IdText | None = None
    state: AccountState | None = None
    after: IdText = ""
    most: int = Field(default=50, ge=1, le=100)


class InvitationBody(Body):
    """Who is asked to join, with which role where: in the only tenant of whoever asks, where none is named."""

    email: EmailText
    name: NameText
    phone: PhoneText = ""
    role: AccessRole
    tenant: IdText | None = None
    facility_id: IdText = ""
    practitioner_id: IdText = ""


class GrantBody(Body):
    """A role within a tenant; an empty tenant is the network itself."""

    role: AccessRole
    tenant: IdText = ""


class TiesBody(Body):
    """Which facility and practitioner an account belongs to, each empty for none."""

    facility_id: IdText = ""
    practitioner_id: IdText = ""


class StaffAnswer(Answer):
    """An account as administrators of its tenant see it."""

    id: str
    email: str
    name: str
    phone: str
    tenant: str
    state: AccountState
    grants: tuple[RoleAnswer, ...]
    second_factors: tuple[str, ...]
    facility_id: str
    practitioner_id: str


class StaffList(Answer):
    """A page of accounts; `next` is the `after` of the following page, empty where there is none."""

    accounts: tuple[StaffAnswer, ...]
    next: str


class StaffPages:
    """What administrators do with the people of their tenant."""

    def __init__(self, accounts: Accounts, joining: Joining) -> None:
        self._accounts = accounts
        self._joining = joining

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("staff", explains=True)
        rule, one = MANAGES_STAFF, "/v1/staff/{id}"
        of_state = (RECORD_MISSING, STATE_REFUSED)
        group.route("GET", "/v1/staff", rule, body=StaffQuery, answer=StaffList, refuses=(RECORD_MISSING,))(
            self.list_staff
        )
        group.route(
            "POST",
            "/v1/staff",
            rule,
            body=InvitationBody,
            answer=StaffAnswer,
            status=201,
            refuses=(RECORD_MISSING, ALREADY_TAKEN, STATE_REFUSED),
        )(self.invite_staff)
        group.route("GET", one, rule, body=Nothing, answer=StaffAnswer)(self.get_staff)
        group.route("POST", f"{one}/grants", rule, body=GrantBody, answer=StaffAnswer, refuses=of_state)(
            self.grant_role
        )
        group.route("DELETE", f"{one}/grants", rule, body=GrantBody, answer=StaffAnswer, refuses=of_state)(
            self.withdraw_role
        )
        group.route("PUT", f"{one}/ties", rule, body=TiesBody, answer=StaffAnswer, refuses=of_state)(self.tie_staff)
        group.route("POST", f"{one}/close", rule, body=Nothing, answer=StaffAnswer, refuses=of_state)(self.close_staff)
        group.route("POST", f"{one}/reopen", rule, body=Nothing, answer=StaffAnswer, refuses=of_state)(
            self.reopen_staff
        )
        return group

    async def list_staff(self, call: Call[StaffQuery]) -> StaffList:
        """Accounts that belong to a tenant or have a role in it, the oldest first."""
        asked = call.body
        tenants = call.principal.tenants_with(Permission.STAFF_MANAGE)
        if asked.tenant is not None:
            call.permit(Target(tenant=asked.tenant), path="tenant")
            tenants = frozenset({asked.tenant})
        page = await self._accounts.page(
            AccountFilter(tenants=tenants, state=asked.state, after=asked.after, most=asked.most)
        )
        return StaffList(accounts=tuple(map(_shown, page.accounts)), next=page.next)

    async def invite_staff(self, call: Call[InvitationBody]) -> StaffAnswer:
        """Ask somebody to join; they get a letter with a token."""
        asked, tenant = call.body, _tenant(call)
        call.permit(Target(tenant=tenant), path="tenant")
        invitation = Invitation(
            email=asked.email,
            name=asked.name,
            phone=asked.phone,
            grant=Grant(asked.role, tenant),
            ties=Ties(facility_id=asked.facility_id, practitioner_id=asked.practitioner_id),
        )
        invited = await self._joining.invite(invitation, acting=call.acting, by=call.principal)
        return _shown(invited.account)

    async def get_staff(self, call: Call[Nothing]) -> StaffAnswer:
        """One account of one's own tenant."""
        return _shown(await self._own(call))

    async def grant_role(self, call: Call[GrantBody]) -> StaffAnswer:
        """Give somebody a role."""
        call.permit(Target(tenant=call.body.tenant), path="tenant")
        grant = Grant(call.body.role, call.body.tenant)
        return _shown(await self._accounts.grant(call.path["id"], grant, acting=call.acting, by=call.principal))

    async def withdraw_role(self, call: Call[GrantBody]) -> StaffAnswer:
        """Take a role away; the account's sessions end."""
        call.permit(Target(tenant=call.body.tenant), path="tenant")
        grant = Grant(call.body.role, call.body.tenant)
        return _shown(await self._accounts.withdraw(call.path["id"], grant, acting=call.acting, by=call.principal))

    async def tie_staff(self, call: Call[TiesBody]) -> StaffAnswer:
        """Say which facility and practitioner somebody belongs to."""
        kept = await self._own(call)
        ties = Ties(call.body.facility_id, call.body.practitioner_id, kept.patient_id)
        return _shown(await self._accounts.tie(kept.id, ties, acting=call.acting, by=call.principal))

    async def close_staff(self, call: Call[Nothing]) -> StaffAnswer:
        """End an account of one's own tenant; its sessions end with it."""
        return _shown(await self._accounts.close(call.path["id"], acting=call.acting, by=call.principal))

    async def reopen_staff(self, call: Call[Nothing]) -> StaffAnswer:
        """Let a closed account sign in again."""
        return _shown(await self._accounts.reopen(call.path["id"], acting=call.acting, by=call.principal))

    async def _own(self, call: Call[Body]) -> Account:
        tenants = call.principal.tenants_with(Permission.STAFF_MANAGE)
        return await self._accounts.get(call.path["id"], tenants=tenants)


def _tenant(call: Call[InvitationBody]) -> str:
    """The tenant that somebody is asked to join.

    Raises: Refusal(REQUEST_INVALID) where it has to be named.
    """
    tenants = call.principal.tenants_with(Permission.STAFF_MANAGE)
    if call.body.tenant is not None:
        return call.body.tenant
    if len(tenants) > 1 and THE_NETWORK not in tenants:
        raise refusal_of(("tenant", "is required of whoever works for several"))
    return min(tenants, default=THE_NETWORK)


def _shown(kept: Account) -> StaffAnswer:
    return StaffAnswer(
        id=kept.id,
        email=kept.email,
        name=kept.name,
        phone=kept.phone,
        tenant=kept.tenant,
        state=kept.state,
        grants=tuple(
            RoleAnswer(role=grant.role, tenant=grant.tenant)
            for grant in sorted(kept.grants, key=lambda grant: (grant.tenant, grant.role.value))
        ),
        second_factors=tuple(sorted(kept.second_factors)),
        facility_id=kept.facility_id,
        practitioner_id=kept.practitioner_id,
    )

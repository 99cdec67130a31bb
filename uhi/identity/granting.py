"""Who may give whom which role: administrators within their own tenant, roles of their own kind, nobody to themselves.

Pure. Above: `accounts`, `joining`. Source: security rules "IAM", the table of roles.
"""

from __future__ import annotations

from uhi.audit import Acting, ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, ANOTHER_PERSON_REQUIRED
from uhi.identity.principals import Grant, Principal
from uhi.identity.roles import AccessRole, Permission

_NETWORK = frozenset(
    {
        AccessRole.REGISTRY_VIEWER,
        AccessRole.REGISTRY_REVIEWER,
        AccessRole.REGISTRY_ADMIN,
        AccessRole.GATEWAY_OPERATOR,
        AccessRole.AUDITOR,
    }
)
_WHOLE = _NETWORK | {AccessRole.HOSPITAL_OPERATOR}
"""The roles of a whole program: they belong to no tenant of it."""
_SUBSCRIBER = frozenset({AccessRole.SUBSCRIBER_OWNER, AccessRole.SUBSCRIBER_DEVELOPER})
_HOSPITAL = frozenset(
    {
        AccessRole.HOSPITAL_ADMIN,
        AccessRole.HOSPITAL_FRONTDESK,
        AccessRole.CLINICIAN,
        AccessRole.FINANCE,
        AccessRole.AUDITOR,
    }
)
GIVES: dict[AccessRole, frozenset[AccessRole]] = {
    # Two different administrators decide about the network. One who could make the other would be both.
    AccessRole.REGISTRY_ADMIN: _NETWORK - {AccessRole.REGISTRY_ADMIN},
    AccessRole.SUBSCRIBER_OWNER: _SUBSCRIBER,
    # Of two operators one vouches for what the other entered: neither makes the other.
    AccessRole.HOSPITAL_OPERATOR: frozenset({AccessRole.AUDITOR}),
    AccessRole.HOSPITAL_ADMIN: _HOSPITAL,
}
"""Which roles somebody with a role may give and take, in the tenant where they have it."""

_OWNERS = frozenset({ActorKind.OPERATOR, ActorKind.SYSTEM})


def staff_tenants(by: Principal, acting: Acting) -> frozenset[str] | None:
    """The tenants whose people somebody may manage; None for all, which is for the machine's own operator.

    Raises: Refusal(ACCESS_DENIED) where there is none.
    """
    if acting.kind in _OWNERS:
        return None
    tenants = by.tenants_with(Permission.STAFF_MANAGE)
    if not tenants:
        raise Refusal(ACCESS_DENIED, "managing people takes an administrator")
    return tenants


def check_may_give(grant: Grant, *, by: Principal, acting: Acting) -> None:
    """See that somebody may give, or take away, a role in a tenant.

    Raises: Refusal(ACCESS_DENIED).
    """
    _check_place(grant)
    if acting.kind in _OWNERS:
        return
    may = {role for own in by.grants if own.tenant == grant.tenant for role in GIVES.get(own.role, frozenset())}
    if grant.role not in may:
        raise Refusal(ACCESS_DENIED, f"giving {grant.role.value} is for another administrator")


def check_is_another(account_id: str, acting: Acting) -> None:
    """See that nobody changes what they themselves may do.

    Raises: Refusal(ANOTHER_PERSON_REQUIRED).
    """
    if acting.actor == account_id:
        raise Refusal(
            ANOTHER_PERSON_REQUIRED, "nobody changes what they themselves may do", next_step="ask another administrator"
        )


def _check_place(grant: Grant) -> None:
    """Roles of a whole program are that program's, all others somebody's; a service's is its key's."""
    is_network = grant.role in _WHOLE - {AccessRole.AUDITOR}
    is_anywhere = grant.role is AccessRole.AUDITOR
    if grant.role is AccessRole.SERVICE or (not is_anywhere and is_network is bool(grant.tenant)):
        raise Refusal(ACCESS_DENIED, f"there is no {grant.role.value} in {grant.tenant or 'the network itself'}")

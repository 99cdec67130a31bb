"""Which organisations a call is about: the program's operator reads all of them, everybody else their own.

What is foreign is answered as what is not there. Above: the groups of routes; below: `uhi.identity.rules`. Source:
security rules "IAM".
"""

from __future__ import annotations

from participants.hospital.organisations.shelf import Tenants
from participants.hospital.organisations.writing import Seen
from uhi.api.problems import refusal_of
from uhi.api.routes import Body, Call
from uhi.identity.principals import PrincipalKind
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target

THE_PROGRAM = ""
"""The tenant of the program's operators."""

READS = Rule(Permission.ORGANISATION_READ, Relation.OWN_TENANT)
MANAGES = Rule(Permission.ORGANISATION_MANAGE, Relation.OWN_TENANT)
OPERATES = Rule(Permission.ORGANISATIONS_VERIFY, Relation.OWN_TENANT, second_factor=True)

_OF_OPERATORS = (Permission.ORGANISATION_READ, Permission.ORGANISATIONS_VERIFY)


def reach(call: Call[Body], organisation_id: str = "") -> Tenants:
    """The organisations that a call may touch: those of whoever calls, or the one that is named.

    Raises: Refusal(RECORD_MISSING) for another's.
    """
    tenants = _tenants(call)
    is_operator = THE_PROGRAM in tenants and call.principal.kind is PrincipalKind.PERSON
    if is_operator and call.rule.permission in _OF_OPERATORS:
        call.permit(Target(tenant=THE_PROGRAM))
        return frozenset({organisation_id}) if organisation_id else None
    if not organisation_id:
        return tenants
    call.permit(Target(tenant=organisation_id), path="organisation_id")
    return frozenset({organisation_id})


def own(call: Call[Body], organisation_id: str) -> str:
    """The organisation that something is added to: the one that is named, or the only one of whoever calls.

    Raises: Refusal(RECORD_MISSING) for another's; Refusal(REQUEST_INVALID) where it has to be named.
    """
    tenants = _tenants(call)
    if not organisation_id and len(tenants) == 1:
        (organisation_id,) = tenants
    if not organisation_id:
        raise refusal_of(("organisation_id", "is required of whoever works for several"))
    call.permit(Target(tenant=organisation_id), path="organisation_id")
    return organisation_id


def seen(call: Call[Body], version: int) -> Seen:
    """The record that the path names, as it was looked at."""
    return Seen(call.path["id"], version, reach(call))


def _tenants(call: Call[Body]) -> frozenset[str]:
    permission = call.rule.permission
    return call.principal.tenants_with(permission) if permission is not None else frozenset()

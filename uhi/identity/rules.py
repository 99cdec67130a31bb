"""Whether somebody may do something to some record: role, then tenant, then relation, then how they signed in.

Pure: a decision on values, and deny is what is left. Above: `uhi.api`. Source: security rules "IAM".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from uhi.errors import Refusal, SetupError
from uhi.faults import ACCESS_DENIED, FRESH_SIGN_IN_REQUIRED, RECORD_MISSING, SECOND_FACTOR_REQUIRED, SIGN_IN_REQUIRED
from uhi.identity.principals import Principal, PrincipalKind
from uhi.identity.roles import OF_STAFF, Permission

_CLOCKS = 60.0
"""How far the clocks of two machines of one program may be apart, in seconds."""


class Relation(Enum):
    """What must tie a principal to a record."""

    NONE = "none"
    OWN_ACCOUNT = "own account"
    OWN_TENANT = "own tenant"
    OWN_FACILITY = "own facility"
    OWN_PATIENTS = "own patients"
    OWN_RECORD = "own record"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route demands. `permission` None: nothing, anybody may (`PUBLIC`).

    A permission of staff takes a second factor in any case. `fresh_seconds` is how long ago the full sign-in may be.
    `reads_patients`: each call is an audited read of patient data. A relation other than NONE is checked by the route's
    handler against each record it touches (`Call.permit`).
    Raises: SetupError for a rule that demands something of anybody, which nobody would check.
    """

    permission: Permission | None
    relation: Relation = Relation.NONE
    second_factor: bool = False
    fresh_seconds: float | None = None
    reads_patients: bool = False

    def __post_init__(self) -> None:
        demands = (self.relation is not Relation.NONE, self.second_factor, self.fresh_seconds is not None)
        if self.permission is None and (any(demands) or self.reads_patients):
            raise SetupError(
                "a rule demands something of somebody who has not said who they are",
                expected="a permission, or the rule PUBLIC",
                next_step="name the permission that the route takes",
            )


PUBLIC = Rule(None)
"""Anybody, signed in or not: sign-in itself, and keys that are published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The record that is touched, as far as rules look at it.

    Its `tenant` is empty where it is the network's own; None, not said, is nobody's.
    """

    tenant: str | None = None
    account_id: str = ""
    facility_id: str = ""
    practitioner_id: str = ""
    patient_id: str = ""


def check(rule: Rule, principal: Principal, *, now: float) -> None:
    """Whether somebody may call a route at all.

    Raises: Refusal(SIGN_IN_REQUIRED, ACCESS_DENIED, SECOND_FACTOR_REQUIRED, FRESH_SIGN_IN_REQUIRED).
    """
    if rule.permission is None:
        return
    if principal.kind is PrincipalKind.NOBODY:
        raise Refusal(SIGN_IN_REQUIRED, next_step="sign in, or send an access token or an API key")
    if not principal.tenants_with(rule.permission):
        raise Refusal(
            ACCESS_DENIED,
            f"{principal.id} may not {rule.permission.value}",
            next_step="ask an administrator for a role, or a key, that may",
        )
    if principal.kind is PrincipalKind.SERVICE:
        if rule.second_factor or rule.fresh_seconds is not None:
            raise Refusal(ACCESS_DENIED, f"{principal.id} is a service, and this takes a person")
        return
    if (rule.second_factor or rule.permission in OF_STAFF) and not principal.has_second_factor:
        raise Refusal(SECOND_FACTOR_REQUIRED, next_step="sign in with a second factor")
    if rule.fresh_seconds is not None and not -_CLOCKS <= now - principal.signed_in_at <= rule.fresh_seconds:
        raise Refusal(FRESH_SIGN_IN_REQUIRED, next_step="sign in again and repeat this")


def check_target(rule: Rule, principal: Principal, target: Target, *, path: str = "") -> None:
    """Whether the record is theirs to touch; a foreign one is answered as one that is not there. `path` is where a
    request names it.

    Raises: Refusal(RECORD_MISSING).
    """
    if rule.permission is None or rule.relation is Relation.NONE:
        return
    tenants = principal.tenants_with(rule.permission)
    if not tenants or not _is_own(rule.relation, principal, target, tenants):
        raise Refusal(RECORD_MISSING, f"{principal.id} asked for what is not theirs", path=path, expected="one's own")


def _is_own(relation: Relation, principal: Principal, target: Target, tenants: frozenset[str]) -> bool:
    match relation:
        case Relation.OWN_ACCOUNT:
            return principal.kind is PrincipalKind.PERSON and _same(principal.id, target.account_id)
        case Relation.OWN_RECORD:
            return _same(principal.patient_id, target.patient_id)
        case Relation.OWN_TENANT:
            return target.tenant in tenants
        case Relation.OWN_FACILITY:
            return target.tenant in tenants and _same(principal.facility_id, target.facility_id)
        case Relation.OWN_PATIENTS:
            return target.tenant in tenants and _same(principal.practitioner_id, target.practitioner_id)
    return False


def _same(own: str, named: str) -> bool:
    return bool(own) and own == named

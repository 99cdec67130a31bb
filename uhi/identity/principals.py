"""Who makes a request: a person with a session, a service with an API key, or nobody.

Pure values. Above: `rules`, `uhi.api`; made by tokens, sessions and API keys alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from uhi.identity.roles import OF_PEOPLE_ONLY, ROLES, AccessRole, Permission


class PrincipalKind(Enum):
    """Human, machine, or not said."""

    PERSON = "person"
    SERVICE = "service"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a tenant; an empty tenant is the network itself (its registry and gateway)."""

    role: AccessRole
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, as far as was proven.

    `id` is the account's or the API key's. `scopes` are a service's permissions. `signed_in_at` (Unix seconds) is the
    last full sign-in; `has_second_factor` whether it included one. `facility_id`, `practitioner_id` and `patient_id`
    are what the account is tied to, each empty where it is not.
    """

    kind: PrincipalKind
    id: str = ""
    grants: frozenset[Grant] = frozenset()
    scopes: frozenset[Permission] = frozenset()
    tenant: str = ""
    session_id: str = ""
    signed_in_at: float = 0.0
    has_second_factor: bool = False
    facility_id: str = ""
    practitioner_id: str = ""
    patient_id: str = ""

    def tenants_with(self, permission: Permission) -> frozenset[str]:
        """The tenants within which it has a permission; empty for none."""
        match self.kind:
            case PrincipalKind.PERSON:
                return frozenset(grant.tenant for grant in self.grants if permission in ROLES[grant.role])
            case PrincipalKind.SERVICE if permission in self.scopes - OF_PEOPLE_ONLY:
                return frozenset({self.tenant})
        return frozenset()


NOBODY = Principal(kind=PrincipalKind.NOBODY)
"""Somebody who has not said who they are."""

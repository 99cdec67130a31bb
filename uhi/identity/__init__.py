"""People, services and what they may do: accounts, second factors, tokens, sessions, API keys, roles and rules.

Used by registry administrators, hospital staff and patients alike. Above: `uhi.api`; below: `uhi.audit`, the database.
Source: security rules "IAM".
"""

from uhi.identity.principals import NOBODY, Grant, Principal, PrincipalKind
from uhi.identity.roles import ROLES, AccessRole, Permission
from uhi.identity.rules import PUBLIC, Relation, Rule, Target, check

__all__ = [
    "NOBODY",
    "PUBLIC",
    "ROLES",
    "AccessRole",
    "Grant",
    "Permission",
    "Principal",
    "PrincipalKind",
    "Relation",
    "Rule",
    "Target",
    "check",
]

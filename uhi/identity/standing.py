"""What an account may do at this moment, without anything personal, and for how long its sessions last.

Read anew whenever a session is used: a role that was taken away, or an account that was closed, counts at once.
Above: `session_rows`, `api_keys`; below: the tables of identity. Source: security rules "IAM", refresh tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from uhi.identity.people import AccountState
from uhi.identity.principals import Grant
from uhi.identity.roles import ROLES, AccessRole, Permission
from uhi.storage.sql.identity_tables import account, account_grant

_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True, order=True)
class Limits:
    """How long a session lasts, and how long without being used; in seconds."""

    absolute: float
    idle: float


ADMIN_LIMITS = Limits(8 * _HOUR, 30 * _MINUTE)
STAFF_LIMITS = Limits(12 * _HOUR, 30 * _MINUTE)
PATIENT_LIMITS = Limits(30 * _DAY, 7 * _DAY)
_LIMITS = {AccessRole.REGISTRY_ADMIN: ADMIN_LIMITS, AccessRole.PATIENT: PATIENT_LIMITS}


@dataclass(frozen=True, slots=True)
class Standing:
    """An account in use. `credentials_at` is when its password or factors changed last, in Unix seconds."""

    account_id: str
    tenant: str
    grants: frozenset[Grant]
    credentials_at: float
    facility_id: str = ""
    practitioner_id: str = ""
    patient_id: str = ""

    @property
    def limits(self) -> Limits:
        """The strictest ones of all its roles; those of staff where it has none."""
        return min((_LIMITS.get(grant.role, STAFF_LIMITS) for grant in self.grants), default=STAFF_LIMITS)

    def allowed(self, permissions: frozenset[Permission], *, tenant: str) -> frozenset[Permission]:
        """Those of some permissions that it has within a tenant."""
        own = (ROLES[grant.role] for grant in self.grants if grant.tenant == tenant)
        return permissions & frozenset[Permission]().union(*own)


def standing_of(connection: Connection, account_id: str, *, locked: bool = False) -> Standing | None:
    """How an account stands now; None for one that is not there or not in use. `locked` keeps others from changing the
    account until this transaction ends."""
    in_use = (account.c.id == account_id, account.c.state == AccountState.ACTIVE.value)
    query = select(
        account.c.tenant,
        account.c.credentials_at,
        account.c.facility_id,
        account.c.practitioner_id,
        account.c.patient_id,
    ).where(*in_use)
    row = connection.execute(query.with_for_update(read=True) if locked else query).one_or_none()
    if row is None:
        return None
    granted = select(account_grant.c.role, account_grant.c.tenant).where(account_grant.c.account_id == account_id)
    named = ((AccessRole.read(role), tenant) for role, tenant in connection.execute(granted))
    return Standing(
        account_id,
        row.tenant,
        frozenset(Grant(role, tenant) for role, tenant in named if role is not None),
        row.credentials_at,
        row.facility_id,
        row.practitioner_id,
        row.patient_id,
    )

"""Which role may do what, as one table. What it does not name is denied.

Pure data. Above: `rules`. Source: security rules "IAM", the table of roles.
"""

from __future__ import annotations

from enum import Enum


class Permission(Enum):
    """One thing that may be allowed; the value is how API keys and tokens spell it."""

    ACCOUNT_OWN = "account.own"
    STAFF_MANAGE = "staff.manage"
    API_KEYS_MAKE = "api_keys.make"
    REGISTRY_READ = "registry.read"
    REGISTRY_REVIEW = "registry.review"
    REGISTRY_DECIDE = "registry.decide"
    SUBSCRIBER_OWN = "subscriber.own"
    DELIVERIES_OPERATE = "deliveries.operate"
    ORGANISATIONS_VERIFY = "organisations.verify"
    ORGANISATION_MANAGE = "organisation.manage"
    ORGANISATION_READ = "organisation.read"
    SCHEDULES_MANAGE = "schedules.manage"
    APPOINTMENTS_DESK = "appointments.desk"
    APPOINTMENTS_CLINICAL = "appointments.clinical"
    RECORDS_OWN = "records.own"
    MONEY_MANAGE = "money.manage"
    AUDIT_READ = "audit.read"


class AccessRole(Enum):
    """A person's or a service's role; the value is how grants and tokens spell it."""

    REGISTRY_VIEWER = "registry.viewer"
    REGISTRY_REVIEWER = "registry.reviewer"
    REGISTRY_ADMIN = "registry.admin"
    GATEWAY_OPERATOR = "gateway.operator"
    SUBSCRIBER_OWNER = "subscriber.owner"
    SUBSCRIBER_DEVELOPER = "subscriber.developer"
    HOSPITAL_OPERATOR = "hospital.operator"
    HOSPITAL_ADMIN = "hospital.admin"
    HOSPITAL_FRONTDESK = "hospital.frontdesk"
    CLINICIAN = "clinician"
    FINANCE = "finance"
    PATIENT = "patient"
    AUDITOR = "auditor"
    SERVICE = "service"

    @classmethod
    def read(cls, text: str) -> AccessRole | None:
        """The role that is spelled so, else None."""
        return _BY_VALUE.get(text)


_BY_VALUE = {role.value: role for role in AccessRole}

ROLES: dict[AccessRole, frozenset[Permission]] = {
    role: frozenset(permissions)
    for role, permissions in {
        AccessRole.REGISTRY_VIEWER: (Permission.ACCOUNT_OWN, Permission.REGISTRY_READ),
        AccessRole.REGISTRY_REVIEWER: (Permission.ACCOUNT_OWN, Permission.REGISTRY_READ, Permission.REGISTRY_REVIEW),
        AccessRole.REGISTRY_ADMIN: (
            Permission.ACCOUNT_OWN,
            Permission.REGISTRY_READ,
            Permission.REGISTRY_REVIEW,
            Permission.REGISTRY_DECIDE,
            Permission.STAFF_MANAGE,
            Permission.API_KEYS_MAKE,
        ),
        AccessRole.GATEWAY_OPERATOR: (Permission.ACCOUNT_OWN, Permission.DELIVERIES_OPERATE),
        AccessRole.SUBSCRIBER_OWNER: (
            Permission.ACCOUNT_OWN,
            Permission.SUBSCRIBER_OWN,
            Permission.STAFF_MANAGE,
            Permission.API_KEYS_MAKE,
        ),
        AccessRole.SUBSCRIBER_DEVELOPER: (
            Permission.ACCOUNT_OWN,
            Permission.SUBSCRIBER_OWN,
            Permission.API_KEYS_MAKE,
        ),
        # Of a program that serves several hospitals: takes them in, and looks at no patient.
        AccessRole.HOSPITAL_OPERATOR: (
            Permission.ACCOUNT_OWN,
            Permission.STAFF_MANAGE,
            Permission.ORGANISATIONS_VERIFY,
            Permission.ORGANISATION_READ,
            Permission.DELIVERIES_OPERATE,
        ),
        AccessRole.HOSPITAL_ADMIN: (
            Permission.ACCOUNT_OWN,
            Permission.STAFF_MANAGE,
            Permission.API_KEYS_MAKE,
            Permission.ORGANISATION_MANAGE,
            Permission.ORGANISATION_READ,
            Permission.SCHEDULES_MANAGE,
            Permission.APPOINTMENTS_DESK,
        ),
        AccessRole.HOSPITAL_FRONTDESK: (
            Permission.ACCOUNT_OWN,
            Permission.ORGANISATION_READ,
            Permission.APPOINTMENTS_DESK,
        ),
        AccessRole.CLINICIAN: (
            Permission.ACCOUNT_OWN,
            Permission.ORGANISATION_READ,
            Permission.APPOINTMENTS_CLINICAL,
        ),
        AccessRole.FINANCE: (Permission.ACCOUNT_OWN, Permission.MONEY_MANAGE),
        AccessRole.PATIENT: (Permission.ACCOUNT_OWN, Permission.RECORDS_OWN),
        AccessRole.AUDITOR: (Permission.ACCOUNT_OWN, Permission.AUDIT_READ),
        # A service has what the scopes of its key say, and nothing by its role.
        AccessRole.SERVICE: (),
    }.items()
}
"""The table."""

OF_PEOPLE_ONLY = frozenset(
    {
        Permission.ACCOUNT_OWN,
        Permission.STAFF_MANAGE,
        Permission.API_KEYS_MAKE,
        Permission.REGISTRY_REVIEW,
        Permission.REGISTRY_DECIDE,
        Permission.RECORDS_OWN,
    }
)
"""What takes a human being: no API key has it, whatever its scopes say."""

OF_STAFF = frozenset(Permission) - {Permission.ACCOUNT_OWN, Permission.RECORDS_OWN}
"""What staff and administrators do: of people it takes a second factor, whether a route's rule says so or not."""

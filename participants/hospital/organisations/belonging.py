"""What somebody of a hospital's staff belongs to: an organisation that is there, and a clinician to their own record.

Functions on a connection. Above: the settings, imports; below: `shelf`, `people`. Source: security rules "IAM".
"""

from __future__ import annotations

from sqlalchemy import Connection

from participants.hospital.organisations.people import in_sight
from participants.hospital.organisations.shelf import ORGANISATIONS, PRACTITIONERS
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING, REQUEST_INVALID
from uhi.identity.people import Account
from uhi.identity.roles import AccessRole


def check_organisation(connection: Connection, organisation_id: str, *, path: str) -> None:
    """See that an organisation is there.

    Raises: Refusal(RECORD_MISSING).
    """
    if ORGANISATIONS.find(connection, ORGANISATIONS.table.c.id == organisation_id) is None:
        raise Refusal(
            RECORD_MISSING,
            "there is no organisation with this id",
            path=path,
            got=organisation_id,
            expected="the id of an organisation that is here",
            next_step="`uhi hospital list` shows them, and GET /v1/organisations",
        )


def check_belongs(connection: Connection, account: Account) -> None:
    """See that there is what an account belongs to, and that clinicians, and nobody else, have a practitioner's record.

    Raises: Refusal(RECORD_MISSING) for what is not there; Refusal(REQUEST_INVALID) for a role without its record.
    """
    tenants = frozenset(grant.tenant for grant in account.grants if grant.tenant)
    for tenant in sorted(tenants):
        check_organisation(connection, tenant, path="tenant")
    is_clinician = any(grant.role is AccessRole.CLINICIAN for grant in account.grants)
    if is_clinician is not bool(account.practitioner_id):
        raise Refusal(
            REQUEST_INVALID,
            "a clinician, and nobody else, is tied to the record of a practitioner",
            path="practitioner_id",
            got="no practitioner" if is_clinician else "a practitioner for another role",
            expected="the id of a practitioner together with the role clinician",
            next_step="name both or neither",
        )
    own = PRACTITIONERS.table.c.id == account.practitioner_id
    if account.practitioner_id and PRACTITIONERS.find(connection, own, *in_sight(tenants)) is None:
        raise Refusal(
            RECORD_MISSING,
            "nobody with this id practises in the organisation",
            path="practitioner_id",
            got=account.practitioner_id,
            expected="the id of one of its practitioners",
            next_step="`uhi hospital list --organisation ID` shows them, and GET /v1/practitioners",
        )

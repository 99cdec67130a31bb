"""Identity as a REST interface: all its groups of routes, and the doorkeeper that its proofs make.

Above: programs, which add groups of their own behind the same door; below: the `…_routes` modules.
"""

from __future__ import annotations

from collections.abc import Sequence

from uhi.api.account_routes import AccountPages
from uhi.api.audit_routes import AuditPages
from uhi.api.doorkeeper import Doorkeeper, IdentityProofs, Pace
from uhi.api.factor_routes import FactorPages
from uhi.api.joining_routes import JoiningPages, RegistrationPages
from uhi.api.key_routes import KeyPages
from uhi.api.origins import Sites
from uhi.api.routes import Routes
from uhi.api.session_routes import SessionPages
from uhi.api.sign_in_routes import SignInPages
from uhi.api.staff_routes import StaffPages
from uhi.audit.trail import AuditTrail
from uhi.identity.parts import IdentityParts
from uhi.ports import Windows

TITLE = "UHI identity and audit"
VERSION = "1"
_USUAL_PACE = Pace()


def identity_routes(parts: IdentityParts, trail: AuditTrail, *, for_patients: bool = True) -> Sequence[Routes]:
    """Signing in, joining, one's own account, staff, API keys, audit.

    Without `for_patients` nobody can make an account without being invited, and auditors see the e-mail addresses of
    who acted. Routes that take text messages are there where such are sent.
    """
    registration = (RegistrationPages(parts.joining).routes(),) if for_patients else ()
    return (
        SignInPages(parts.sign_in, parts.sessions, parts.accounts).routes(has_sms=parts.has_sms),
        SessionPages(parts.sessions, parts.tokens).routes(),
        *registration,
        JoiningPages(parts.joining, parts.recovery).routes(),
        AccountPages(parts.accounts, parts.contacts, parts.recovery).routes(has_sms=parts.has_sms),
        FactorPages(parts.second_factors).routes(has_sms=parts.has_sms),
        StaffPages(parts.accounts, parts.joining).routes(),
        KeyPages(parts.api_keys).routes(),
        AuditPages(trail, None if for_patients else parts.accounts.emails).routes(),
    )


def doorkeeper_of(parts: IdentityParts, *, sites: Sites, windows: Windows, pace: Pace = _USUAL_PACE) -> Doorkeeper:
    """A doorkeeper who knows the people and programs of an identity."""
    proofs = IdentityProofs(tokens=parts.tokens, keys=parts.api_keys, sessions=parts.sessions, clock=parts.store.clock)
    return Doorkeeper(proofs=proofs, sites=sites, windows=windows, pace=pace)

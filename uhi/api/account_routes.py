"""One's own account over HTTP: profile, addresses, password, and its end.

Above: programs; below: `uhi.identity.accounts`, `uhi.identity.contacts`, `uhi.identity.recovery`.
Source: security rules "IAM".
"""

from __future__ import annotations

from dataclasses import dataclass

from uhi.api.fields import CodeText, EmailText, NameText, PasswordText, PhoneText
from uhi.api.routes import FORGOTTEN, Answer, Body, Call, Nothing, Routes, Sent
from uhi.api.session_routes import OWN
from uhi.faults import NO_LETTERS, SIGN_IN_FAILED, STATE_REFUSED
from uhi.identity.accounts import Accounts
from uhi.identity.contacts import Contacts
from uhi.identity.people import Account
from uhi.identity.recovery import PasswordChange, Recovery
from uhi.identity.roles import AccessRole, Permission
from uhi.identity.rules import Relation, Rule

OWN_FRESH = Rule(Permission.ACCOUNT_OWN, Relation.OWN_ACCOUNT, fresh_seconds=300)


class ProfileBody(Body):
    """What one changes of one's own account by oneself."""

    name: NameText


class EmailBody(Body):
    """Another e-mail address."""

    email: EmailText


class PhoneBody(Body):
    """Another telephone number, or the same, to verify it."""

    phone: PhoneText


class ReceivedCode(Body):
    """The code that was sent there."""

    code: CodeText


class PasswordChangeBody(Body):
    """The password one has, and the one one wants."""

    old: PasswordText
    new: PasswordText


class RoleAnswer(Answer):
    """A role within a tenant; an empty tenant is the network itself."""

    role: AccessRole
    tenant: str


class AccountAnswer(Answer):
    """One's own account. `created_at` is Unix seconds."""

    id: str
    email: str
    is_email_verified: bool
    phone: str
    is_phone_verified: bool
    name: str
    tenant: str
    grants: tuple[RoleAnswer, ...]
    second_factors: tuple[str, ...]
    facility_id: str
    practitioner_id: str
    patient_id: str
    created_at: float


@dataclass(frozen=True, slots=True)
class AccountPages:
    """What people do with their own account."""

    accounts: Accounts
    contacts: Contacts
    recovery: Recovery

    def routes(self, *, has_sms: bool) -> Routes:
        """The group of routes; `has_sms`: those with text messages too."""
        group = Routes("account")
        changed = (STATE_REFUSED,)
        group.route("GET", "/v1/account", OWN, body=Nothing, answer=AccountAnswer)(self.get_account)
        group.route("PATCH", "/v1/account", OWN, body=ProfileBody, answer=AccountAnswer, refuses=changed)(
            self.change_profile
        )
        group.route("DELETE", "/v1/account", OWN_FRESH, body=Nothing, answer=None, refuses=changed)(self.close_account)
        email, refuses = "/v1/account/email", (NO_LETTERS,)
        group.route("POST", email, OWN_FRESH, body=EmailBody, answer=None, status=202, refuses=refuses)(
            self.change_email
        )
        group.route("POST", f"{email}/confirm", OWN_FRESH, body=ReceivedCode, answer=AccountAnswer, refuses=changed)(
            self.confirm_email
        )
        if has_sms:
            self._add_phone(group)
        group.route(
            "POST",
            "/v1/account/password",
            OWN,
            body=PasswordChangeBody,
            answer=None,
            refuses=(SIGN_IN_FAILED,),
            key="none",
        )(self.change_password)
        return group

    def _add_phone(self, group: Routes) -> None:
        start, answer = "/v1/account/phone", AccountAnswer
        group.route("POST", start, OWN_FRESH, body=PhoneBody, answer=None, status=202)(self.change_phone)
        group.route("POST", f"{start}/confirm", OWN_FRESH, body=ReceivedCode, answer=answer, refuses=(STATE_REFUSED,))(
            self.confirm_phone
        )

    async def get_account(self, call: Call[Nothing]) -> AccountAnswer:
        """One's own account."""
        return _shown(await self.accounts.get(call.principal.id))

    async def change_profile(self, call: Call[ProfileBody]) -> AccountAnswer:
        """Change one's own name."""
        return _shown(await self.accounts.rename(call.principal.id, call.body.name, acting=call.acting))

    async def close_account(self, call: Call[Nothing]) -> Sent[None]:
        """End one's own account, and every session with it."""
        await self.accounts.close(call.principal.id, acting=call.acting, by=call.principal)
        return Sent(None, FORGOTTEN)

    async def change_email(self, call: Call[EmailBody]) -> None:
        """Ask for a code at another e-mail address."""
        await self.contacts.begin_email(call.principal.id, call.body.email, acting=call.acting)

    async def confirm_email(self, call: Call[ReceivedCode]) -> AccountAnswer:
        """Change to the e-mail address that the code came from; other sessions end."""
        kept = await self.contacts.confirm_email(
            call.principal.id, call.body.code, acting=call.acting, keep_session=call.principal.session_id
        )
        return _shown(kept)

    async def change_phone(self, call: Call[PhoneBody]) -> None:
        """Ask for a code at another telephone number."""
        await self.contacts.begin_phone(call.principal.id, call.body.phone, acting=call.acting)

    async def confirm_phone(self, call: Call[ReceivedCode]) -> AccountAnswer:
        """Change to the telephone number that the code came to."""
        return _shown(await self.contacts.confirm_phone(call.principal.id, call.body.code, acting=call.acting))

    async def change_password(self, call: Call[PasswordChangeBody]) -> None:
        """Change one's own password; other sessions end."""
        change = PasswordChange(
            account_id=call.principal.id,
            old=call.body.old,
            new=call.body.new,
            keep_session=call.principal.session_id,
        )
        await self.recovery.change_password(change, acting=call.acting)


def _shown(kept: Account) -> AccountAnswer:
    grants = sorted(kept.grants, key=lambda grant: (grant.tenant, grant.role.value))
    return AccountAnswer(
        id=kept.id,
        email=kept.email,
        is_email_verified=kept.is_email_verified,
        phone=kept.phone,
        is_phone_verified=kept.is_phone_verified,
        name=kept.name,
        tenant=kept.tenant,
        grants=tuple(RoleAnswer(role=grant.role, tenant=grant.tenant) for grant in grants),
        second_factors=tuple(sorted(kept.second_factors)),
        facility_id=kept.facility_id,
        practitioner_id=kept.practitioner_id,
        patient_id=kept.patient_id,
        created_at=kept.created_at,
    )

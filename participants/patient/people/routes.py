"""One's family, consents and data over HTTP. Everything is one's own; what is another's is answered as missing.

Above: the program; below: `members`, `consents`, `own_data`. Source: security rules "IAM",
cases IAM-01, IAM-15, IAM-17.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from participants.patient.people.abha import read_abha_address, read_abha_number
from participants.patient.people.answers import (
    ConsentAnswer,
    ConsentBody,
    ConsentList,
    ErasedAnswer,
    ExportAnswer,
    MemberAnswer,
    MemberBody,
    MemberChange,
    MemberList,
    NoticeList,
    consent_answer,
    member_answer,
    notice_answer,
)
from participants.patient.people.consents import Consents
from participants.patient.people.members import Member, Members, Particulars
from participants.patient.people.notices import CURRENT, Purpose, notice_of
from participants.patient.people.own_data import Holder
from uhi.api.problems import refusal_of
from uhi.api.routes import FORGOTTEN, Body, Call, Nothing, Routes, Sent
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.identity.people import read_email
from uhi.identity.roles import Permission
from uhi.identity.rules import PUBLIC, Relation, Rule, Target

OWN = Rule(Permission.RECORDS_OWN, Relation.OWN_ACCOUNT)
OWN_READ = Rule(Permission.RECORDS_OWN, Relation.OWN_ACCOUNT, reads_patients=True)
OWN_FRESH = Rule(Permission.RECORDS_OWN, Relation.OWN_ACCOUNT, fresh_seconds=300)

_ONE = "/v1/members/{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleRoutes:
    """`has_check_digit`: an ABHA number whose check digit does not fit is refused."""

    members: Members
    consents: Consents
    holder: Holder
    has_check_digit: bool = True

    def routes(self) -> tuple[Routes, ...]:
        """The groups of routes."""
        return self._members(), self._consents(), self._data()

    def _members(self) -> Routes:
        group, kept = Routes("members"), (ALREADY_TAKEN, STATE_REFUSED)
        group.route("GET", "/v1/members", OWN_READ, body=Nothing, answer=MemberList)(self.list_members)
        group.route("POST", "/v1/members", OWN, body=MemberBody, answer=MemberAnswer, status=201, refuses=kept)(
            self.add_member
        )
        group.route("GET", _ONE, OWN_READ, body=Nothing, answer=MemberAnswer)(self.get_member)
        group.route("PATCH", _ONE, OWN, body=MemberChange, answer=MemberAnswer, refuses=kept)(self.change_member)
        group.route("DELETE", _ONE, OWN, body=Nothing, answer=None)(self.remove_member)
        return group

    def _consents(self) -> Routes:
        group, state = Routes("consents"), (STATE_REFUSED,)
        group.route("GET", "/v1/notices", PUBLIC, body=Nothing, answer=NoticeList, kept_seconds=300)(self.list_notices)
        group.route("GET", "/v1/consents", OWN, body=Nothing, answer=ConsentList)(self.list_consents)
        group.route("POST", "/v1/consents", OWN, body=ConsentBody, answer=ConsentAnswer, status=201, refuses=state)(
            self.give_consent
        )
        group.route("DELETE", "/v1/consents/{purpose}", OWN, body=Nothing, answer=ConsentAnswer, refuses=state)(
            self.withdraw_consent
        )
        return group

    def _data(self) -> Routes:
        group = Routes("own-data")
        fresh_read = replace(OWN_FRESH, reads_patients=True)
        group.route("GET", "/v1/own-data", fresh_read, body=Nothing, answer=ExportAnswer)(self.export_own_data)
        group.route("DELETE", "/v1/own-data", OWN_FRESH, body=Nothing, answer=ErasedAnswer, refuses=(STATE_REFUSED,))(
            self.erase_own_data
        )
        return group

    async def list_members(self, call: Call[Nothing]) -> MemberList:
        """One's family, oneself among them."""
        found = await self.members.of(_own(call))
        return MemberList(members=tuple(map(member_answer, found)))

    async def add_member(self, call: Call[MemberBody]) -> MemberAnswer:
        """Add somebody to book for."""
        body = call.body
        about = Particulars(
            name=body.name,
            relation=body.relation,
            phone=body.phone,
            address=body.address.read(),
            gender=body.gender,
            born=body.born,
            email=_read("email", read_email, body.email),
            abha_address=_read("abha_address", read_abha_address, body.abha_address),
            abha_number=_read("abha_number", self._number, body.abha_number),
        )
        return member_answer(await self.members.add(_own(call), about, acting=call.acting))

    async def get_member(self, call: Call[Nothing]) -> MemberAnswer:
        """One member."""
        return member_answer(await self._member(call))

    async def change_member(self, call: Call[MemberChange]) -> MemberAnswer:
        """Change what is named; the rest stays."""
        member, body = await self._member(call), call.body
        if body.version != member.version:
            raise Refusal(STATE_REFUSED, "the member was changed meanwhile", next_step="read it again")
        given = body.model_fields_set - {"version"}
        changes: dict[str, object] = {
            name: getattr(body, name) for name in given if getattr(body, name) is not None or name == "born"
        }
        readers = {"email": read_email, "abha_address": read_abha_address, "abha_number": self._number}
        for name, reader in readers.items():
            if name in changes:
                changes[name] = _read(name, reader, str(changes[name]))
        if body.address is not None:
            changes["address"] = body.address.read()
        about = replace(member.about, **changes)  # type: ignore[arg-type]  # the fields of both, by name
        return member_answer(await self.members.change(member, about, acting=call.acting))

    async def remove_member(self, call: Call[Nothing]) -> None:
        """Forget a member; what was booked for them stays booked."""
        await self.members.remove(await self._member(call), acting=call.acting)

    async def list_notices(self, _: Call[Nothing]) -> NoticeList:
        """What to show before asking for a consent."""
        return NoticeList(notices=tuple(map(notice_answer, CURRENT)))

    async def list_consents(self, call: Call[Nothing]) -> ConsentList:
        """One's consents, those that were withdrawn too."""
        return ConsentList(consents=tuple(map(consent_answer, await self.consents.of(_own(call)))))

    async def give_consent(self, call: Call[ConsentBody]) -> ConsentAnswer:
        """Consent to a notice that was shown."""
        notice = notice_of(call.body.purpose, call.body.language)
        if notice.text_hash != call.body.text_hash:
            raise Refusal(STATE_REFUSED, "another text is in force", next_step="show GET /v1/notices and ask again")
        return consent_answer(await self.consents.give(_own(call), notice, acting=call.acting))

    async def withdraw_consent(self, call: Call[Nothing]) -> ConsentAnswer:
        """Withdraw a consent, by its purpose, with effect at once."""
        if call.path["purpose"] not in set(Purpose):
            raise Refusal(RECORD_MISSING, "there is no such purpose")
        purpose = Purpose(call.path["purpose"])
        return consent_answer(await self.consents.withdraw(_own(call), purpose, acting=call.acting))

    async def export_own_data(self, call: Call[Nothing]) -> ExportAnswer:
        """Everything that is kept about one, nothing of it hidden."""
        return ExportAnswer(exported_at=call.now, data=await self.holder.export(_own(call), acting=call.acting))

    async def erase_own_data(self, call: Call[Nothing]) -> Sent[ErasedAnswer]:
        """Erase everything about one and close the account; refused while appointments are ahead."""
        done = await self.holder.erase(_own(call), acting=call.acting)
        return Sent(ErasedAnswer(rows=dict(done.rows), stays=done.stays), FORGOTTEN)

    async def _member(self, call: Call[Body]) -> Member:
        member = await self.members.get(call.path["id"])
        call.permit(Target(account_id=member.account_id))
        return member

    def _number(self, text: str) -> str:
        return read_abha_number(text, has_check_digit=self.has_check_digit)


def _own(call: Call[Body]) -> str:
    """The id of the account that asks."""
    call.permit(Target(account_id=call.principal.id))
    return call.principal.id


def _read(path: str, read: Callable[[str], str], text: str) -> str:
    if not text:
        return ""
    try:
        return read(text)
    except ValueError as error:
        raise refusal_of((path, str(error))) from None

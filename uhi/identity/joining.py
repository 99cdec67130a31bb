"""How people come to have an account: patients by themselves, staff by invitation.

A registration is an account only once its code came back, so that nobody can tell, or take, another's address. Above:
`uhi.api`; below: `account_rows`, codes, letters. Source: security rules "IAM".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from uhi.audit import Acting, ActorKind
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.exchange.rates import place_of
from uhi.exchange.row_ids import new_row_id
from uhi.faults import ALREADY_TAKEN, CODE_INVALID, STATE_REFUSED
from uhi.identity.account_rows import AccountRows, Belonging, anywhere, keep_password
from uhi.identity.granting import check_may_give
from uhi.identity.letter_tokens import LetterTokens, TokenPurpose, Waiting
from uhi.identity.notices import Notices
from uhi.identity.one_time_codes import CodePurpose, OneTimeCodes
from uhi.identity.passwords import Passwords
from uhi.identity.people import Account, AccountState, Ties, needs_second_factor, read_email, read_name, read_phone
from uhi.identity.principals import NOBODY, Grant, Principal
from uhi.identity.roles import AccessRole
from uhi.identity.sending import check_leaves, reaches_somebody
from uhi.identity.store import IdentityStore, digest_of_token, new_token
from uhi.identity.throttles import LETTERS_BY_ADDRESS, take


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a patient gives to have an account."""

    email: str = field(repr=False)
    password: str = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Who is asked to join, with which role where. The role's tenant is where the account belongs."""

    email: str = field(repr=False)
    name: str = field(repr=False)
    grant: Grant
    phone: str = field(default="", repr=False)
    ties: Ties = field(default_factory=Ties)


@dataclass(frozen=True, slots=True)
class Invited:
    """An account that waits for its owner, and the token (shown once, also sent by e-mail) that lets them in."""

    account: Account
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entrance:
    """What joining stands on; `belongs` sees that there is what somebody is invited to."""

    store: IdentityStore
    passwords: Passwords
    codes: OneTimeCodes
    notices: Notices
    belongs: Belonging = anywhere


class Joining:
    """Makes accounts. `patients_tenant` is where those belong who come by themselves."""

    def __init__(self, parts: Entrance, *, patients_tenant: str) -> None:
        self._parts = parts
        self._store = parts.store
        self._passwords = parts.passwords
        self._codes = parts.codes
        self._notices = parts.notices
        self._tokens = LetterTokens(parts.store.sealing)
        self._patients_tenant = patients_tenant

    async def register(self, application: Application, *, address: str) -> str:
        """Begin a patient's account: a code goes out by e-mail. Returns the ticket that `confirm` takes with it.

        For an address that has an account everything is the same, but the letter says so and no code is right.
        Raises: Refusal(REQUEST_INVALID, TOO_MANY_TRIES, NO_LETTERS).
        """
        check_leaves(self._notices.sender)
        email, name = read_email(application.email), read_name(application.name)
        phone = read_phone(application.phone) if application.phone else ""
        await take(self._store, (LETTERS_BY_ADDRESS, place_of(address)))
        password = await self._passwords.hash_new(application.password, about=(email, name), is_only_factor=True)
        rows, ticket, now = await self._rows(), new_token(), self._store.clock.now()
        texts = {"email": email, "name": name, "phone": phone, "password": password}
        waiting = Waiting(purpose=TokenPurpose.REGISTRATION, texts=texts)

        def keep(connection: Connection) -> bool:
            self._tokens.keep(connection, ticket, waiting, now=now)
            return rows.by_email(connection, email) is not None

        is_known = await self._store.database.write(keep)
        code = await self._codes.make(CodePurpose.REGISTRATION, digest_of_token(ticket), target=email)
        if is_known:
            self._notices.known_already(email)
        else:
            self._notices.code(email, code)
        return ticket

    async def confirm(self, ticket: str, code: str, *, acting: Acting) -> Account:
        """Make the account of a registration, with the role of a patient.

        Raises: Refusal(CODE_INVALID).
        """
        await self._codes.use(CodePurpose.REGISTRATION, digest_of_token(ticket), code)
        rows, now = await self._rows(), self._store.clock.now()

        def make(connection: Connection) -> Account:
            texts = self._tokens.use(connection, ticket, TokenPurpose.REGISTRATION, now=now).texts
            made = self._patient(texts, now)
            try:
                kept = rows.insert(connection, made, password=texts["password"], at=now)
            except Refusal as refusal:
                if refusal.fault is not ALREADY_TAKEN:
                    raise
                raise Refusal(CODE_INVALID, "an account was made for this address meanwhile") from None
            own = replace(acting, actor=made.id) if acting.actor in {"", "nobody"} else acting
            append(connection, own.entry("account.register", f"account {made.id}", at=now, after=rows.digest(kept)))
            return kept

        return await self._store.database.write(make)

    async def invite(self, invitation: Invitation, *, acting: Acting, by: Principal = NOBODY) -> Invited:
        """Make an account that waits for its owner, and write to them. Whoever has not accepted yet gets a new token.

        Where no letters leave, only the machine's operator may, who is shown the token.
        Raises: Refusal(ACCESS_DENIED, REQUEST_INVALID); Refusal(ALREADY_TAKEN) where the address has an account;
        Refusal(STATE_REFUSED) where they would get no letter; what the program's `belongs` raises.
        """
        check_may_give(invitation.grant, by=by, acting=acting)
        if acting.kind is not ActorKind.OPERATOR and not reaches_somebody(self._notices.sender):
            raise Refusal(
                STATE_REFUSED,
                "nobody can be invited from here, since no letters leave",
                expected="a mail server",
                next_step="whoever runs the program sets UHI_SMTP_HOST, or invites with `admin invite` at the command "
                "line, which shows the token",
            )
        rows, token, now = await self._rows(), new_token(), self._store.clock.now()
        made = self._invited(invitation, now)

        def make(connection: Connection) -> Account:
            known = rows.by_email(connection, made.email)
            if known is None:
                kept = rows.insert(connection, made, password=None, at=now)
            else:
                kept = rows.change(connection, known.account, _again(known.account, made), at=now, by=acting.actor)
            self._parts.belongs(connection, kept)
            self._tokens.keep(connection, token, Waiting(purpose=TokenPurpose.INVITATION, account_id=kept.id), now=now)
            entry = acting.entry("account.invite", f"account {kept.id}", at=now, after=rows.digest(kept))
            append(connection, entry)
            return kept

        kept = await self._store.database.write(make)
        self._notices.invitation(kept.email, token)
        return Invited(kept, token)

    async def accept(self, token: str, password: str, *, acting: Acting) -> Account:
        """Take an invitation up, choosing a password. Whoever has the token has read the e-mail, so that is verified.

        Raises: Refusal(CODE_INVALID, REQUEST_INVALID).
        """
        rows, now = await self._rows(), self._store.clock.now()

        def look(connection: Connection) -> Account:
            waiting = self._tokens.find(connection, token, TokenPurpose.INVITATION, now=now)
            return rows.by_id(connection, waiting.account_id)

        invited = await self._store.database.read(look)
        hashed = await self._passwords.hash_new(
            password, about=(invited.email, invited.name), is_only_factor=not needs_second_factor(invited)
        )

        def take(connection: Connection) -> Account:
            waiting = self._tokens.use(connection, token, TokenPurpose.INVITATION, now=now)
            before = rows.by_id(connection, waiting.account_id, lock=True)
            if before.state is not AccountState.INVITED:
                raise Refusal(CODE_INVALID, "the invitation is over")
            after = replace(before, state=AccountState.ACTIVE, is_email_verified=True)
            kept = rows.change(connection, before, after, at=now)
            keep_password(connection, kept.id, hashed)
            own = replace(acting, actor=kept.id) if acting.actor in {"", "nobody"} else acting
            digest, earlier = rows.digest(kept), rows.digest(before)
            append(connection, own.entry("account.accept", f"account {kept.id}", at=now, before=earlier, after=digest))
            return kept

        return await self._store.database.write(take)

    async def _rows(self) -> AccountRows:
        return AccountRows(self._store.sealing, await self._store.keyed())

    def _patient(self, texts: dict[str, str], now: float) -> Account:
        account_id = new_row_id(now)
        return Account(
            id=account_id,
            email=texts["email"],
            name=texts["name"],
            phone=texts["phone"],
            tenant=self._patients_tenant,
            grants=frozenset({Grant(AccessRole.PATIENT, self._patients_tenant)}),
            is_email_verified=True,
            patient_id=account_id,
            created_at=now,
        )

    def _invited(self, invitation: Invitation, now: float) -> Account:
        return Account(
            id=new_row_id(now),
            email=read_email(invitation.email),
            name=read_name(invitation.name),
            phone=read_phone(invitation.phone) if invitation.phone else "",
            tenant=invitation.grant.tenant,
            grants=frozenset({invitation.grant}),
            state=AccountState.INVITED,
            facility_id=invitation.ties.facility_id,
            practitioner_id=invitation.ties.practitioner_id,
            patient_id=invitation.ties.patient_id,
            created_at=now,
        )


def _again(known: Account, made: Account) -> Account:
    """The account of an invitation that was not accepted yet, to the same tenant."""
    if known.state is not AccountState.INVITED or known.tenant != made.tenant:
        raise Refusal(ALREADY_TAKEN, "another account has this e-mail address", path="email")
    return replace(made, id=known.id, grants=known.grants | made.grants, created_at=known.created_at)

"""All of identity on one database, put together. Above: composition roots and `uhi.api`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from uhi.errors import Refusal
from uhi.identity.account_rows import Belonging, anywhere
from uhi.identity.accounts import Accounts
from uhi.identity.api_keys import ApiKeys
from uhi.identity.contacts import ContactParts, Contacts
from uhi.identity.joining import Entrance, Joining
from uhi.identity.notices import Notices
from uhi.identity.one_time_codes import OneTimeCodes
from uhi.identity.passwords import PasswordCost, Passwords
from uhi.identity.recovery import Recovery, RecoveryParts
from uhi.identity.second_factors import FactorParts, SecondFactors
from uhi.identity.sending import KeptLetters, Sender
from uhi.identity.sessions import Sessions
from uhi.identity.sign_in import SignIn, SignInParts
from uhi.identity.store import IdentityStore
from uhi.identity.tidying import tidy
from uhi.identity.token_keys import Rotation, TokenKeys
from uhi.identity.tokens import AccessTokens
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database

PATIENTS = "patients"
"""Where those belong who come by themselves, if a program says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOptions:
    """What is the operator's choice.

    `name` is what people read in letters and authenticator apps; `site` where the links of letters lead. `sender` takes
    the letters; without one they are kept in memory and nobody gets them. `has_sms`: it takes text messages too; where
    it does not, nobody is offered any. `belongs` sees that there is what somebody is invited or tied to.
    `patients_tenant` is where those belong who come by themselves. `breached` is a file of breached passwords.
    `issuer`, `audience` and the folder `token_keys` are those of access tokens.
    """

    token_keys: Path
    issuer: str
    audience: str
    name: str = "UHI"
    site: str = ""
    sender: Sender = field(default_factory=KeptLetters)
    has_sms: bool = True
    belongs: Belonging = anywhere
    patients_tenant: str = PATIENTS
    password_cost: PasswordCost = field(default_factory=PasswordCost)
    breached: Path | None = None
    rotation: Rotation = field(default_factory=Rotation)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityParts:
    """Everything of identity."""

    store: IdentityStore
    accounts: Accounts
    joining: Joining
    sign_in: SignIn
    second_factors: SecondFactors
    codes: OneTimeCodes
    contacts: Contacts
    recovery: Recovery
    notices: Notices
    token_keys: TokenKeys
    tokens: AccessTokens
    sessions: Sessions
    api_keys: ApiKeys
    has_sms: bool = True

    async def tidy(self) -> int:
        """Delete what is over; returns how many rows. To be called once in a while."""
        now = self.store.clock.now()
        deleted = await self.store.database.write(lambda connection: tidy(connection, now=now))
        return deleted + await self.sessions.forget()

    async def aclose(self) -> None:
        """End the letters that are under way."""
        await self.notices.aclose()


def identity_of(database: Database, sealing: Sealing, clock: Clock, options: IdentityOptions) -> IdentityParts:
    """Identity on a database; nothing of it is touched yet.

    Raises: SetupError when the keys of tokens, or the file of breached passwords, cannot be used.
    """
    store = IdentityStore(database, sealing=sealing, clock=clock)
    accounts, codes = Accounts(store, belongs=options.belongs), OneTimeCodes(store)
    passwords = Passwords(options.password_cost, breached=options.breached)
    notices = Notices(options.sender, options.name, options.site)
    factors = SecondFactors(
        FactorParts(store, accounts, passwords, codes, notices), issuer=options.name, has_sms=options.has_sms
    )
    entrance = Entrance(store, passwords, codes, notices, options.belongs)
    token_keys = TokenKeys.open(options.token_keys, clock=clock, rotation=options.rotation)
    tokens = AccessTokens(token_keys, issuer=options.issuer, audience=options.audience)

    async def tell(account_id: str, session_id: str) -> None:
        try:
            notices.stolen((await accounts.get(account_id)).email)
        except Refusal:
            return

    return IdentityParts(
        store=store,
        accounts=accounts,
        joining=Joining(entrance, patients_tenant=options.patients_tenant),
        sign_in=SignIn(SignInParts(store, accounts, passwords, factors)),
        second_factors=factors,
        codes=codes,
        contacts=Contacts(ContactParts(store, accounts, codes, notices)),
        recovery=Recovery(RecoveryParts(store, accounts, passwords, notices)),
        notices=notices,
        token_keys=token_keys,
        tokens=tokens,
        sessions=Sessions(database, tokens, on_reuse=tell),
        api_keys=ApiKeys(database),
        has_sms=options.has_sms,
    )

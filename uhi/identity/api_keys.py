"""API keys of services: shown once, kept as SHA-256, for a year at most, and never more than their maker may do.

That holds for as long as a key lives: what its maker loses it loses too, and it ends with the maker's account.
Above: `uhi.api`; below: `standing`, the table `api_key`. Source: security rules "IAM", the row on API keys.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Row, insert, or_, select, update

from uhi.audit import Acting, digest_of
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, RECORD_MISSING, REQUEST_INVALID, TOKEN_INVALID
from uhi.identity.principals import Principal, PrincipalKind
from uhi.identity.recent import Recent
from uhi.identity.roles import OF_PEOPLE_ONLY, Permission
from uhi.identity.standing import standing_of
from uhi.identity.store import digest_of_token, new_token
from uhi.storage.sql.database import Database
from uhi.storage.sql.identity_tables import api_key

LONGEST_DAYS = 365
RECENT_SECONDS = 1.0
TOUCH_SECONDS = 60.0
KEY_START = "uhi_live_"
_ID = re.compile("[0-9a-f]{16}")
_KEY = re.compile(f"{KEY_START}({_ID.pattern})_[A-Za-z0-9_-]{{43}}")
_LONGEST_NAME = 100
_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWanted:
    """What a new key is to be: its name for people, what it may do within which tenant, and for how many days."""

    name: str
    tenant: str
    scopes: frozenset[Permission]
    days: float = LONGEST_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key, as it may be shown; times are Unix seconds. `created_by` is the maker's account."""

    id: str
    name: str
    tenant: str
    scopes: frozenset[Permission]
    created_by: str
    created_at: float
    expires_at: float
    last_used_at: float | None = None
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made; `text` is the key itself, which nobody can show again."""

    key: ApiKey
    text: str = field(repr=False)


class ApiKeys:
    """The keys in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._recent: Recent[Principal] = Recent(self._clock, seconds=RECENT_SECONDS)

    async def make(self, wanted: KeyWanted, *, maker: Principal, acting: Acting) -> NewApiKey:
        """A new key of a person.

        Raises: Refusal(REQUEST_INVALID) for a name, time or scope that no key has; Refusal(ACCESS_DENIED) for a scope
        that the maker does not have within the tenant now.
        """
        _check(wanted)
        if maker.kind is not PrincipalKind.PERSON:
            raise Refusal(ACCESS_DENIED, f"{maker.id} is a service, and only people make API keys")
        now = self._clock.now()
        made = ApiKey(
            id=secrets.token_hex(8),
            name=wanted.name,
            tenant=wanted.tenant,
            scopes=wanted.scopes,
            created_by=maker.id,
            created_at=now,
            expires_at=now + wanted.days * _A_DAY,
        )
        text = f"{KEY_START}{made.id}_{new_token()}"

        def work(connection: Connection) -> None:
            standing = standing_of(connection, maker.id)
            own = standing.allowed(wanted.scopes, tenant=wanted.tenant) if standing else frozenset()
            if wanted.scopes - own:
                raise Refusal(ACCESS_DENIED, f"{maker.id} would give a key more than they may do themselves")
            connection.execute(insert(api_key), {**_facts(made), "digest": digest_of_token(text)})
            append(connection, acting.entry("api_key.make", _named(made.id), at=now, after=digest_of(_facts(made))))

        await self._database.write(work)
        return NewApiKey(made, text)

    async def principal_of(self, text: str) -> Principal:
        """The service that a key stands for, with what of its scopes its maker still has. A revocation counts within a
        second.

        Raises: Refusal(TOKEN_INVALID) for a key that is none, revoked or over, or whose maker's account is closed.
        """
        named = _KEY.fullmatch(text)
        if named is None:
            raise _invalid("does not have the form of one")
        digest, now = digest_of_token(text), self._clock.now()
        known = self._recent.get(digest)
        if known is not None:
            return known
        kept, principal = await self._database.read(lambda connection: _find(connection, named[1], digest, now))
        self._recent.keep(digest, principal, asked_at=now)
        if kept.last_used_at is None or now - kept.last_used_at >= TOUCH_SECONDS:
            self._database.later(touch_api_keys, (kept.id, now))
        return principal

    async def find(self, key_id: str) -> ApiKey:
        """A key by its id.

        Raises: Refusal(RECORD_MISSING).
        """
        return await self._database.read(lambda connection: _read(connection, key_id))

    async def of_tenant(self, tenant: str) -> Sequence[ApiKey]:
        """The keys of a tenant, those that do not count any more among them, in the order of their making."""
        query = select(api_key).where(api_key.c.tenant == tenant).order_by(api_key.c.created_at, api_key.c.id)
        return await self._database.read(lambda connection: [_key_of(row) for row in connection.execute(query)])

    async def revoke(self, key_id: str, *, acting: Acting) -> ApiKey:
        """End a key; one that was revoked before stays as it is.

        Raises: Refusal(RECORD_MISSING).
        """
        now = self._clock.now()

        def work(connection: Connection) -> ApiKey:
            before = _read(connection, key_id, locked=True)
            if before.revoked_at is not None:
                return before
            after = replace(before, revoked_at=now)
            connection.execute(update(api_key).where(api_key.c.id == key_id).values(revoked_at=now))
            was, is_now = digest_of(_facts(before)), digest_of(_facts(after))
            append(connection, acting.entry("api_key.revoke", _named(key_id), at=now, before=was, after=is_now))
            return after

        revoked = await self._database.write(work)
        self._recent.drop_where(lambda principal: principal.id == key_id)
        return revoked


def touch_api_keys(connection: Connection, used: Sequence[tuple[str, float]]) -> Sequence[None]:
    """Remember when keys were used last, at most once a minute each; see `Database.later`."""
    for key_id, at in sorted(used):
        old = or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at <= at - TOUCH_SECONDS)
        connection.execute(update(api_key).where(api_key.c.id == key_id, old).values(last_used_at=at))
    return [None] * len(used)


def _check(wanted: KeyWanted) -> None:
    if not wanted.name.strip() or not wanted.name.isprintable() or len(wanted.name) > _LONGEST_NAME:
        raise Refusal(REQUEST_INVALID, "the key needs a name", path="name", expected=f"1 to {_LONGEST_NAME} letters")
    if not 0 < wanted.days <= LONGEST_DAYS:
        raise Refusal(REQUEST_INVALID, "a key does not live so long", path="days", expected=f"1 to {LONGEST_DAYS} days")
    if not wanted.scopes or wanted.scopes & OF_PEOPLE_ONLY:
        raise Refusal(
            REQUEST_INVALID,
            "the key cannot have these scopes",
            path="scopes",
            got=", ".join(sorted(scope.value for scope in wanted.scopes & OF_PEOPLE_ONLY)) or "none",
            expected="at least one, and none that takes a human being",
        )


def _find(connection: Connection, key_id: str, digest: str, now: float) -> tuple[ApiKey, Principal]:
    row = connection.execute(select(api_key).where(api_key.c.id == key_id)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        raise _invalid("is none of ours")
    kept = _key_of(row)
    if kept.revoked_at is not None or now >= kept.expires_at:
        raise _invalid(f"{kept.id} was revoked or is over")
    standing = standing_of(connection, kept.created_by)
    if standing is None:
        raise _invalid(f"{kept.id} ended with its maker's account")
    scopes = standing.allowed(kept.scopes, tenant=kept.tenant)
    return kept, Principal(kind=PrincipalKind.SERVICE, id=kept.id, scopes=scopes, tenant=kept.tenant)


def _read(connection: Connection, key_id: str, *, locked: bool = False) -> ApiKey:
    query = select(api_key).where(api_key.c.id == key_id)
    row = (
        connection.execute(query.with_for_update() if locked else query).one_or_none()
        if _ID.fullmatch(key_id)
        else None
    )
    if row is None:
        raise Refusal(RECORD_MISSING, "there is no such API key")
    return _key_of(row)


def _key_of(row: Row[tuple[object, ...]]) -> ApiKey:
    known = {permission.value: permission for permission in Permission}
    return ApiKey(
        id=row.id,
        name=row.name,
        tenant=row.tenant,
        scopes=frozenset(known[scope] for scope in row.scopes.split() if scope in known),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def _facts(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": " ".join(sorted(scope.value for scope in key.scopes)),
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _named(key_id: str) -> str:
    return f"api key {key_id}"


def _invalid(why: str) -> Refusal:
    return Refusal(TOKEN_INVALID, f"the API key {why}", next_step="ask its tenant's administrator for another one")

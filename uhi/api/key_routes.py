"""API keys of a tenant's programs: made, listed, revoked by its people, administrators those of everybody. A key is
shown once.

Above: programs; below: `uhi.identity.api_keys`. Source: security rules "IAM", the row on API keys.
"""

from __future__ import annotations

from pydantic import Field

from uhi.api.fields import IdText
from uhi.api.routes import Answer, Body, Call, Nothing, Routes
from uhi.faults import RECORD_MISSING
from uhi.identity.api_keys import LONGEST_DAYS, ApiKey, ApiKeys, KeyWanted
from uhi.identity.principals import Principal
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target

READS_KEYS = Rule(Permission.API_KEYS_MAKE, Relation.OWN_TENANT, second_factor=True)
CHANGES_KEYS = Rule(Permission.API_KEYS_MAKE, Relation.OWN_TENANT, second_factor=True, fresh_seconds=300)


class KeyQuery(Body):
    """Whose keys: of a tenant, one's own where it is left out."""

    tenant: IdText | None = None


class KeyBody(Body):
    """What a new key is to be: its name for people, what it may do, within which tenant, for how many days."""

    name: str = Field(min_length=1, max_length=100)
    scopes: tuple[Permission, ...] = Field(min_length=1, max_length=len(Permission))
    tenant: IdText | None = None
    days: int = Field(default=LONGEST_DAYS, ge=1, le=LONGEST_DAYS)


class KeyAnswer(Answer):
    """One key, without what proves it; times are Unix seconds."""

    id: str
    name: str
    tenant: str
    scopes: tuple[Permission, ...]
    created_by: str
    created_at: float
    expires_at: float
    last_used_at: float | None
    revoked_at: float | None


class NewKeyAnswer(Answer):
    """A new key. `text` is the key itself: it is not shown again."""

    key: KeyAnswer
    text: str


class KeyList(Answer):
    """The keys of a tenant, those that are over among them."""

    keys: tuple[KeyAnswer, ...]


class KeyPages:
    """What people do with the keys of their tenant: administrators with all, others with those they made."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("api-keys")
        missing = (RECORD_MISSING,)
        group.route("GET", "/v1/api-keys", READS_KEYS, body=KeyQuery, answer=KeyList, refuses=missing)(self.list_keys)
        group.route(
            "POST",
            "/v1/api-keys",
            CHANGES_KEYS,
            body=KeyBody,
            answer=NewKeyAnswer,
            status=201,
            refuses=missing,
            key="none",
        )(self.make_key)
        group.route("DELETE", "/v1/api-keys/{id}", CHANGES_KEYS, body=Nothing, answer=KeyAnswer)(self.revoke_key)
        return group

    async def list_keys(self, call: Call[KeyQuery]) -> KeyList:
        """The API keys of a tenant: for its administrators all of them, for others those that they made."""
        kept = await self._keys.of_tenant(_tenant(call, call.body.tenant))
        return KeyList(keys=tuple(_shown(key) for key in kept if _is_theirs(call.principal, key)))

    async def make_key(self, call: Call[KeyBody]) -> NewKeyAnswer:
        """Make an API key that may do some of what one may do oneself."""
        asked = call.body
        wanted = KeyWanted(
            name=asked.name,
            tenant=_tenant(call, asked.tenant),
            scopes=frozenset(asked.scopes),
            days=asked.days,
        )
        made = await self._keys.make(wanted, maker=call.principal, acting=call.acting)
        return NewKeyAnswer(key=_shown(made.key), text=made.text)

    async def revoke_key(self, call: Call[Nothing]) -> KeyAnswer:
        """End an API key; it counts nowhere within a second."""
        kept = await self._keys.find(call.path["id"])
        call.permit(Target(tenant=kept.tenant if _is_theirs(call.principal, kept) else None))
        return _shown(await self._keys.revoke(kept.id, acting=call.acting))


def _tenant(call: Call[KeyQuery] | Call[KeyBody], named: str | None) -> str:
    tenant = call.principal.tenant if named is None else named
    call.permit(Target(tenant=tenant))
    return tenant


def _is_theirs(principal: Principal, key: ApiKey) -> bool:
    return key.created_by == principal.id or key.tenant in principal.tenants_with(Permission.STAFF_MANAGE)


def _shown(key: ApiKey) -> KeyAnswer:
    return KeyAnswer(
        id=key.id,
        name=key.name,
        tenant=key.tenant,
        scopes=tuple(sorted(key.scopes, key=lambda scope: scope.value)),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )

"""Access tokens: who has signed in, for ten minutes, signed with RS256 and nothing else (RFC 9068, RFC 8725).

The key comes from our own folder by its id; a token's header names nothing else that is followed. Above: `sessions`,
`uhi.api`; below: `token_keys`. Source: security rules "IAM", the row on access tokens.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode

from joserfc import jws
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict, ValidationError

from uhi import strict_json
from uhi.errors import Refusal, SetupError
from uhi.faults import TOKEN_INVALID
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.identity.token_keys import TokenKeys

TOKEN_SECONDS = 600
LEEWAY_SECONDS = 30
MOST_BYTES = 8 * 1024
_ALGORITHM = "RS256"
_TYPE = "at+jwt"
_HEADER_LIMITS = strict_json.JsonLimits(depth=1, nodes=16)


class _Claims(BaseModel):
    """What a token says. `roles` are spelled `role@tenant`, and `role` where the tenant is the network itself."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False)

    iss: str
    aud: str
    sub: str
    tenant: str
    roles: list[str]
    amr: list[str]
    jti: str
    iat: int
    nbf: int
    exp: int
    sid: str
    auth_time: int
    facility_id: str = ""
    practitioner_id: str = ""
    patient_id: str = ""


class AccessTokens:
    """Makes and reads the tokens of one issuer for one audience, both of which are names the tokens carry."""

    def __init__(self, keys: TokenKeys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    def issue(self, principal: Principal, *, methods: tuple[str, ...], now: float) -> str:
        """A token for a person with a session. `methods` are how they signed in (`amr`), `now` is Unix seconds.

        Raises: SetupError for more roles than a token can hold.
        """
        key, at = self._keys.current(), int(now)
        claims = _Claims(
            iss=self._issuer,
            aud=self._audience,
            sub=principal.id,
            tenant=principal.tenant,
            roles=sorted(map(_spelled, principal.grants)),
            amr=list(methods),
            jti=secrets.token_urlsafe(16),
            iat=at,
            nbf=at,
            exp=at + TOKEN_SECONDS,
            sid=principal.session_id,
            auth_time=int(principal.signed_in_at),
            facility_id=principal.facility_id,
            practitioner_id=principal.practitioner_id,
            patient_id=principal.patient_id,
        )
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": key.id}
        said = strict_json.write(claims.model_dump(exclude_defaults=True))
        token = jws.serialize_compact(header, said, key.pair, algorithms=[_ALGORITHM])
        if len(token) > MOST_BYTES:
            raise SetupError(
                f"the account {principal.id} has too many roles for one access token",
                got=f"{len(principal.grants)} roles",
                expected=f"a token of at most {MOST_BYTES} bytes",
                next_step="give it fewer roles",
            )
        return token

    def read(self, token: str, *, now: float) -> Principal:
        """Who a token speaks for; `now` is Unix seconds.

        Raises: Refusal(TOKEN_INVALID) for whatever is not a token of ours that is valid now.
        """
        claims = self._claims(token)
        if claims.iss != self._issuer or claims.aud != self._audience:
            raise _invalid("is of another issuer or for another audience")
        if now >= claims.exp + LEEWAY_SECONDS:
            raise _invalid("has expired")
        if now < max(claims.nbf, claims.iat) - LEEWAY_SECONDS:
            raise _invalid("is not valid yet")
        return Principal(
            kind=PrincipalKind.PERSON,
            id=claims.sub,
            grants=frozenset(grant for grant in map(_grant, claims.roles) if grant is not None),
            tenant=claims.tenant,
            session_id=claims.sid,
            signed_in_at=claims.auth_time,
            has_second_factor=has_second_factor(claims.amr),
            facility_id=claims.facility_id,
            practitioner_id=claims.practitioner_id,
            patient_id=claims.patient_id,
        )

    def jwks(self) -> dict[str, object]:
        """The keys that tokens are verified with, as a JSON Web Key Set."""
        return self._keys.jwks()

    def _claims(self, token: str) -> _Claims:
        if len(token) > MOST_BYTES or not token.isascii():
            raise _invalid(f"is longer than {MOST_BYTES} bytes, or not ASCII")
        key = self._keys.by_id(_key_id(token))
        if key is None:
            raise _invalid("names no key of ours")
        try:
            signed = jws.deserialize_compact(token, key.pair, algorithms=[_ALGORITHM])
            return _Claims.model_validate(strict_json.parse(signed.payload))
        except (JoseError, ValidationError, Refusal, ValueError):
            raise _invalid("is not signed by its key, or lacks what is required") from None


def has_second_factor(methods: list[str] | tuple[str, ...]) -> bool:
    """Whether a sign-in took two factors: then it names two methods."""
    return len(set(methods)) > 1


def _key_id(token: str) -> str:
    """The key that a header names, once it names nothing that would have to be followed or understood."""
    try:
        first, _, _ = token.split(".")
        header = strict_json.parse(urlsafe_b64decode(first + "=" * (-len(first) % 4)), _HEADER_LIMITS)
    except (ValueError, Refusal):
        raise _invalid("does not have the form of a token") from None
    match header:
        case {"alg": "RS256", "typ": "at+jwt", "kid": str(key_id), **others} if not others:
            return key_id
    raise _invalid("has another header than ours: another algorithm, or something beside algorithm, type and key")


def _spelled(grant: Grant) -> str:
    return f"{grant.role.value}@{grant.tenant}" if grant.tenant else grant.role.value


def _grant(spelled: str) -> Grant | None:
    """A grant, None for a role that this program does not know: what it might allow is denied."""
    name, _, tenant = spelled.partition("@")
    role = AccessRole.read(name)
    return Grant(role, tenant) if role else None


def _invalid(why: str) -> Refusal:
    return Refusal(TOKEN_INVALID, f"the access token {why}", next_step="sign in, or refresh the session")

"""The tables of people and services: accounts, grants, factors, codes, throttles, sessions, tokens, API keys.

On the same metadata as `tables`. What names or reaches a person is sealed; what is looked up by it is a keyed digest.
Secrets are digests, or sealed where they are needed again. Above: `uhi.identity`. Source: security rules "IAM".
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from uhi.storage.sql.tables import metadata

_IS_CONFIRMED = "confirmed_at IS NOT NULL"
_IS_OPEN = "closed_at IS NULL"


def _key(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _time(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


identity_key = Table(
    "identity_key",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    _time("created_at"),
)
"""Keys that were made here once and are kept sealed: the one that keyed digests are made with."""

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email_index", Text, nullable=False, unique=True),
    Column("phone_index", Text, nullable=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("password", Text, nullable=True),
    _text("tenant"),
    _key("state"),
    Column("is_email_verified", Boolean, nullable=False, server_default=text("false")),
    Column("is_phone_verified", Boolean, nullable=False, server_default=text("false")),
    _text("facility_id"),
    _text("practitioner_id"),
    _text("patient_id"),
    _time("created_at"),
    _time("updated_at"),
    _time("credentials_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("account_phone", "phone_index"),
    Index("account_tenant", "tenant", "id"),
)
"""People. `email_index` and `phone_index` are keyed digests; `sealed` is the e-mail address, telephone number and name.
`credentials_at` is when password or factors changed last: no session is older."""

account_grant = Table(
    "account_grant",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("tenant", Text, primary_key=True),
    _time("granted_at"),
    _text("granted_by"),
    Index("account_grant_tenant", "tenant", "account_id"),
)
"""Who has which role where."""

letter_token = Table(
    "letter_token",
    metadata,
    Column("digest", Text, primary_key=True),
    _key("purpose"),
    Column("account_id", Text, nullable=True),
    Column("sealed", LargeBinary, nullable=True),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
    Index("letter_token_account", "account_id", "purpose"),
    Index("letter_token_expires", "expires_at"),
)
"""Single-use tokens that went out in a letter, as SHA-256: invitations, password resets. Also registrations that wait
for their code, whose `sealed` is the account to be."""

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("id", Text, primary_key=True),
    _key("purpose"),
    _key("bound_to"),
    _key("digest"),
    _count("tries"),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
    Index("one_time_code_bound", "purpose", "bound_to", "created_at"),
    Index("one_time_code_expires", "expires_at"),
)
"""Codes of six digits, as HMAC. `bound_to` is the sign-in, registration or account they are for."""

pending_sign_in = Table(
    "pending_sign_in",
    metadata,
    Column("digest", Text, primary_key=True),
    _key("account_id"),
    _key("methods"),
    _text("address"),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
    Index("pending_sign_in_account", "account_id"),
    Index("pending_sign_in_expires", "expires_at"),
)
"""Sign-ins that wait for a second factor, by the SHA-256 of their challenge."""

second_factor = Table(
    "second_factor",
    metadata,
    Column("id", Text, primary_key=True),
    _key("account_id"),
    _key("kind"),
    Column("sealed", LargeBinary, nullable=False),
    Column("last_step", Integer, nullable=False, server_default="-1"),
    _time("created_at"),
    _time("confirmed_at", nullable=True),
    Index("second_factor_account", "account_id", "kind"),
    Index(
        "second_factor_one",
        "account_id",
        "kind",
        unique=True,
        sqlite_where=text(_IS_CONFIRMED),
        postgresql_where=text(_IS_CONFIRMED),
    ),
)
"""TOTP secrets and telephone numbers, sealed. `last_step` is the last time step that was accepted."""

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("id", Text, primary_key=True),
    _key("account_id"),
    _key("prefix"),
    _key("hash"),
    _time("created_at"),
    _time("used_at", nullable=True),
    UniqueConstraint("account_id", "prefix", name="recovery_code_prefix"),
)
"""Codes for when the other factor is lost. `prefix` is the part that tells them apart, `hash` argon2id of the whole."""

throttle = Table(
    "throttle",
    metadata,
    Column("key", Text, primary_key=True),
    _count("tries"),
    _time("since"),
    _count("lockouts"),
    _time("locked_until"),
    _count("in_a_row"),
    _time("updated_at"),
    Index("throttle_updated", "updated_at"),
)
"""How often something was tried lately, and until when it may not be. `in_a_row` counts since the last success."""

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    _key("account_id"),
    Column("digest", Text, nullable=True, unique=True),
    Column("csrf_secret", LargeBinary, nullable=True),
    _key("methods"),
    _text("address"),
    _text("user_agent"),
    _time("signed_in_at"),
    _time("created_at"),
    _time("last_used_at"),
    _time("expires_at"),
    _time("closed_at", nullable=True),
    _text("closed_because"),
    Index("session_account", "account_id", sqlite_where=text(_IS_OPEN), postgresql_where=text(_IS_OPEN)),
    Index("session_expires", "expires_at"),
)
"""Sessions; each is also the family of its refresh tokens. `digest` is the SHA-256 of a browser's cookie, and
`csrf_secret` what its CSRF token is made with; both are NULL in an app's. The client is the one of the last use."""

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("digest", Text, primary_key=True),
    _key("session_id"),
    _time("created_at"),
    _time("used_at", nullable=True),
    Column("salt", LargeBinary, nullable=True),
    Index("refresh_token_session", "session_id"),
)
"""Refresh tokens of open sessions as SHA-256. `salt` leads from one, if one has it, to its successor; only the latest
used one of a session still has it."""

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    _key("digest"),
    _text("tenant"),
    _key("name"),
    _key("scopes"),
    _key("created_by"),
    _time("created_at"),
    _time("expires_at"),
    _time("last_used_at", nullable=True),
    _time("revoked_at", nullable=True),
    Index("api_key_tenant", "tenant", "id"),
)
"""Keys of services, as SHA-256; `id` is the part of a key that may be shown."""

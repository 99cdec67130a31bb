"""The tables of people and services: accounts, grants, factors, codes, throttles, sessions, tokens, API keys.

On the same metadata as `tables`. What names or reaches a person is sealed; what is looked up by it is a keyed digest.
Secrets are digests, or sealed where they are needed again. Above: `uhi.identity`. Source: security rules "IAM".
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from uhi.storage.sql.columns import count, key, time, words
from uhi.storage.sql.tables import metadata

_IS_CONFIRMED = "confirmed_at IS NOT NULL"
_IS_OPEN = "closed_at IS NULL"


identity_key = Table(
    "identity_key",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    time("created_at"),
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
    words("tenant"),
    key("state"),
    Column("is_email_verified", Boolean, nullable=False, server_default=text("false")),
    Column("is_phone_verified", Boolean, nullable=False, server_default=text("false")),
    words("facility_id"),
    words("practitioner_id"),
    words("patient_id"),
    time("created_at"),
    time("updated_at"),
    time("credentials_at"),
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
    time("granted_at"),
    words("granted_by"),
    Index("account_grant_tenant", "tenant", "account_id"),
)
"""Who has which role where."""

letter_token = Table(
    "letter_token",
    metadata,
    Column("digest", Text, primary_key=True),
    key("purpose"),
    Column("account_id", Text, nullable=True),
    Column("sealed", LargeBinary, nullable=True),
    time("created_at"),
    time("expires_at"),
    time("used_at", nullable=True),
    Index("letter_token_account", "account_id", "purpose"),
    Index("letter_token_expires", "expires_at"),
)
"""Single-use tokens that went out in a letter, as SHA-256: invitations, password resets. Also registrations that wait
for their code, whose `sealed` is the account to be."""

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("id", Text, primary_key=True),
    key("purpose"),
    key("bound_to"),
    key("digest"),
    count("tries"),
    time("created_at"),
    time("expires_at"),
    time("used_at", nullable=True),
    Index("one_time_code_bound", "purpose", "bound_to", "created_at"),
    Index("one_time_code_expires", "expires_at"),
)
"""Codes of six digits, as HMAC. `bound_to` is the sign-in, registration or account they are for."""

pending_sign_in = Table(
    "pending_sign_in",
    metadata,
    Column("digest", Text, primary_key=True),
    key("account_id"),
    key("methods"),
    words("address"),
    time("created_at"),
    time("expires_at"),
    time("used_at", nullable=True),
    Index("pending_sign_in_account", "account_id"),
    Index("pending_sign_in_expires", "expires_at"),
)
"""Sign-ins that wait for a second factor, by the SHA-256 of their challenge."""

second_factor = Table(
    "second_factor",
    metadata,
    Column("id", Text, primary_key=True),
    key("account_id"),
    key("kind"),
    Column("sealed", LargeBinary, nullable=False),
    Column("last_step", Integer, nullable=False, server_default="-1"),
    time("created_at"),
    time("confirmed_at", nullable=True),
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
    key("account_id"),
    key("prefix"),
    key("hash"),
    time("created_at"),
    time("used_at", nullable=True),
    UniqueConstraint("account_id", "prefix", name="recovery_code_prefix"),
)
"""Codes for when the other factor is lost. `prefix` is the part that tells them apart, `hash` argon2id of the whole."""

throttle = Table(
    "throttle",
    metadata,
    Column("key", Text, primary_key=True),
    count("tries"),
    time("since"),
    count("lockouts"),
    time("locked_until"),
    count("in_a_row"),
    time("updated_at"),
    Index("throttle_updated", "updated_at"),
)
"""How often something was tried lately, and until when it may not be. `in_a_row` counts since the last success."""

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    key("account_id"),
    Column("digest", Text, nullable=True, unique=True),
    Column("csrf_secret", LargeBinary, nullable=True),
    key("methods"),
    words("address"),
    words("user_agent"),
    time("signed_in_at"),
    time("created_at"),
    time("last_used_at"),
    time("expires_at"),
    time("closed_at", nullable=True),
    words("closed_because"),
    Index("session_account", "account_id", sqlite_where=text(_IS_OPEN), postgresql_where=text(_IS_OPEN)),
    Index("session_expires", "expires_at"),
)
"""Sessions; each is also the family of its refresh tokens. `digest` is the SHA-256 of a browser's cookie, and
`csrf_secret` what its CSRF token is made with; both are NULL in an app's. The client is the one of the last use."""

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("digest", Text, primary_key=True),
    key("session_id"),
    time("created_at"),
    time("used_at", nullable=True),
    Column("salt", LargeBinary, nullable=True),
    Index("refresh_token_session", "session_id"),
)
"""Refresh tokens of open sessions as SHA-256. `salt` leads from one, if one has it, to its successor; only the latest
used one of a session still has it."""

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    key("digest"),
    words("tenant"),
    key("name"),
    key("scopes"),
    key("created_by"),
    time("created_at"),
    time("expires_at"),
    time("last_used_at", nullable=True),
    time("revoked_at", nullable=True),
    Index("api_key_tenant", "tenant", "id"),
)
"""Keys of services, as SHA-256; `id` is the part of a key that may be shown."""

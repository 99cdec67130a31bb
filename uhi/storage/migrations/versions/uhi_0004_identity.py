"""People and services: accounts, factors, codes, throttles, sessions, tokens, API keys."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint, text

revision = "uhi_0004"
down_revision = "uhi_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "identity_key",
        Column("name", Text(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("created_at", Double(), nullable=False),
        PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "account",
        Column("id", Text(), nullable=False),
        Column("email_index", Text(), nullable=False),
        Column("phone_index", Text(), nullable=True),
        Column("sealed", LargeBinary(), nullable=False),
        Column("password", Text(), nullable=True),
        Column("tenant", Text(), server_default="", nullable=False),
        Column("state", Text(), nullable=False),
        Column("is_email_verified", Boolean(), server_default=text("false"), nullable=False),
        Column("is_phone_verified", Boolean(), server_default=text("false"), nullable=False),
        Column("facility_id", Text(), server_default="", nullable=False),
        Column("practitioner_id", Text(), server_default="", nullable=False),
        Column("patient_id", Text(), server_default="", nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        Column("credentials_at", Double(), nullable=False),
        Column("version", Integer(), server_default="1", nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("email_index"),
    )
    op.create_index("account_phone", "account", ["phone_index"])
    op.create_index("account_tenant", "account", ["tenant", "id"])
    op.create_table(
        "account_grant",
        Column("account_id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("tenant", Text(), nullable=False),
        Column("granted_at", Double(), nullable=False),
        Column("granted_by", Text(), server_default="", nullable=False),
        PrimaryKeyConstraint("account_id", "role", "tenant"),
    )
    op.create_index("account_grant_tenant", "account_grant", ["tenant", "account_id"])
    op.create_table(
        "letter_token",
        Column("digest", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("account_id", Text(), nullable=True),
        Column("sealed", LargeBinary(), nullable=True),
        Column("created_at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("used_at", Double(), nullable=True),
        PrimaryKeyConstraint("digest"),
    )
    op.create_index("letter_token_account", "letter_token", ["account_id", "purpose"])
    op.create_index("letter_token_expires", "letter_token", ["expires_at"])
    op.create_table(
        "one_time_code",
        Column("id", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("bound_to", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("tries", Integer(), server_default="0", nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("used_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("one_time_code_bound", "one_time_code", ["purpose", "bound_to", "created_at"])
    op.create_index("one_time_code_expires", "one_time_code", ["expires_at"])
    op.create_table(
        "pending_sign_in",
        Column("digest", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("methods", Text(), nullable=False),
        Column("address", Text(), server_default="", nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("used_at", Double(), nullable=True),
        PrimaryKeyConstraint("digest"),
    )
    op.create_index("pending_sign_in_account", "pending_sign_in", ["account_id"])
    op.create_index("pending_sign_in_expires", "pending_sign_in", ["expires_at"])
    op.create_table(
        "second_factor",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("last_step", Integer(), server_default="-1", nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("confirmed_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("second_factor_account", "second_factor", ["account_id", "kind"])
    op.create_index(
        "second_factor_one",
        "second_factor",
        ["account_id", "kind"],
        unique=True,
        sqlite_where=text("confirmed_at IS NOT NULL"),
        postgresql_where=text("confirmed_at IS NOT NULL"),
    )
    op.create_table(
        "recovery_code",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("prefix", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("used_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("account_id", "prefix", name="recovery_code_prefix"),
    )
    op.create_table(
        "throttle",
        Column("key", Text(), nullable=False),
        Column("tries", Integer(), server_default="0", nullable=False),
        Column("since", Double(), nullable=False),
        Column("lockouts", Integer(), server_default="0", nullable=False),
        Column("locked_until", Double(), nullable=False),
        Column("in_a_row", Integer(), server_default="0", nullable=False),
        Column("updated_at", Double(), nullable=False),
        PrimaryKeyConstraint("key"),
    )
    op.create_index("throttle_updated", "throttle", ["updated_at"])
    op.create_table(
        "session",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("digest", Text(), nullable=True),
        Column("csrf_secret", LargeBinary(), nullable=True),
        Column("methods", Text(), nullable=False),
        Column("address", Text(), server_default="", nullable=False),
        Column("user_agent", Text(), server_default="", nullable=False),
        Column("signed_in_at", Double(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("last_used_at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("closed_at", Double(), nullable=True),
        Column("closed_because", Text(), server_default="", nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("digest"),
    )
    op.create_index(
        "session_account",
        "session",
        ["account_id"],
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    )
    op.create_index("session_expires", "session", ["expires_at"])
    op.create_table(
        "refresh_token",
        Column("digest", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("used_at", Double(), nullable=True),
        Column("salt", LargeBinary(), nullable=True),
        PrimaryKeyConstraint("digest"),
    )
    op.create_index("refresh_token_session", "refresh_token", ["session_id"])
    op.create_table(
        "api_key",
        Column("id", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("tenant", Text(), server_default="", nullable=False),
        Column("name", Text(), nullable=False),
        Column("scopes", Text(), nullable=False),
        Column("created_by", Text(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("last_used_at", Double(), nullable=True),
        Column("revoked_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("api_key_tenant", "api_key", ["tenant", "id"])


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("api_key")
    op.drop_table("refresh_token")
    op.drop_table("session")
    op.drop_table("throttle")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    op.drop_table("pending_sign_in")
    op.drop_table("one_time_code")
    op.drop_table("letter_token")
    op.drop_table("account_grant")
    op.drop_table("account")
    op.drop_table("identity_key")

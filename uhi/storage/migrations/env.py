"""Alembic runs this for each upgrade and downgrade, on the connection that `uhi.storage.migrating` hands over.

On PostgreSQL every step has a transaction of its own; on SQLite the connection is within one already.
"""

from __future__ import annotations

from alembic import context

from uhi.storage.migrations import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()

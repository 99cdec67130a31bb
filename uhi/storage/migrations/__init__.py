"""How the schema came to be, one step after the other; `uhi.storage.migrating` applies them.

A distribution with tables of its own adds a branch: a package with a package `versions`, named in the entry-point group
`uhi.migrations`. Revisions are named after the entry point: `uhi_0001`, `uhi_0002`, so that an older program knows
whose a newer step is. Every release runs on the schema of the one before: first add, later move, last remove.
"""

from __future__ import annotations

VERSION_TABLE = "uhi_version"
"""Which steps a database has: one row for each branch. A host's own `alembic_version` may stand beside it."""

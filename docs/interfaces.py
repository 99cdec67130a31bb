"""The REST interfaces as `docs/generate.py` writes them down: one OpenAPI description each, made from their routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from uhi.api import Routes, describe, description_page, identity_routes
from uhi.api.identity import TITLE, VERSION
from uhi.audit.trail import AuditTrail
from uhi.clock import SystemClock
from uhi.identity.parts import IdentityOptions, identity_of
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database


def identity_description() -> str:
    """The REST interface of identity and audit."""
    with TemporaryDirectory() as folder:
        clock = SystemClock()
        database = Database.open(f"sqlite:///{folder}/none.db", clock=clock)
        options = IdentityOptions(token_keys=Path(folder) / "keys", issuer="none", audience="none")
        parts = identity_of(database, Sealing.for_development(), clock, options)
        return _written(identity_routes(parts, AuditTrail(database)), title=TITLE, version=VERSION)


DESCRIPTIONS: dict[str, Callable[[], str]] = {"openapi-identity.json": identity_description}
"""Every REST interface of ours by the name of its description's file."""


def _written(groups: Sequence[Routes], *, title: str, version: str) -> str:
    """As it is served, its own page included."""
    page = description_page(groups, title=title, version=version)
    described = describe([*groups, page], title=title, version=version)
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"

"""The REST interfaces as `docs/generate.py` writes them down: one OpenAPI description each, made from their routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.network_registry.bootstrap import PREFIX
from gateway.network_registry.described import description, registry_routes
from gateway.network_registry.register import Register
from gateway.network_registry.rules import RegisterRules
from uhi.api import describe, description_page, identity_routes
from uhi.api.identity import TITLE, VERSION
from uhi.audit.trail import AuditTrail
from uhi.clock import SystemClock
from uhi.identity.parts import IdentityOptions, IdentityParts, identity_of
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database


def identity_description() -> str:
    """The REST interface of identity and audit."""
    with _identity() as (parts, trail):
        groups = identity_routes(parts, trail)
        page = description_page(groups, title=TITLE, version=VERSION)
        return _json(describe([*groups, page], title=TITLE, version=VERSION))


def registry_description() -> str:
    """The registry: what people use, and what participants use with their signatures."""
    with _identity() as (parts, trail):
        database = parts.store.database
        register = Register(database, RegisterRules(registry_id="none"), clock=parts.store.clock)
        groups = registry_routes(parts, trail, register, prefix=PREFIX)
        return _json(description(groups, prefix=PREFIX))


DESCRIPTIONS: dict[str, Callable[[], str]] = {
    "openapi-identity.json": identity_description,
    "openapi-registry.json": registry_description,
}
"""Every REST interface of ours by the name of its description's file."""


@contextmanager
def _identity() -> Iterator[tuple[IdentityParts, AuditTrail]]:
    with TemporaryDirectory() as folder:
        clock = SystemClock()
        database = Database.open(f"sqlite:///{folder}/none.db", clock=clock)
        options = IdentityOptions(token_keys=Path(folder) / "keys", issuer="none", audience="none")
        yield identity_of(database, Sealing.for_development(), clock, options), AuditTrail(database)


def _json(described: dict[str, object]) -> str:
    """As it is served, its own page included."""
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"

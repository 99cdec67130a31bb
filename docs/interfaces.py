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
from participants.hospital import bootstrap as hospital
from participants.hospital.settings import HospitalSettings
from participants.patient import bootstrap as patient
from participants.patient.settings import PatientSettings
from uhi.api import describe, description_page, identity_routes
from uhi.api.identity import TITLE, VERSION
from uhi.audit.trail import AuditTrail
from uhi.clock import SystemClock
from uhi.identity.parts import IdentityOptions, IdentityParts, identity_of
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import Sealing, new_body_key
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


def hospital_description() -> str:
    """A hospital: what its staff use."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_private_key_file(folder / "key.pem", PrivateKey.new())
        write_private_text(folder / "body.key", new_body_key())
        settings = HospitalSettings.model_validate(
            {
                "subscriber_id": "clinic.example",
                "key_id": "k1",
                "key_file": folder / "key.pem",
                "url": "https://clinic.example/uhi",
                "registry_url": "https://registry.example/api/v1/networkregistry",
                "database_url": f"sqlite:///{folder}/none.db",
                "body_key_file": folder / "body.key",
                "token_key_folder": folder / "token-keys",
                "files_url": f"file://{folder}/files",
            }
        )
        groups = hospital.hospital_program(settings).routes()
        return _json(describe(groups, title=hospital.TITLE, version=hospital.VERSION, has_keys=True))


def patient_description() -> str:
    """The patient application: what people and their apps use."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_private_key_file(folder / "patient.pem", PrivateKey.new())
        write_private_text(folder / "body.key", new_body_key())
        settings = PatientSettings.model_validate(
            {
                "subscriber_id": "none",
                "key_id": "none",
                "key_file": folder / "patient.pem",
                "url": "http://none.example/uhi",
                "registry_url": "http://none.example",
                "database_url": f"sqlite:///{folder}/none.db",
                "body_key_file": folder / "body.key",
                "token_key_folder": folder / "token-keys",
                "files_url": (folder / "files").as_uri(),
            }
        )
        groups = patient.patient_program(settings).routes()
        return _json(describe(groups, title=patient.TITLE, version=patient.VERSION, has_keys=True))


DESCRIPTIONS: dict[str, Callable[[], str]] = {
    "openapi-hospital.json": hospital_description,
    "openapi-identity.json": identity_description,
    "openapi-patient.json": patient_description,
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

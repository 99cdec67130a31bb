"""The settings of a hospital whose keys are in a folder of a test's own."""

from __future__ import annotations

from pathlib import Path

from participants.hospital.settings import HospitalSettings
from uhi.signing.key_files import write_private_text
from uhi.storage.sealing import new_body_key

CLINIC = "clinic.example"


def settings_in(folder: Path, database_url: str, **more: object) -> HospitalSettings:
    """The settings of a hospital whose keys are in a folder."""
    if not (folder / "body.key").exists():
        write_private_text(folder / "body.key", new_body_key())
    given = {
        "subscriber_id": CLINIC,
        "key_id": "k1",
        "key_file": folder / "none.pem",
        "url": f"https://{CLINIC}/uhi",
        "registry_url": "https://registry.example/api/v1/networkregistry",
        "database_url": database_url,
        "body_key_file": folder / "body.key",
        "token_key_folder": folder / "token-keys",
        "requests_per_minute": 1_000_000,
        "public_requests_per_minute": 1_000_000,
        "hold_share_percent": 100,
        "files_url": f"file://{folder / 'files'}",
        **more,
    }
    return HospitalSettings.model_validate(given)

"""Reads keys by the name of their place: a path, or `vault:…` for what Vault keeps.

`vault:kv/<mount>/<path>#<field>` is a field of a secret of the key-value engine, version 2.
`vault:transit/<mount>/<key>#<file>` is a file whose content Vault's transit engine encrypted and decrypts again.
"""

from __future__ import annotations

from pathlib import Path

from uhi.errors import SetupError
from uhi.secrets.vault import Vault
from uhi.signing.key_files import read_private_bytes

VAULT = "vault:"


class Places:
    """Implements `uhi.ports.keys.KeySource`. Without a Vault only files are read."""

    def __init__(self, vault: Vault | None = None) -> None:
        self._vault = vault

    def read(self, place: str) -> bytes:
        """See `uhi.ports.keys.KeySource`."""
        if not place.startswith(VAULT):
            return read_private_bytes(Path(place))
        if self._vault is None:
            raise SetupError(
                f"the key at {place} is in Vault, and nothing says where Vault is",
                next_step="set UHI_VAULT_URL and UHI_VAULT_TOKEN_FILE",
            )
        engine, _, rest = place.removeprefix(VAULT).partition("/")
        path, _, last = rest.partition("#")
        mount, _, name = path.partition("/")
        # A step upward would lead to another part of Vault.
        if not (mount and name and last) or {"", ".", ".."} & set(path.split("/")):
            raise _unreadable(place)
        if engine == "kv":
            return self._vault.field(mount, name, last)
        if engine == "transit":
            return self._vault.decrypted(mount, name, read_private_bytes(Path(last)))
        raise _unreadable(place)


def _unreadable(place: str) -> SetupError:
    return SetupError(
        f"{place} names no place of a key",
        expected="a path, vault:kv/<mount>/<path>#<field> or vault:transit/<mount>/<key>#<file>",
    )

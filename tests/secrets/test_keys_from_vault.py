"""Keys from files and from Vault: what is read, and what is said when it cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.secrets.vault_server import ROOT, VaultServer, vault
from uhi.errors import SetupError
from uhi.keeping import keys_of
from uhi.secrets import Places, Vault, VaultAccess
from uhi.settings import Settings
from uhi.signing import PrivateKey
from uhi.signing.key_files import private_key_in
from uhi.subscribers import Role
from uhi.world import identity_of


@pytest.fixture(scope="module")
def server() -> Iterator[VaultServer]:
    with vault() as running:
        yield running


@pytest.fixture
def write(tmp_path) -> Callable[[str, str], Path]:
    """A file for its owner only."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    return written


@pytest.fixture
def places(server, write) -> Places:
    return Places(Vault(VaultAccess(server.url, write("token", f"{ROOT}\n"))))


@pytest.fixture
def settings(server, write) -> Callable[[str], Settings]:
    def made(key_place: str) -> Settings:
        return Settings(
            subscriber_id="clinic.example",
            key_id="k1",
            key_file=Path(key_place),
            url="https://clinic.example/uhi",
            registry_url="https://registry.example",
            vault_url=server.url,
            vault_token_file=write("token", ROOT),
        )

    return made


def test_a_program_signs_with_a_key_that_vault_keeps(server, settings):
    """Ours: the signing key need never be on the machine's disk."""
    key = PrivateKey.new()
    server.put("uhi/clinic", signing_key=key.pem())

    identity = identity_of(settings("vault:kv/secret/uhi/clinic#signing_key"), Role.PROVIDER)

    assert identity.signer.key == key


def test_a_key_file_may_be_encrypted_with_vaults_transit_engine(server, settings, write):
    """Ours: what lies on the disk is of no use without Vault."""
    key = PrivateKey.new()
    sealed = write("signing.key", server.encrypt("uhi", key.pem().encode()))

    identity = identity_of(settings(f"vault:transit/transit/uhi#{sealed}"), Role.PROVIDER)

    assert identity.signer.key == key
    assert key.seed_base64() not in sealed.read_text()


def test_what_was_encrypted_with_another_key_is_not_read(server, places, write):
    """Vault's transit engine: a ciphertext belongs to its key."""
    sealed = write("signing.key", server.encrypt("uhi", PrivateKey.new().pem().encode()))

    with pytest.raises(SetupError):
        private_key_in(places.read(f"vault:transit/transit/another#{sealed}"), where="the key")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("vault:kv/secret/uhi/nobody#signing_key", "HTTP 404"),
        ("vault:kv/secret/uhi/fields#other", "has no field other"),
        ("vault:kv/secret", "names no place"),
        ("vault:kv/secret/uhi/fields", "names no place"),
        ("vault:cubbyhole/a/b#c", "names no place"),
        ("vault:kv/secret/../../sys/raw/core#value", "names no place"),
        ("vault:kv/../sys#value", "names no place"),
        ("vault:kv/secret//uhi#value", "names no place"),
    ],
)
def test_a_key_that_is_not_there_is_said_to_be_not_there(server, places, place, said):
    """Ours: the operator reads what is missing before the first request."""
    server.put("uhi/fields", signing_key="x")

    with pytest.raises(SetupError, match=said):
        places.read(place)


def test_a_wrong_token_is_said_and_not_shown(server, write):
    """Ours: an error names the place, never a secret."""
    server.put("uhi/clinic", signing_key="x")
    stranger = Places(Vault(VaultAccess(server.url, write("wrong", "hvs.somebody-elses"))))

    with pytest.raises(SetupError) as caught:
        stranger.read("vault:kv/secret/uhi/clinic#signing_key")

    assert "HTTP 403" in str(caught.value)
    assert "somebody-elses" not in str(caught.value)


def test_a_token_file_that_others_can_read_is_refused(server, write):
    """Key storage rules: 0600."""
    token = write("token", ROOT)
    os.chmod(token, 0o644)

    with pytest.raises(SetupError, match="open to others"):
        Places(Vault(VaultAccess(server.url, token))).read("vault:kv/secret/uhi/clinic#signing_key")


@pytest.mark.parametrize("token", ["hvs.hidden-word\rX-More: 1", "hvs.hidden-word\nmore", "hvs.hidden-wörd", ""])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(server, write, token):
    """Ours: Python's client of HTTP would quote it in its error."""
    with pytest.raises(SetupError, match="holds no token") as caught:
        Vault(VaultAccess(server.url, write("token", token))).field("secret", "uhi/clinic", "signing_key")

    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.example:8200",
        "ftp://vault.example",
        "vault.example",
        "https://vault.example:99999",
        "https://somebody@vault.example",
        "https://vault.example/below",
        "https://[::1",
    ],
)
def test_vault_is_asked_over_tls_unless_it_is_on_this_machine(url, write):
    """Ours: a token never crosses a network in clear."""
    with pytest.raises(SetupError, match="not an address of Vault"):
        Vault(VaultAccess(url, write("token", ROOT)))


def test_a_vault_that_is_away_is_said_to_be_away(write):
    """Ours: what, and what to do next."""
    away = Places(Vault(VaultAccess("http://127.0.0.1:9", write("token", ROOT))))

    with pytest.raises(SetupError, match="does not answer"):
        away.read("vault:kv/secret/uhi/clinic#signing_key")


def test_a_place_in_vault_without_a_vault_is_a_mistake_of_the_settings(settings):
    """Ours."""
    alone = settings("vault:kv/secret/uhi/clinic#signing_key").model_copy(update={"vault_url": ""})

    with pytest.raises(SetupError, match="set UHI_VAULT_URL"):
        identity_of(alone, Role.PROVIDER)


def test_vault_without_a_token_is_a_mistake_of_the_settings(settings):
    """Ours."""
    alone = settings("clinic.key").model_copy(update={"vault_token_file": None})

    with pytest.raises(SetupError, match="set UHI_VAULT_TOKEN_FILE"):
        keys_of(alone)

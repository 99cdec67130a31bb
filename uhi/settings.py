"""Settings of a participant, from `UHI_…` environment variables; the only reader of the environment in the library.

All mistakes are reported at once, before the first request. Long-lived keys come from files, never from here.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from socket import gethostname
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from uhi.errors import SetupError
from uhi.exchange.rates import RateRules
from uhi.network import NETWORKS, Network
from uhi.ports import Retention
from uhi.signing import Window

_PREFIX = "UHI_"
_A_DAY = 86_400.0
_ALIKE = 0.9

log = logging.getLogger(__name__)

MEMORY = "memory:"
"""The storage that ends with the process, by name."""


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _fault(place: tuple[int | str, ...], text: str) -> str:
    """One mistake: the variable and what is expected; what concerns several of them names them itself."""
    said = text.removeprefix("Value error, ")
    return f"{_PREFIX}{'_'.join(map(str, place)).upper()}: {said[:1].lower()}{said[1:]}" if place else said


def _names(*fields: str) -> str:
    return ", ".join(f"{_PREFIX}{field.upper()}" for field in fields)


class Settings(BaseSettings):
    """What a participant needs to know about itself and its network.

    `subscriber_id` and `key_id` as registered; `key_file` the private key (mode 0600); `url` the registered callback
    base; `registry_url` and `gateway_url` as the network publishes them; `domains` separated by commas, the first is
    used for searches of our own; `network` is one of `local`, `open`, `nha-sandbox`, `nha`. `signature_future` and
    `signature_lifetime` are the seconds a signature may be made ahead of our clock, and may live.

    `database_url` is `sqlite:///file.db`, `postgresql://…` or `memory:`; empty means a SQLite file named after us in
    the working directory. `body_key_file` holds the keys that bodies are encrypted with (`uhi db key` makes one).
    `redis_url` and `events_url` (`redis://…`, `nats://…`) are optional. `instance` tells the machines of one program
    apart.
    `keep_bodies_days` and `keep_calls_days` are how long bodies and the call log are kept; `full_mib` is how much may
    wait to be delivered before searches are turned away.

    `messages_per_second` is how often one subscriber may come, `requests_per_second` one address;
    `bad_signatures_per_minute` are from one address under one key; 0 is no limit. `connections_per_address` are at a
    time (0: any number). `trusted_proxies` are networks, separated by commas, whose `X-Forwarded-For` is believed. With
    `gateway_only` a provider takes no search that comes straight from a consumer, second ones included.

    `audit_checkpoint_file` gets a signed checkpoint of the audit trail every hour, `audit_key_file` is the private key
    that signs them (mode 0600); both or neither.

    `registry_id` and `registry_keys` (`keyid=base64 public key`, separated by commas) pin the registry: only answers
    that it signed are believed; the network `open` demands them. `next_key_id` and `next_key_file` are a second key of
    ours, to prove and to change to. `encryption_key_file` (mode 0600) is an X25519 key for registries that ask for one,
    and `registry_encryption_key` such a registry's public one.

    `outgoing_ports` are the ports that peers may be reached at, separated by commas; on the local network any.

    `key_file` and `body_key_file` may also name a place in HashiCorp Vault: `vault:kv/<mount>/<path>#<field>`, or
    `vault:transit/<mount>/<key>#<file>` for a file that its transit engine decrypts. Then `vault_url` and
    `vault_token_file` (mode 0600) say how to ask it; `vault_namespace` and `vault_ca_file` are optional.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", hide_input_in_errors=True)

    subscriber_id: str = Field(min_length=1)
    key_id: str = Field(min_length=1)
    key_file: Path
    url: str = Field(min_length=1)
    registry_url: str = Field(min_length=1)
    gateway_url: str = ""
    domains: str = "nic2004:85111"
    city: str = "std:011"
    network: str = "local"
    signature_future: int = Field(default=5, ge=0, le=10)
    signature_lifetime: int = Field(default=3_600, ge=1)
    database_url: str = ""
    body_key_file: Path | None = None
    redis_url: str = ""
    events_url: str = ""
    instance: str = Field(default_factory=gethostname, min_length=1)
    keep_bodies_days: float = Field(default=7.0, gt=0)
    keep_calls_days: float = Field(default=90.0, gt=0)
    full_mib: int = Field(default=256, ge=1)
    audit_key_file: Path | None = None
    audit_checkpoint_file: Path | None = None
    messages_per_second: int = Field(default=50, ge=0)
    requests_per_second: int = Field(default=1_000, ge=0)
    bad_signatures_per_minute: int = Field(default=5, ge=0)
    connections_per_address: int = Field(default=50, ge=0)
    trusted_proxies: str = ""
    gateway_only: bool = False
    registry_id: str = ""
    registry_keys: str = ""
    registry_encryption_key: str = ""
    next_key_id: str = ""
    next_key_file: Path | None = None
    encryption_key_file: Path | None = None
    outgoing_ports: str = "443"
    vault_url: str = ""
    vault_token_file: Path | None = None
    vault_namespace: str = ""
    vault_ca_file: Path | None = None

    @field_validator("url", "registry_url", "gateway_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("expected an address that starts with https:// (or http:// on the local network)")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        if value and value != MEMORY and not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("expected sqlite:///file.db, postgresql://user@host/name or memory:")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and not _is_url(value, ("redis", "rediss")):
            raise ValueError("expected redis://host:6379/0 or rediss://…")
        return value

    @field_validator("domains")
    @classmethod
    def _names_a_domain(cls, value: str) -> str:
        if not value.strip(", "):
            raise ValueError("expected at least one domain, such as nic2004:85111")
        return value

    @field_validator("outgoing_ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        ports = [port.strip() for port in value.split(",")]
        if not all(port.isascii() and port.isdecimal() and 0 < int(port) < 65_536 for port in ports):
            raise ValueError("expected ports such as 443, 8443")
        return value

    @field_validator("network")
    @classmethod
    def _is_network(cls, value: str) -> str:
        if value not in NETWORKS:
            raise ValueError(f"expected one of {', '.join(NETWORKS)}")
        return value

    @model_validator(mode="after")
    def _is_encrypted_outside_development(self) -> Self:
        plain = [name for name in ("url", "registry_url", "gateway_url") if getattr(self, name).startswith("http://")]
        if plain and not NETWORKS[self.network].is_local:
            raise ValueError(f"{_names(*plain)}: expected https:// on the network {self.network}")
        return self

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Self:
        for one, other in (("audit_key_file", "audit_checkpoint_file"), ("next_key_id", "next_key_file")):
            if bool(getattr(self, one)) is not bool(getattr(self, other)):
                raise ValueError(f"{_names(one, other)}: expected both or neither")
        return self

    @model_validator(mode="after")
    def _keeps_keys_apart(self) -> Self:
        if self.key_file == self.body_key_file:
            raise ValueError(f"{_names('key_file', 'body_key_file')}: expected two keys, each for its own use")
        return self

    @model_validator(mode="after")
    def _knows_the_registry(self) -> Self:
        if NETWORKS[self.network].registry_signs and not (self.registry_id and self.registry_keys):
            named = _names("registry_id", "registry_keys")
            raise ValueError(f"{named}: expected on the network {self.network}, to know its registry")
        return self

    @classmethod
    def read(cls, file: Path | None = None) -> Self:
        """Read the environment, and from a file of `UHI_…=…` lines what it does not say. A variable that is nearly one
        of these is told in the log: it sets nothing.

        Raises: SetupError naming every variable that is missing or wrong.
        """
        try:
            settings = cls(_env_file=file)  # type: ignore[call-arg]  # the fields come from the environment
            _tell_misspelt(cls)
            return settings
        except ValidationError as error:
            faults = [
                _fault(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False, include_input=False)
            ]
        raise SetupError(
            "the settings cannot be used",
            got="; ".join(faults),
            next_step="set these environment variables, see docs/reference/settings.md",
        )

    @property
    def preset(self) -> Network:
        """The network's preset, with the window for signatures set."""
        window = Window(self.signature_future, self.signature_lifetime)
        return replace(NETWORKS[self.network], window=window, gateway_only=self.gateway_only)

    @property
    def storage_url(self) -> str:
        """Where what was accepted is kept."""
        return self.database_url or f"sqlite:///{self.subscriber_id}.db"

    @property
    def rates(self) -> RateRules:
        """How often somebody may come."""
        return RateRules(
            messages=self.messages_per_second,
            requests=self.requests_per_second,
            bad_signatures=self.bad_signatures_per_minute,
        )

    @property
    def retention(self) -> Retention:
        """For how long."""
        return Retention(bodies=self.keep_bodies_days * _A_DAY, calls=self.keep_calls_days * _A_DAY)

    @property
    def port_list(self) -> tuple[int, ...]:
        """The ports that peers may be reached at."""
        return tuple(int(port) for port in self.outgoing_ports.split(","))

    @property
    def domain_list(self) -> tuple[str, ...]:
        """The domains, in order."""
        return tuple(domain.strip() for domain in self.domains.split(",") if domain.strip())


def _tell_misspelt(settings: type[Settings]) -> None:
    known = {_names(field) for field in settings.model_fields}
    for name in sorted(os.environ.keys() - known):
        if name.startswith(_PREFIX) and (meant := get_close_matches(name, known, n=1, cutoff=_ALIKE)):
            log.warning("%s sets nothing; there is %s", name, meant[0])

"""Settings of a registry, from `UHI_…` environment variables: those of every program, and what only a registry needs.

Above: `bootstrap`, the command line. Long-lived keys come from files.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from uhi.errors import SetupError
from uhi.http.peers import read_proxies
from uhi.http.reading import ServerLimits
from uhi.identity.parts import IdentityOptions
from uhi.identity.sending import EitherWay, KeptLetters, Sender
from uhi.identity.smtp import SmtpSender, SmtpServer
from uhi.settings import MEMORY, Settings


class RegistrySettings(Settings):
    """The settings of `uhi.settings`; `url` is the registry's own base, `https://reg.example/api/v1/networkregistry`.

    `token_key_folder` holds the keys of access tokens (0700; made at the first start), `issuer` is who the tokens say
    made them (the origin of `url` where it is left out). `name` is what people read in letters. `smtp_host`,
    `smtp_port`, `smtp_sender` and `smtp_credentials_file` say how letters leave; without a host nobody gets any.
    `breached_passwords_file` lists passwords that are not taken. `pages` are web origins that may use the interface,
    separated by commas. `errands_per_minute` is how often one address may apply, or do another errand.
    """

    registry_url: str = ""
    token_key_folder: Path = Path("token-keys")
    issuer: str = ""
    name: str = "UHI registry"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_sender: str = ""
    smtp_credentials_file: Path | None = None
    breached_passwords_file: Path | None = None
    pages: str = ""
    errands_per_minute: int = Field(default=10, ge=1)

    @field_validator("database_url")
    @classmethod
    def _keeps(cls, value: str) -> str:
        if value == MEMORY:
            raise ValueError("expected a database: a registry keeps what it decides")
        return value

    @property
    def origin(self) -> str:
        """Where the registry is reached, without a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path of the registry below its origin."""
        return urlsplit(self.url).path

    @property
    def page_origins(self) -> frozenset[str]:
        """The web origins that may use the interface from elsewhere."""
        return frozenset(origin.strip().rstrip("/") for origin in self.pages.split(",") if origin.strip())

    @property
    def limits(self) -> ServerLimits:
        """What a connection and a request may cost."""
        return ServerLimits(connections=self.connections_per_address, proxies=read_proxies(self.trusted_proxies))

    @property
    def identity(self) -> IdentityOptions:
        """How people sign in.

        Raises: SetupError when letters cannot leave as told.
        """
        return IdentityOptions(
            token_keys=self.token_key_folder,
            issuer=self.issuer or self.origin,
            audience=self.origin,
            name=self.name,
            site=self.origin,
            sender=self._sender(),
            breached=self.breached_passwords_file,
        )

    def _sender(self) -> Sender:
        if not self.smtp_host:
            return KeptLetters()
        if not self.smtp_sender:
            raise SetupError("letters have no sender", next_step="set UHI_SMTP_SENDER, such as no-reply@reg.example")
        server = SmtpServer(
            host=self.smtp_host,
            port=self.smtp_port,
            sender=self.smtp_sender,
            credentials_file=self.smtp_credentials_file,
        )
        return EitherWay(SmtpSender(server), KeptLetters())

"""Identity and a REST interface for a program that people use: from its settings to doorkeeper, audit trail and pages.

A part of the composition roots. Above: registry, hospital and patient application; below: `uhi.api`, `uhi.world`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import Field, field_validator

from uhi.api.doorkeeper import Pace
from uhi.api.idempotency import Idempotency
from uhi.api.identity import doorkeeper_of
from uhi.api.origins import Sites
from uhi.api.routes import Routes
from uhi.api.serving import Surroundings, add_api
from uhi.audit.trail import AuditTrail
from uhi.errors import SetupError
from uhi.exchange.background import repeatedly
from uhi.http.peers import read_proxies
from uhi.http.reading import ServerLimits
from uhi.identity.parts import IdentityOptions, IdentityParts, identity_of
from uhi.identity.sending import EitherWay, EmailSender, KeptLetters, SmsSender, warn_without_email
from uhi.identity.sms_http import HttpSmsSender, SmsGateway
from uhi.identity.smtp import SmtpSender, SmtpServer
from uhi.keeping import sealing_of
from uhi.ports import Clock, Transport
from uhi.settings import MEMORY, Settings
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage
from uhi.world import World

_TIDY_SECONDS = 3_600.0


class PeopleSettings(Settings):
    """The settings of a program that people use.

    `token_key_folder` holds the keys of access tokens (0700; made at the first start), `issuer` is who the tokens say
    made them (the origin of `url` where it is left out). `name` is what people read in letters. `smtp_host`,
    `smtp_port`, `smtp_sender` and `smtp_credentials_file` (0600; the user's name and password on a line each) say how
    letters leave, over TLS in any case: from the start at port 465, by STARTTLS at any other. Without a host nobody
    gets any, and only the command line invites. `sms_url` (https) is where text messages are handed over, with the
    bearer token of `sms_token_file` (0600), the sender id `sms_header` and the DLT ids `sms_entity_id` and
    `sms_code_template`; without it nobody is offered codes by text message. `breached_passwords_file` lists passwords
    that are not taken. `pages` are web origins that may use the interface, separated by commas. `requests_per_minute`
    is how often one address may use the interface for people, `public_requests_per_minute` those parts of it that need
    no sign-in.
    """

    token_key_folder: Path = Path("token-keys")
    issuer: str = ""
    name: str = "UHI"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_sender: str = ""
    smtp_credentials_file: Path | None = None
    sms_url: str = ""
    sms_token_file: Path | None = None
    sms_header: str = ""
    sms_entity_id: str = ""
    sms_code_template: str = ""
    breached_passwords_file: Path | None = None
    pages: str = ""
    requests_per_minute: int = Field(default=Pace().all, ge=1)
    public_requests_per_minute: int = Field(default=Pace().public, ge=1)

    @field_validator("database_url")
    @classmethod
    def _keeps(cls, value: str) -> str:
        if value == MEMORY:
            raise ValueError("expected a database: accounts and what people decide are kept")
        return value

    @property
    def origin(self) -> str:
        """Where the program is reached, without a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path of the program below its origin."""
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
    def pace(self) -> Pace:
        """How often one address may use the interface for people."""
        return Pace(public=self.public_requests_per_minute, all=self.requests_per_minute)

    def identity(self, transport: Transport) -> IdentityOptions:
        """How people sign in; text messages leave through `transport`.

        Raises: SetupError when letters or text messages cannot leave as told.
        """
        return IdentityOptions(
            token_keys=self.token_key_folder,
            issuer=self.issuer or self.origin,
            audience=self.origin,
            name=self.name,
            # No page of ours takes a token up: a letter holds it as the command line asks for it.
            site="",
            sender=EitherWay(self._letters(), self._texts(transport)),
            has_sms=bool(self.sms_url),
            breached=self.breached_passwords_file,
        )

    def _letters(self) -> EmailSender:
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
        return SmtpSender(server)

    def _texts(self, transport: Transport) -> SmsSender:
        if not self.sms_url:
            return KeptLetters()
        needed = {
            "UHI_SMS_TOKEN_FILE": self.sms_token_file,
            "UHI_SMS_HEADER": self.sms_header,
            "UHI_SMS_ENTITY_ID": self.sms_entity_id,
            "UHI_SMS_CODE_TEMPLATE": self.sms_code_template,
        }
        missing = [name for name, value in needed.items() if not value]
        if self.sms_token_file is None or missing:
            raise SetupError("text messages cannot leave", next_step=f"set {', '.join(missing)}, or no UHI_SMS_URL")
        gateway = SmsGateway(
            url=self.sms_url,
            token_file=self.sms_token_file,
            header=self.sms_header,
            entity_id=self.sms_entity_id,
            templates={"code": self.sms_code_template},
        )
        return HttpSmsSender(gateway, transport=transport)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of a program: their identity, the trail of what they do, and who lets them in."""

    parts: IdentityParts
    trail: AuditTrail
    around: Surroundings

    def serve(self, app: web.Application, groups: Sequence[Routes]) -> None:
        """Serve groups of routes at an application's root, behind the doorkeeper. Where no letter leaves, that is said.

        Raises: SetupError when two routes cannot be told apart.
        """
        warn_without_email(self.parts.notices.sender)
        add_api(app, groups, self.around)

    async def tidy(self) -> None:
        """Forget what is over. To be called once in a while."""
        await self.parts.tidy()
        if self.around.idempotency is not None:
            await self.around.idempotency.tidy()

    async def aclose(self) -> None:
        """End what is under way."""
        await self.parts.aclose()


async def tidying(clock: Clock, *steps: Callable[[], Awaitable[object]]) -> None:
    """Forget what is over, one step after the other, every hour, until cancelled."""

    async def once() -> None:
        for step in steps:
            await step()
        await clock.sleep(_TIDY_SECONDS)

    await repeatedly(once, "forgetting what is old", clock)


def storage_of(world: World) -> SqlStorage:
    """What a program's world keeps, in its database.

    Raises: SetupError where it is kept in memory.
    """
    if not isinstance(world.storage, SqlStorage):
        raise SetupError("this program needs a database", next_step="set UHI_DATABASE_URL")
    return world.storage


def database_of(world: World) -> Database:
    """The database that a program's world is kept in.

    Raises: SetupError where it is kept in memory.
    """
    return storage_of(world).database


def people_of(settings: PeopleSettings, world: World, transport: Transport) -> People:
    """The people that the settings describe, in the world's database; nothing of it is touched yet. Their interface
    takes `Idempotency-Key`.

    Raises: SetupError when there is no database, a key cannot be used, or letters cannot leave as told.
    """
    database = database_of(world)
    sealing = sealing_of(settings)
    parts = identity_of(database, sealing, world.clock, settings.identity(transport))
    people = people_in(settings, world, parts)
    once = Idempotency(database, sealing, clock=world.clock)
    return replace(people, around=replace(people.around, idempotency=once))


def people_in(settings: PeopleSettings, world: World, parts: IdentityParts) -> People:
    """The same, of an identity that is there."""
    trail = AuditTrail(database_of(world))
    sites = Sites(own=settings.origin, others=settings.page_origins)
    doorkeeper = doorkeeper_of(parts, sites=sites, windows=world.windows, pace=settings.pace)
    around = Surroundings(doorkeeper=doorkeeper, trail=trail, clock=world.clock, limits=world.limits)
    return People(parts=parts, trail=trail, around=around)

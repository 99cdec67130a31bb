"""A registry as a program, on a port of this machine, and applicants that answer its challenges on theirs."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from aiohttp import ClientSession

from gateway.network_registry.program import RegistryProgram, registry_program
from gateway.network_registry.settings import RegistrySettings
from gateway.network_registry.standing import Standing
from uhi.audit import Acting, ActorKind
from uhi.clock import SystemClock
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import RegistryTrust
from uhi.http import HttpTransport, any_address, serve
from uhi.http.server import application
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Reply
from uhi.registry.callbacks import Provable, RegistryCallbacks
from uhi.registry.changes import Change
from uhi.registry.network import LookupScope, NetworkRegistry, RegistryAccess
from uhi.registry.rows import moment_text
from uhi.signing import UHI, PrivateKey, Signer, body_digest
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import new_body_key

REGISTRY_ID = "registry.example"
DOMAIN = "nic2004:85111"
PREFIX = "/api/v1/networkregistry"
A_YEAR = 365 * 86_400.0


def admin(name: str) -> Acting:
    """Somebody who decides."""
    return Acting(actor=name, kind=ActorKind.PERSON)


def write_settings(folder: Path, database_url: str = "", **more: object) -> RegistrySettings:
    """The settings of a registry whose keys and database are in a folder; its address is known only once it runs."""
    write_private_key_file(folder / "registry.pem", PrivateKey.new())
    write_private_text(folder / "body.key", new_body_key())
    given = {
        "subscriber_id": REGISTRY_ID,
        "key_id": "r1",
        "key_file": folder / "registry.pem",
        "url": f"http://registry.example{PREFIX}",
        "database_url": database_url or f"sqlite:///{folder / 'registry.db'}",
        "body_key_file": folder / "body.key",
        "token_key_folder": folder / "token-keys",
        "errands_per_minute": 1_000,
        **more,
    }
    return RegistrySettings.model_validate(given)


@dataclass
class Applicant:
    """Somebody with a key, or several, at an address where it answers challenges, and is told of changes."""

    id: str
    signers: list[Signer]
    url: str = ""
    type: str = "HSPA"
    pushed: list[tuple[Change, ...]] = field(default_factory=list)
    is_told: asyncio.Event = field(default_factory=asyncio.Event)
    transport: HttpTransport = field(default_factory=lambda: HttpTransport(addresses=any_address))

    def hear(self, changes: tuple[Change, ...]) -> None:
        """Take what the registry pushed."""
        self.pushed.append(changes)
        self.is_told.set()

    @property
    def signer(self) -> Signer:
        """How it signs now."""
        return self.signers[0]

    def application(self, **more: object) -> dict[str, object]:
        """What it applies with."""
        return {
            "subscriber_id": self.id,
            "type": self.type,
            "legal_name": f"{self.id} Ltd",
            "contact_email": f"it@{self.id}",
            "subscriber_url": self.url,
            "country": "IND",
            "domains": [DOMAIN],
            "keys": [key_row(self.signer)],
            **more,
        }


def key_row(signer: Signer) -> dict[str, object]:
    """A key as an application names it."""
    now = SystemClock().now()
    return {
        "pub_key_id": signer.key_id,
        "signing_public_key": signer.key.public.raw_base64(),
        "valid_from": moment_text(now - 60),
        "valid_until": moment_text(now + A_YEAR),
    }


class Scene:
    """`async with Scene(settings) as scene`, then `await scene.applicant()` and `await scene.post(…)`."""

    def __init__(self, settings: RegistrySettings) -> None:
        self.settings = settings
        self.program: RegistryProgram = registry_program(settings)
        self.clock = SystemClock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self.program.aclose)
        await self.program.start()
        self._stack.push_async_callback(self.program.stop)
        self.server = await self._stack.enter_async_context(serve(self.program.application()))
        self.session = await self._stack.enter_async_context(ClientSession())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """The registry's base."""
        return self.server.url + PREFIX

    @property
    def trust(self) -> RegistryTrust:
        """The registry's key, as everybody pins it."""
        signer = self.program.parts.identity.signer
        return RegistryTrust(REGISTRY_ID, {signer.key_id: signer.key.public})

    async def applicant(self, subscriber_id: str = "clinic.example", **more: object) -> Applicant:
        """Somebody who listens, and has not applied yet."""
        made = Applicant(subscriber_id, [Signer(subscriber_id, "k1", PrivateKey.new(), UHI)], **more)  # type: ignore[arg-type]
        self._stack.push_async_callback(made.transport.aclose)
        await self.listen(made)
        return made

    async def listen(self, applicant: Applicant) -> None:
        """Let it answer at an address, with all the keys it has by now."""
        provable = Provable(self.trust, applicant.id, tuple(applicant.signers))
        callbacks = RegistryCallbacks(provable, applicant.hear, clock=self.clock, log=RememberedCalls())
        server = await self._stack.enter_async_context(serve(application(callbacks, prefix="/uhi")))
        applicant.url = applicant.url or f"{server.url}/uhi"

    async def post(
        self, applicant: Applicant, path: str, value: object, *, signer: Signer | None = None, base: str = ""
    ) -> Reply:
        """Do an errand, signed."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        header = Stamps(signer or applicant.signer).header(body_digest(body), receiver="", now=self.clock.now())
        url = f"{base or self.url}/{path}"
        return await applicant.transport.post(url, body=body, headers={"Authorization": header}, timeout=10)

    async def apply(self, applicant: Applicant, **more: object) -> Reply:
        """Apply, and wait until the registry has asked for proofs."""
        reply = await self.post(applicant, "subscribe", applicant.application(**more))
        await self.program.idle()
        return reply

    async def decide(self, applicant: Applicant) -> Standing:
        """A reviewer and two administrators say yes."""
        register = self.program.parts.register
        if (await register.standing(applicant.id)).status == "INITIATED":
            await register.review(applicant.id, acting=admin("reviewer"))
        await register.approve(applicant.id, acting=admin("admin-1"))
        return await register.approve(applicant.id, acting=admin("admin-2"))

    async def member(self, subscriber_id: str = "clinic.example", **more: object) -> Applicant:
        """Somebody who took all the steps."""
        applicant = await self.applicant(subscriber_id, **more)
        reply = await self.apply(applicant)
        assert reply.status == 200, reply.body
        await self.decide(applicant)
        await self.program.idle()
        return applicant

    def client(self, applicant: Applicant) -> NetworkRegistry:
        """How a member asks the registry, whose key it has pinned."""
        access = RegistryAccess(self.url, Stamps(applicant.signer), LookupScope((DOMAIN,)), trust=self.trust)
        return NetworkRegistry(access, transport=applicant.transport, clock=self.clock)


def value_of(reply: Reply) -> dict[str, object]:
    """The object that was answered."""
    value = json.loads(reply.body)
    assert isinstance(value, dict)
    return value


def with_key(signer: Signer, key_id: str) -> Signer:
    """A signer of the same subscriber with a new key."""
    return replace(signer, key_id=key_id, key=PrivateKey.new())

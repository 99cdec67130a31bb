"""The members of a network with their keys, addresses and files: some are processes, some live in the test.

Below: `processes`; above: `townsfolk`, who talk with them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from participants.demo_hospital.data import load_hospital
from tests.faults.crash_at import CRITICAL, DISCOVERY, LONGEST, RETRIES, SHORTEST
from tests.faults.processes import HOST, PATIENCE, ROOT, Program, until
from tests.registry.members_file import members_file
from tests.server_process import free_port
from uhi.booking.catalog import write_doctors
from uhi.booking.found import FoundDoctor, read_doctors
from uhi.booking.hospital import Window
from uhi.booking.speaker import moment
from uhi.clock import SystemClock
from uhi.exchange import breakers, retry
from uhi.exchange.rates import NO_LIMITS
from uhi.exchange.retry import Verdict, read_reply
from uhi.http.addresses import any_address
from uhi.http.client import HttpTransport
from uhi.observability.call_log import RememberedCalls
from uhi.participant import Participant
from uhi.ports import Direction, Reply
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, Signer
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import new_body_key
from uhi.storage.sql.database import Database
from uhi.storage.sql.invariants import violations
from uhi.subscribers import Role, Subscriber, SubscriberKey
from uhi.verified import Thread
from uhi.world import Identity, World

DOMAIN, STUB_DOMAIN, CITY = "nic2004:85111", "nic2004:60232", "std:011"
GATEWAY, HOSPITAL, APP, REGISTRY = "gateway.example", "hospital.example", "app.example", "registry.example"
STUBS = ("stub-0.example", "stub-1.example", "stub-2.example")
DEMO = ROOT / "participants" / "demo_hospital" / "demo" / "city-hospital.yaml"
LIFE = 120
"""How long a signature of ours lives: a search must outlive a restart."""


@dataclass
class Sent:
    """A transport that remembers which messages got their ACK, and when the first one came."""

    inner: HttpTransport
    acked: dict[tuple[str, str], int] = field(default_factory=dict)
    overloaded: list[Reply] = field(default_factory=list)
    tried: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        context = json.loads(body).get("context", {})
        key = (url, context.get("message_id", ""))
        self.tried[key] += 1
        reply = await self.inner.post(url, body=body, headers=headers, timeout=timeout)
        if reply.status == 503:
            self.overloaded.append(reply)
        if read_reply(reply).verdict is Verdict.DELIVERED:
            self.acked.setdefault(key, self.tried[key])
        return reply

    def ids(self, path: str, to: str) -> set[str]:
        """The messages to an address's path that were acknowledged."""
        return {message_id for url, message_id in self.acked if url == f"{to}/{path}"}


@dataclass
class Peer:
    """A participant in this process: what it sent and what it took."""

    participant: Participant
    sent: Sent
    calls: RememberedCalls
    town: Town

    def acked(self, path: str, to: str) -> set[str]:
        """The messages of a path that this member acknowledged."""
        return self.sent.ids(path, self.town.entry(to).url)

    def taken(self, path: str) -> Counter[tuple[str, str]]:
        """How often each message of a path was accepted as new, by sender and message id."""
        hops = (hop for hop in self.calls if hop.direction is Direction.IN and hop.outcome == "ACK")
        return Counter((hop.sender, hop.message_id) for hop in hops if hop.action == path)


class Town:
    """The members of a network with their keys, addresses and files. Programs that it makes write into `work`."""

    def __init__(self, folder: Path) -> None:
        self.folder = self.work = folder
        self.members = MemoryRegistry()
        self.signers: dict[str, Signer] = {}
        self.ports: dict[str, int] = {}
        self.body_key = folder / "body.key"
        self.registry = folder / "members.yaml"
        write_private_text(self.body_key, new_body_key())
        roles = {GATEWAY: Role.GATEWAY, APP: Role.CONSUMER, HOSPITAL: Role.PROVIDER}
        for name, role in {**roles, **dict.fromkeys(STUBS, Role.PROVIDER)}.items():
            self._join(name, role)
        self.registry.write_text(members_file(self.members))

    def entry(self, name: str) -> Subscriber:
        """What the registry says of a member."""
        return self.members.with_id(name)[0].subscriber

    def program(self, name: str, arguments: Sequence[str], settings: Mapping[str, str] | None = None) -> Program:
        """A program of this network."""
        return Program(name, arguments, self.work, self.ports[name], settings or {})

    def gateway_program(self, database_url: str, *arguments: str, **more: str) -> Program:
        """The gateway on a database."""
        settings = self._settings(GATEWAY, database_url) | {
            "UHI_SEARCHES_PER_SECOND": "1000000",
            "UHI_ANSWERS_PER_SECOND": "1000000",
        }
        settings |= more
        return self.program(GATEWAY, ("gateway", "serve", *arguments), settings)

    def hospital_program(self, database_url: str, *, audited: bool = False, **more: str) -> Program:
        """The demo hospital on a database; `audited` sends copies to the gateway."""
        settings = self._settings(HOSPITAL, database_url) | {"UHI_HOSPITAL_FILE": str(DEMO)} | more
        if audited:
            settings["UHI_GATEWAY_URL"] = self.entry(GATEWAY).url
        return self.program(HOSPITAL, ("serve", "participants.demo_hospital.app:app"), settings)

    @asynccontextmanager
    async def peer(self, name: str) -> AsyncIterator[Peer]:
        """A member that runs in this process while the block does."""
        sent, calls = Sent(HttpTransport(addresses=any_address)), RememberedCalls(most=1_000_000)
        world = World(registry=self.members, transport=sent, log=calls, rates=NO_LIMITS, closing=(sent.inner.aclose,))
        gateway = self.entry(GATEWAY)
        identity = Identity(self.entry(name), self.signers[name], gateway, DOMAIN, CITY)
        peer = Peer(Participant(identity, world=world), sent, calls, self)
        yield peer

    def _join(self, name: str, role: Role) -> None:
        self.ports[name] = free_port()
        path = "/api/v1/uhi" if role is Role.GATEWAY else "/uhi"
        me = Subscriber(name, role, f"http://{HOST}:{self.ports[name]}{path}", domains=_domains(name), cities=(CITY,))
        keys = {name: PrivateKey.new() for name in ("k1", "k2")}
        for key_id, key in keys.items():
            write_private_key_file(self.key_file(name, key_id), key)
        self.signers[name] = Signer(name, "k1", keys["k1"], replace(UHI, lifetime=LIFE))
        since, until = SystemClock().now() - 86_400.0, SystemClock().now() + 365 * 86_400.0
        known = tuple(SubscriberKey(key_id, key.public, UHI, since, until) for key_id, key in keys.items())
        self.members.add(Member(me, known))

    def key_file(self, name: str, key_id: str = "k1") -> Path:
        """Where a member's private key is; each has a successor, which is registered already."""
        return self.folder / f"{name}.{key_id}.pem"

    def _settings(self, name: str, database_url: str) -> dict[str, str]:
        me = self.entry(name)
        return {
            "UHI_SUBSCRIBER_ID": name,
            "UHI_KEY_ID": "k1",
            "UHI_KEY_FILE": str(self.key_file(name)),
            "UHI_URL": me.url,
            "UHI_REGISTRY_URL": f"http://{HOST}:{self.ports[REGISTRY]}/api/v1/networkregistry",
            "UHI_DATABASE_URL": database_url,
            "UHI_BODY_KEY_FILE": str(self.body_key),
            "UHI_INSTANCE": "here",
            "UHI_DOMAINS": f"{DOMAIN},{STUB_DOMAIN}",
            # Pushed as far as they go, by everybody from one address.
            "UHI_MESSAGES_PER_SECOND": "1000000",
            "UHI_REQUESTS_PER_SECOND": "1000000",
            "UHI_CONNECTIONS_PER_ADDRESS": "0",
        }


@dataclass
class Rows:
    """A look into a program's database from outside."""

    database: Database

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str) -> AsyncIterator[Rows]:
        """Open it while the block runs."""
        database = Database.open(url, clock=SystemClock())
        try:
            yield cls(database)
        finally:
            await database.aclose()

    async def all(self, query: str, **values: object) -> list[tuple[object, ...]]:
        """The rows of a query."""
        rows = await self.database.read(lambda connection: connection.execute(text(query), values).all())
        return [tuple(row) for row in rows]

    async def count(self, query: str, **values: object) -> int:
        """The number that a query gives."""
        [(number,)] = await self.all(query, **values)
        return int(str(number))

    async def is_settled(self) -> bool:
        """Whether nothing waits any more: no message to deal with, no letter to send."""
        waiting = "SELECT (SELECT count(*) FROM inbox WHERE status = 'NEW') + (SELECT count(*) FROM outbox"
        return await self.count(f"{waiting} WHERE state IN ('READY', 'LEASED'))") == 0

    async def settled(self, *, within: float = PATIENCE) -> None:
        """Return when nothing waits any more."""
        try:
            await until(self.is_settled, "nothing waits in the database", within=within)
        except AssertionError:
            print(await self.all("SELECT * FROM inbox WHERE status = 'NEW' LIMIT 3"))
            print(await self.all("SELECT * FROM outbox WHERE state IN ('READY', 'LEASED') LIMIT 3"))
            raise

    async def wrong(self) -> list[str]:
        """Which invariants do not hold, at once and without grace."""
        now = SystemClock().now()
        return await self.database.read(lambda connection: violations(connection, now, grace=0.0))


def doctors(town: Town, app: Participant) -> list[FoundDoctor]:
    """The demo hospital's doctors, each found in a conversation of its own as if a gateway had brought them."""
    data = load_hospital(DEMO)
    now = moment(app.clock)
    practices = [practice.doctor for practice in data.practices]
    catalog = write_doctors(data.name, practices, fulfilment="Physical", window=Window(now, now + data.horizon))
    return list(read_doctors(catalog, thread_with(app, HOSPITAL)))


def thread_with(app: Participant, provider: str) -> Thread:
    """A new conversation with a provider."""
    return replace(app.new_thread(), provider_id=provider)


def _domains(name: str) -> tuple[str, ...]:
    """The stubs are searched apart from the hospital, so that a test need not run it."""
    if name in STUBS:
        return (STUB_DOMAIN,)
    return (DOMAIN,) if name == HOSPITAL else (DOMAIN, STUB_DOMAIN)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the participants of this process try a silent peer again soon, as the programs do."""
    monkeypatch.setattr(breakers, "SHORTEST", SHORTEST)
    monkeypatch.setattr(breakers, "LONGEST", LONGEST)
    monkeypatch.setattr(breakers, "_AT_LEAST", RETRIES)
    monkeypatch.setattr(retry, "CRITICAL", CRITICAL)
    monkeypatch.setattr(retry, "DISCOVERY", DISCOVERY)

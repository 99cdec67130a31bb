"""A provider with letters in its outbox, in a process of its own, which is killed once they are written; and the one
that comes after it and delivers them.

Run as `python -m tests.bench.pending '{"kind": "writes", …}'`, the JSON of `Pile`; says when the letters are written,
or what it has done when its input ends.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import io
import json
import pstats
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

from tests.bench.program import DOMAIN
from tests.bench.traffic import search
from uhi.clock import SystemClock
from uhi.exchange.pressure import Bounds
from uhi.exchange.row_ids import new_row_id
from uhi.http.addresses import any_address
from uhi.http.client import HttpTransport
from uhi.keeping import calls_of, keeping_in_database
from uhi.participant import Participant
from uhi.ports import Change, Letter
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, Signer, body_digest
from uhi.storage.sealing import read_body_key_file
from uhi.subscribers import Role, Subscriber, SubscriberKey
from uhi.world import Identity, World

WRITES, SENDS, PROFILES = "writes", "sends", "profiles"
PROVIDER = "clinic.example"
SIZE = 2_048
_TOGETHER = 100
_DAYS = 3 * 86_400.0
_LINES = 14


@dataclass(frozen=True, slots=True)
class Pile:
    """So many letters to the consumers at these addresses, and where they are kept."""

    kind: str
    database: str
    body_key: str
    count: int
    urls: list[str]

    def text(self) -> str:
        """As one argument."""
        return json.dumps(asdict(self))


def consumer_id(number: int) -> str:
    """The subscriber id of the numbered consumer."""
    return f"app{number:03}.example"


def letters(pile: Pile) -> Iterator[Letter]:
    """Callbacks about orders, each of a transaction of its own: signed afresh for each attempt."""
    now = time.time()
    for number in range(pile.count):
        url = pile.urls[number % len(pile.urls)]
        body = search(number, url, size=SIZE)
        to = Subscriber(consumer_id(number % len(pile.urls)), Role.CONSUMER, url, domains=(DOMAIN,))
        yield Letter(
            id=new_row_id(now),
            to=to,
            path="on_status",
            body=body,
            digest=body_digest(body),
            transaction_id=f"t-{number}",
            message_id=f"m-{number}",
            deadline=now + _DAYS,
            not_before=now,
            is_critical=True,
            priority=0,
            line=f"{to.id} t-{number}",
        )


def provider_of(pile: Pile) -> Participant:
    """The provider whose letters they are."""
    clock = SystemClock()
    sealing = read_body_key_file(Path(pile.body_key))
    kept = keeping_in_database(pile.database, sealing, clock=clock, owner="bench")
    me = Subscriber(PROVIDER, Role.PROVIDER, "http://127.0.0.1/uhi", domains=(DOMAIN,))
    signer = Signer(PROVIDER, "k1", PrivateKey.new(), UHI)
    key = SubscriberKey("k1", signer.key.public, UHI, 0.0, 1e11)
    consumers = (
        Subscriber(consumer_id(number), Role.CONSUMER, url, domains=(DOMAIN,)) for number, url in enumerate(pile.urls)
    )
    world = World(
        registry=MemoryRegistry([Member(consumer, (key,)) for consumer in consumers]),
        transport=HttpTransport(addresses=any_address),
        clock=clock,
        log=calls_of(kept),
        keeping=kept,
        bounds=Bounds(1 << 40, 1 << 40, 1 << 40, 1 << 40),
    )
    return Participant(Identity(me, signer), world=world)


async def write(pile: Pile) -> None:
    """Keep them all as this process's to send, and send none."""
    world = provider_of(pile).world
    await world.open()
    each = list(letters(pile))
    for start in range(0, pile.count, _TOGETHER):
        await world.storage.commit(Change(letters=tuple(each[start : start + _TOGETHER])))
    print("written", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def send(pile: Pile) -> None:
    """Take up what the earlier life left, until the input ends."""
    provider = provider_of(pile)
    profile = cProfile.Profile() if pile.kind == PROFILES else None
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    if profile:
        profile.enable()
    await provider.start()
    print("started", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    if profile:
        profile.disable()
        print(_costliest(profile), flush=True)
    await provider.stop(seconds=5)
    await provider.world.aclose()


def _costliest(profile: cProfile.Profile) -> str:
    out = io.StringIO()
    pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(_LINES)
    return out.getvalue()


if __name__ == "__main__":
    given = Pile(**json.loads(sys.argv[1]))
    uvloop.run(write(given) if given.kind == WRITES else send(given))

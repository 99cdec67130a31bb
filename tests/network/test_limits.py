"""How often and how much: one who asks for too much is told to wait, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from itertools import count

import pytest

from gateway.search import SearchRules
from tests.network import letters
from tests.network.letters import Answer, Letter, hand_in
from tests.network.messages import SEARCH_ALL
from tests.network.scene import Scene, asked
from uhi.actions import SEARCH
from uhi.exchange.rates import RateRules
from uhi.faults import (
    CONSUMER_UNKNOWN,
    RATE_LIMITED,
    ROLE_NOT_ALLOWED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    SUBSCRIBER_UNKNOWN,
)
from uhi.network import LOCAL, NHA_SANDBOX
from uhi.ports import Inbound
from uhi.signing import SignatureHeader, Signer
from uhi.signing.verify import verify_digest
from uhi.testing import Network, Options

NUMBERS = count(1)


@pytest.fixture
async def limited():
    """The scene in memory, with the rates of a network that is open to the world."""
    async with Network(Options(rates=RateRules())) as network:
        yield await Scene.on(network)


def fresh(scene: Scene, path: str, **changes: object) -> Letter:
    """A request of the consumer that was never sent before."""
    number = next(NUMBERS)
    return scene.letter(path, transaction_id=f"t-{number}", message_id=f"m-{number}", **changes)


def outcomes(answers: list[Answer]) -> Counter[str]:
    return Counter("ACK" if answer.is_ack else answer.error["type"] for answer in answers)


@pytest.mark.case("GW-03")
async def test_burst_of_one_consumer_is_cut_and_another_one_is_served(limited):
    """Limits table: search 10/s burst 20; 429 with Retry-After for the first, nothing for the second."""
    second = await limited.network.consumer("second.example")
    signer, clock = limited.network.signers["second.example"], limited.network.clock
    first, others = [], []
    for number in range(5):
        first += [await limited.send(fresh(limited, "search"), limited.gateway, settle=False) for _ in range(100)]
        context = letters.context("search", second.identity.me, transaction_id=f"s-{number}", message_id=f"s-{number}")
        mine = letters.letter("search", context).signed(signer, limited.now)
        others.append(await limited.send(mine, limited.gateway, settle=False))
        await clock.advance(1)

    assert outcomes(others) == {"ACK": 5}
    assert 20 <= outcomes(first)["ACK"] <= 60
    assert outcomes(first[:100]) == {"ACK": 20, "AUT_RATE_LIMITED": 80}
    refused = [answer for answer in first if not answer.is_ack]
    assert all(answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 4 for answer in refused)


async def test_who_waits_as_told_is_served_again(limited, refuses):
    """Error table: 429 is sent again later; nothing of the refused message is kept."""
    for _ in range(20):
        assert (await limited.send(fresh(limited, "search"), limited.gateway)).is_ack
    late = fresh(limited, "search")

    answer = await refuses(limited)(late, limited.gateway, RATE_LIMITED)
    await limited.network.clock.advance(int(answer.headers["Retry-After"]) + 1)

    assert (await limited.send(fresh(limited, "search"), limited.gateway)).is_ack


async def test_other_actions_have_a_rate_of_their_own(limited):
    """Limits table: 50/s burst 100, for each subscriber; searches do not count among them."""
    limited.network.clock.jumps = False
    answers = [await limited.send(fresh(limited, "status"), limited.clinic, settle=False) for _ in range(120)]

    assert outcomes(answers) == {"ACK": 100, "AUT_RATE_LIMITED": 20}
    assert (await limited.send(fresh(limited, "search"), limited.gateway, settle=False)).is_ack
    limited.network.clock.jumps = True


async def test_what_a_gateway_brings_is_not_counted(limited):
    """Decision 24: the gateway has counted it, and speaks for everybody."""
    limited.network.clock.jumps = False
    brought = [limited.forwarded(fresh(limited, "search")) for _ in range(120)]

    answers = [await limited.send(letter, limited.clinic, settle=False) for letter in brought]

    assert outcomes(answers) == {"ACK": 120}
    limited.network.clock.jumps = True


def spoiled(letter: Letter) -> Letter:
    return letter.carrying(letter.body + b" ")


async def hand_in_from(letter: Letter, entrance: object, address: str) -> Answer:
    @dataclass
    class Elsewhere:
        async def take(self, inbound: Inbound):
            return await entrance.take(replace(inbound, address=address))

    return await hand_in(letter, Elsewhere())


async def test_sixth_bad_signature_is_refused_before_it_is_computed(limited, monkeypatch):
    """Decision 24: 5 a minute per (address, key id), then 429; the owner of the key is served elsewhere meanwhile."""
    computed: list[str] = []

    def verify(digest: str, header: SignatureHeader, **named: object) -> None:
        computed.append(header.subscriber_id)
        verify_digest(digest, header, **named)

    monkeypatch.setattr("uhi.exchange.signers.verify_digest", verify)
    entrance = limited.clinic.entrance

    bad = [await hand_in_from(spoiled(fresh(limited, "status")), entrance, "6.6.6.6") for _ in range(50)]
    blocked = await hand_in_from(fresh(limited, "status"), entrance, "6.6.6.6")
    owner = await hand_in_from(fresh(limited, "status"), entrance, "192.0.2.1")

    assert outcomes(bad) == {"AUT_SIGNATURE_INVALID": 5, "AUT_RATE_LIMITED": 45}
    assert computed.count("app.example") == 6
    assert (blocked.status, owner.is_ack) == (429, True)


async def test_bad_signatures_of_one_key_are_not_another_keys(limited):
    """Decision 24: one bad peer must not silence another, behind one address."""
    entrance = limited.clinic.entrance
    second = await limited.network.consumer("second.example")
    context = letters.context("status", second.identity.me, limited.clinic.identity.me)
    for _ in range(10):
        await hand_in_from(spoiled(fresh(limited, "status")), entrance, "10.0.0.1")

    letter = letters.letter("status", context).signed(limited.network.signers["second.example"], limited.now)

    assert (await hand_in_from(letter, entrance, "10.0.0.1")).is_ack


async def test_gateway_is_not_silenced_for_what_others_signed(limited):
    """Decision 24: gateways are exempt; who only pretends to be one is not."""
    entrance, gateways = limited.clinic.entrance, limited.network.signers["gateway.example"]
    header = "X-Gateway-Authorization"

    for _ in range(10):
        bad = spoiled(fresh(limited, "search")).signed(gateways, limited.now, header=header)
        answer = await hand_in_from(bad, entrance, "192.0.2.7")
        assert answer.error["type"] == SIGNATURE_INVALID.type
    pretended = [spoiled(limited.forwarded(fresh(limited, "search"))) for _ in range(10)]
    answers = [await hand_in_from(each, entrance, "6.6.6.6") for each in pretended]

    assert (await hand_in_from(limited.forwarded(fresh(limited, "search")), entrance, "192.0.2.7")).is_ack
    assert outcomes(answers) == {"AUT_SIGNATURE_INVALID": 5, "AUT_RATE_LIMITED": 5}


async def test_address_that_asks_without_end_is_told_to_wait_from_its_headers(limited):
    """Issue: rate limits per address; nothing is read, and nothing else is said."""
    entrance = limited.clinic.entrance
    heads = [Inbound("status", {}, b"", address) for address in ["6.6.6.6"] * 2_100 + ["192.0.2.1"]]

    replies = [await entrance.check_head(head, size=0) for head in heads]

    assert [reply is None for reply in replies] == [True] * 2_000 + [False] * 100 + [True]
    assert replies[2_050].status == 429


# --- before the body is there ---


@pytest.fixture
async def on_sockets():
    """The scene over HTTP."""
    async with Network(Options(sockets=True)) as network:
        yield await Scene.on(network)


async def only_the_head(letter: Letter, url: str, *, length: bytes = b"Content-Length: 8388608") -> int:
    """Send the headers of a letter, announce a large body, send none of it; the status of the answer."""
    host, _, port = url.split("/")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{name}: {value}".encode() for name, value in letter.headers]
    target = f"/{url.split('/', 3)[3]}/{letter.path}".encode()
    writer.write(b"\r\n".join([b"POST " + target + b" HTTP/1.1", b"Host: x", length, *lines, b"", b""]))
    line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
    writer.transport.abort()
    return int(line.split()[1])


@pytest.mark.case("BODY-01")
@pytest.mark.parametrize("length", [b"Content-Length: 8388608", b"Transfer-Encoding: chunked"])
async def test_body_of_somebody_unknown_is_not_uploaded(on_sockets, length):
    """Ours: missing, unreadable and old signatures, strangers and wrong roles are refused from the headers alone."""
    scene, now = on_sockets, on_sockets.now
    signer = scene.network.signers["app.example"]
    good = scene.letter("on_message", message={})
    bare = good.without("Authorization")
    stranger = Signer("stranger.example", "k1", signer.key, signer.profile)
    cases = {
        bare: SIGNATURE_MISSING,
        bare.with_header("Authorization", "Basic YTpi"): SIGNATURE_INVALID,
        bare.signed(signer, now - 60): SIGNATURE_INVALID,
        good.with_header("Authorization", dict(good.headers)["Authorization"]): SIGNATURE_INVALID,
        bare.signed(stranger, now): SUBSCRIBER_UNKNOWN,
        bare.signed(scene.network.signers["other.example"], now): ROLE_NOT_ALLOWED,
    }

    statuses = [await only_the_head(letter, scene.clinic.identity.me.url, length=length) for letter in cases]

    assert statuses == [fault.status for fault in cases.values()]
    assert {hop.outcome for hop in scene.refusals()} == {fault.type for fault in cases.values()}
    assert {hop.address for hop in scene.refusals()} == {"127.0.0.1"}


async def test_closed_program_takes_no_bodies(on_sockets):
    """Reliability rules, stopping: 503 from the headers on."""
    letter = on_sockets.letter("on_message", message={})
    on_sockets.clinic._office.door.is_open = False

    assert await only_the_head(letter, on_sockets.clinic.identity.me.url) == 503
    on_sockets.clinic._office.door.is_open = True


# --- searches that must come through the gateway ---


@pytest.mark.case("SIG-18")
async def test_direct_search_is_refused_where_all_searches_come_through_the_gateway(refuses):
    """Decision 4 tells a first search by its gateway header alone; UHI_GATEWAY_ONLY takes none without it."""
    async with Network(Options(preset=replace(LOCAL, gateway_only=True))) as network:
        scene = await Scene.on(network)
        direct = scene.letter("search", provider_id="clinic.example")

        answer = await refuses(scene)(direct, scene.clinic, SIGNATURE_MISSING)

        assert (answer.status, answer.error["code"]) == (401, "UHI-1401")
        assert "Proxy-Authenticate" in answer.headers
        assert (await scene.send(scene.forwarded(fresh(scene, "search")), scene.clinic)).is_ack


@pytest.mark.case("SIG-18")
async def test_direct_search_is_never_taken_for_a_first_one(scene):
    """Decision 4: without the header it is a second search, to one provider by its name, for one doctor's slots."""
    await scene.send(scene.letter("search", provider_id="clinic.example"), scene.clinic)
    answer = await scene.send(fresh(scene, "search"), scene.clinic)

    assert answer.error["type"] == "CTX_WRONG_RECIPIENT"
    assert ("clinic.example", "search") not in scene.handled


# --- ids ---

ODD = ["../admin?x=", "a%2f..", "{x}", "a/b", "..\\x", "app.example#", "app.example|k1", "app.example,"]


@pytest.mark.case("SSRF-06")
@pytest.mark.parametrize("odd", ODD)
async def test_odd_id_in_a_context_is_refused_and_looked_up_nowhere(scene, refuses, odd):
    """Outbound rules: ids are checked before they are used in any question: 400 UHI-1413."""
    before = lookups(scene)

    answer = await refuses(scene)(scene.letter("search", consumer_id=odd), scene.gateway, CONSUMER_UNKNOWN)

    assert (answer.status, answer.error["code"]) == (400, "UHI-1413")
    assert lookups(scene) - before <= {("lookup", "gateway.example")}


@pytest.mark.case("SSRF-06")
@pytest.mark.parametrize("odd", ODD)
async def test_odd_id_that_nobody_signed_for_is_refused_and_looked_up_nowhere(refuses, odd):
    """Decision 5: where a gateway may drop the sender's signature, the name in the context is looked up; not this."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        scene = await Scene.on(network)
        bare = scene.letter("search", consumer_id=odd).without("Authorization")
        asked_for = []
        scene.network.calls.heard = lambda hop: asked_for.append(hop) if hop.action.startswith("lookup") else None

        await refuses(scene)(scene.forwarded(bare), scene.clinic, CONSUMER_UNKNOWN)

        assert {hop.sender for hop in asked_for} <= {"clinic.example"}
        assert len(asked_for) <= 1  # for the gateway's own key


def lookups(scene: Scene) -> set[tuple[str, str]]:
    return {(hop.action, hop.sender) for hop in scene.network.calls if hop.action.startswith("lookup")}


# --- caps of one transaction, and of one search ---


@pytest.mark.case("CB-08")
@pytest.mark.parametrize("number", [200, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_provider_that_floods_one_transaction_is_heard_twenty_times(stage, number):
    """Limits table: 20 on_search of one provider in one transaction, then 429; the consumer receives 20."""
    async with asked(stage, SEARCH, SEARCH_ALL) as (asking, _):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}
        stage.network.faults.heal()
        await stage.send(stage.letter("search", **ids), stage.gateway)
        callbacks = (stage.callback("on_search", core_version=f"0.7.{each}", **ids) for each in range(number))
        found = outcomes([await stage.send(each, stage.gateway, settle=False) for each in callbacks])
        await stage.network.settle()

    # One of the twenty was the clinic's own answer to the search.
    assert found == {"ACK": 19, "AUT_RATE_LIMITED": number - 19}
    assert len([each for each in stage.heard if getattr(each, "sender", None) == stage.clinic.identity.me]) == 20


async def test_search_goes_to_no_more_than_the_limit_and_says_whom_it_left_out():
    """Decision 23: a cap on the fan-out, whatever the registry lists."""
    async with Network(Options(rules=SearchRules(fan_out_limit=3))) as network:
        scene = await Scene.on(network)
        for number in range(8):
            await network.provider(f"more-{number}.example")

        assert (await scene.send(fresh(scene, "search"), scene.gateway)).is_ack

        assert len(scene.deliveries("search", sender="gateway.example")) == 3
        assert [hop.outcome for hop in network.calls].count("truncated") == 1

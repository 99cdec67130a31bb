"""Every answer of the registry is numbered, timed, tied to its question, and signed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.network_registry.counters import Lookups, lookup_entrance
from gateway.network_registry.entrance import RegistryEntrance, Site
from uhi.errors import Refusal
from uhi.exchange.rates import RateRules, Rates
from uhi.faults import BODY_TOO_LARGE, PATH_UNKNOWN, RATE_LIMITED, SIGNATURE_INVALID
from uhi.ports import Inbound
from uhi.signals.local import LocalWindows
from uhi.signing import UHI, body_digest, sign, verify
from uhi.signing.authorization import parse
from uhi.subscribers import Role

QUESTION = b'{"subscriber_id":"clinic.hspa","type":"HSPA","domain":"nic2004:85111","country":"IND"}'
NOW = 1_767_225_600.0
PROVIDERS = b'{"domain":"nic2004:85111","country":"IND"}'


@pytest.fixture
def signed(members, clock, calls, signers) -> RegistryEntrance:
    """The registry, with a key."""
    return lookup_entrance("registry.uhi", members, clock=clock, log=calls, signer=signers["registry.uhi"])


@pytest.fixture
def ask(signed, signers, clock):
    """Asks as somebody; returns the reply."""

    async def send(who: str, body: bytes = QUESTION, path: str = "lookup", entrance=None):
        headers = {"content-type": ("application/json",)}
        if who:
            headers["authorization"] = (sign(body, signers[who], created=int(clock.now())),)
        return await (entrance or signed).take(Inbound(path, headers, body, "198.51.100.7"))

    return send


def objects_of(reply) -> list[dict[str, object]]:
    value = json.loads(reply.body)
    return value if isinstance(value, list) else [value]


def check_signed(reply, signers, question: bytes) -> None:
    header = parse(reply.headers["X-Registry-Authorization"])
    verify(reply.body, header, key=signers["registry.uhi"].key.public, profile=UHI)
    assert (header.subscriber_id, header.key_id, header.expires - header.created) == ("registry.uhi", "k1", 10)
    assert all(each["request_digest"] == body_digest(question) for each in objects_of(reply))


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (("app.eua", QUESTION, "lookup"), 200),
        (("gateway.uhi", PROVIDERS, "lookup/providers"), 200),
        (("app.eua", QUESTION.replace(b"clinic", b"nobody"), "lookup"), 404),
        (("app.eua", PROVIDERS, "lookup/providers"), 403),
        (("app.eua", b"{", "lookup"), 400),
        (("", QUESTION, "lookup"), 401),
        (("app.eua", QUESTION, "nowhere"), 404),
    ],
)
@pytest.mark.case("REG-10")
async def test_every_answer_is_numbered_and_signed(ask, signers, members, question, status):
    """Decision 26: refusals too, on every path."""
    reply = await ask(*question)

    assert reply.status == status
    check_signed(reply, signers, question[1])
    assert all(each["registry_seq"] == members.seq for each in objects_of(reply))
    assert all(each["registry_time"] == NOW for each in objects_of(reply))


@pytest.mark.parametrize("fault", [PATH_UNKNOWN, BODY_TOO_LARGE])
def test_what_the_server_refuses_is_signed_too(signed, signers, fault):
    """Decision 26: there is no unsigned way to say no."""
    check_signed(signed.refuse(Refusal(fault)), signers, b"")


async def test_too_many_lookups_are_told_to_wait_and_signed(members, clock, calls, signers, ask):
    """Limits: 429 and Retry-After."""
    windows = LocalWindows(clock)
    rates = Rates(replace(RateRules(), lookups=1), windows, own=windows, clock=clock)
    site = Site("registry.uhi", members, clock, calls, signers["registry.uhi"], rates)
    entrance = RegistryEntrance(site, Lookups(site).counters())
    replies = [await ask("app.eua", entrance=entrance) for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, RATE_LIMITED.status]
    assert int(replies[2].headers["Retry-After"]) >= 1
    check_signed(replies[2], signers, QUESTION)


async def test_number_grows_with_every_change(ask, members):
    """Decision 26: a stale answer can be told."""
    [before] = objects_of(await ask("app.eua"))
    [member] = members.with_id("other.hspa")
    members.replace(replace(member, subscriber=replace(member.subscriber, status="SUSPENDED")))

    [after] = objects_of(await ask("app.eua"))

    assert after["registry_seq"] == before["registry_seq"] + 1


async def test_signature_of_one_answer_does_not_fit_another(ask, signers, clock):
    """REG-10: an answer to one question is none to the next."""
    first = await ask("app.eua")
    clock.time += 1
    second = await ask("app.eua")
    header = parse(first.headers["X-Registry-Authorization"])

    with pytest.raises(Refusal) as caught:
        verify(second.body, header, key=signers["registry.uhi"].key.public, profile=UHI)
    assert caught.value.fault is SIGNATURE_INVALID


async def test_registry_without_a_key_answers_as_before(entrance, ask):
    """NHA's registry does not sign: so may one for development."""
    reply = await ask("app.eua", entrance=entrance)

    assert "X-Registry-Authorization" not in reply.headers
    assert "registry_seq" not in objects_of(reply)[0]


def test_roles_of_members_are_all_there(members):
    """The fixtures hold a member of each role."""
    assert {member.subscriber.role for member in members.members()} == set(Role)

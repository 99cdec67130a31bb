"""The registry over real sockets: its own client gets answers, everybody else a coded refusal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from uhi.errors import Refusal
from uhi.exchange.stamps import Stamps
from uhi.faults import KEY_INACTIVE, REGISTRY_AWAY, SUBSCRIBER_UNKNOWN, Fault
from uhi.signing import BECKN, PrivateKey, Signer, body_digest, sign
from uhi.subscribers import KeyRef, Role

DOMAIN = "nic2004:85111"
CLINIC = KeyRef("clinic.hspa", "k1", Role.PROVIDER)
QUESTION = b'{"subscriber_id":"clinic.hspa","type":"HSPA","domain":"nic2004:85111","country":"IND"}'
SEARCH = b'{"domain":"nic2004:85111","country":"IND"}'


@pytest.fixture
def post(url, transport, clock):
    """Posts bytes as one signer, or as nobody."""

    async def send(signer: Signer | None, body: bytes = QUESTION, path: str = "lookup"):
        headers = {}
        if signer is not None:
            headers["Authorization"] = Stamps(signer).header(body_digest(body), receiver="", now=clock.now())
        return await transport.post(f"{url}/{path}", body=body, headers=headers, timeout=5)

    return send


async def refused(question) -> Fault:
    with pytest.raises(Refusal) as caught:
        await question
    return caught.value.fault


def error_of(reply) -> dict[str, str]:
    body = json.loads(reply.body)
    assert body["message"]["ack"]["status"] == "NACK"
    return body["error"]


async def test_subscriber_finds_another_with_its_key(ask_as, signers):
    """UHI registry lookup, from one end to the other."""
    record = await ask_as("app.eua").record(CLINIC)

    assert record.subscriber.url == "https://clinic.hspa.example"
    assert record.key.public == signers["clinic.hspa"].key.public


@pytest.mark.parametrize("asker", ["app.eua", "clinic.hspa", "gateway.uhi"])
@pytest.mark.parametrize(("asked", "role"), [("gateway.uhi", Role.GATEWAY), ("registry.uhi", Role.REGISTRY)])
async def test_anybody_finds_the_gateway_and_the_registry(ask_as, asker, asked, role):
    """UHI: any subscriber looks up; the gateway's and the registry's own entries are like any other."""
    assert (await ask_as(asker).subscriber(asked, role)).id == asked


@pytest.mark.parametrize(
    "ref",
    [
        KeyRef("nobody.hspa", "k1", Role.PROVIDER),
        KeyRef("clinic.hspa", "k2", Role.PROVIDER),
        KeyRef("clinic.hspa", "k1", Role.CONSUMER),
    ],
)
async def test_whom_the_registry_does_not_know_is_unknown(ask_as, ref):
    """UHI registry lookup: 404; a lookup of type EUA for a hospital finds nothing."""
    assert await refused(ask_as("app.eua").record(ref)) is SUBSCRIBER_UNKNOWN


async def test_nobody_is_answered_with_404(post, signers):
    """UHI registry lookup: the body is the error object."""
    reply = await post(signers["app.eua"], QUESTION.replace(b"clinic.hspa", b"nobody.hspa"))

    assert (reply.status, error_of(reply)["code"]) == (404, "UHI-1413")


async def test_gateway_gets_the_providers(ask_as):
    """Decision 26: signed, gateways only."""
    providers = await ask_as("gateway.uhi").providers(DOMAIN, "IND")

    assert [each.id for each in providers] == ["clinic.hspa", "other.hspa"]


async def test_domain_without_providers_is_an_empty_list(ask_as):
    """Gateway rules: nobody is an answer, not a failure."""
    assert await ask_as("gateway.uhi").providers("nic2008:86906", "IND") == ()


@pytest.mark.parametrize("asker", ["app.eua", "clinic.hspa"])
async def test_only_gateways_get_the_providers(post, signers, asker):
    """Error table: right identity, wrong role: 403."""
    reply = await post(signers[asker], SEARCH, "lookup/providers")

    assert (reply.status, error_of(reply)["code"]) == (403, "UHI-1412")


@pytest.mark.parametrize("path", ["lookup", "lookup/providers"])
@pytest.mark.case("SIG-03")
async def test_unsigned_question_is_refused_with_a_challenge(post, path):
    """SIG-03: 401 UHI-1401 and WWW-Authenticate."""
    reply = await post(None, path=path)

    assert (reply.status, error_of(reply)["code"]) == (401, "UHI-1401")
    assert reply.headers["www-authenticate"] == ('Signature realm="registry.uhi",headers="(created) (expires) digest"')


async def test_stranger_is_refused(post):
    """Error table: unknown subscriber or key: 401 UHI-1406."""
    reply = await post(Signer("stranger", "k1", PrivateKey.new(), BECKN))

    assert (reply.status, error_of(reply)["code"]) == (401, "UHI-1406")


async def test_question_signed_with_another_key_is_refused(post):
    """Error table: 401 UHI-1405."""
    reply = await post(Signer("app.eua", "k1", PrivateKey.new(), BECKN))

    assert (reply.status, error_of(reply)["code"]) == (401, "UHI-1405")


@pytest.mark.case("REG-05")
@pytest.mark.parametrize("change", [{"valid_until": 1_767_225_599.0}, {"valid_from": 1_767_225_601.0}])
async def test_key_outside_its_validity_may_not_ask(post, members, signers, change):
    """REG-05: 401 UHI-1410."""
    [member] = members.with_id("app.eua")
    members.replace(replace(member, keys=(replace(member.keys[0], **change),)))

    reply = await post(signers["app.eua"])

    assert (reply.status, error_of(reply)["code"]) == (401, "UHI-1410")


@pytest.mark.case("REG-05")
async def test_header_that_outlives_its_key_is_refused(url, transport, members, signers, clock):
    """REG-05: `expires` beyond `valid_until` is 401 UHI-1410."""
    [member] = members.with_id("app.eua")
    members.replace(replace(member, keys=(replace(member.keys[0], valid_until=clock.now() + 5),)))
    header = sign(QUESTION, signers["app.eua"], created=int(clock.now()), expires=int(clock.now()) + 6)

    reply = await transport.post(f"{url}/lookup", body=QUESTION, headers={"Authorization": header}, timeout=5)

    assert (reply.status, error_of(reply)["code"]) == (401, "UHI-1410")


@pytest.mark.case("REG-06")
@pytest.mark.parametrize("status", ["INITIATED", "UNDER_REVIEW", "SUSPENDED", "REVOKED", "EXPIRED", ""])
async def test_inactive_subscriber_is_told_apart_by_its_record(ask_as, members, clock, status):
    """REG-06: the record comes with its status, and the door refuses it: 401 UHI-1410."""
    [member] = members.with_id("clinic.hspa")
    members.replace(replace(member, subscriber=replace(member.subscriber, status=status)))

    record = await ask_as("app.eua").record(CLINIC)

    with pytest.raises(Refusal) as caught:
        record.check_active(clock.now())
    assert caught.value.fault is KEY_INACTIVE


@pytest.mark.case("REG-07")
async def test_key_of_another_subscriber_does_not_sign_for_one(post, signers):
    """REG-07: both have a key `k1`; A signs as `B|k1`."""
    reply = await post(Signer("clinic.hspa", "k1", signers["app.eua"].key, signers["app.eua"].profile))

    assert (reply.status, error_of(reply)["code"]) == (401, "UHI-1405")


@pytest.mark.parametrize(
    ("body", "code"), [(b"", "UHI-1411"), (b"{", "UHI-1411"), (b"[]", "UHI-1404"), (b'{"type":"EUA"}', "UHI-1404")]
)
async def test_question_of_another_form_is_refused(post, signers, body, code):
    """Error table: 400."""
    reply = await post(signers["app.eua"], body)

    assert (reply.status, error_of(reply)["code"]) == (400, code)


async def test_asker_that_is_refused_itself_learns_nothing_about_others(ask_as, signers):
    """Error table: the asker's own mistake is no verdict on whom it asks about."""
    signers["app.eua"] = Signer("stranger", "k1", PrivateKey.new(), BECKN)

    assert await refused(ask_as("app.eua").record(CLINIC)) is REGISTRY_AWAY


async def test_every_call_is_one_line_of_the_call_log(post, signers, calls):
    """Call log: who, what, when, outcome; no bodies."""
    await post(signers["app.eua"])
    await post(signers["app.eua"], QUESTION.replace(b"clinic.hspa", b"nobody.hspa"))
    await post(None)
    await post(None, path="nowhere")

    lines = [(hop.sender, hop.action, hop.status, hop.outcome) for hop in calls.hops]
    assert lines == [
        ("app.eua", "lookup", 200, "ACK"),
        ("app.eua", "lookup", 404, "NET_ENTITY_NOT_FOUND"),
        ("?", "lookup", 401, "AUT_SIGNATURE_MISSING"),
        ("?", "", 404, "NET_ENTITY_NOT_FOUND"),
    ]


async def test_unforeseen_error_is_answered_and_logged(post, signers, members, calls):
    """Error table: 500 UHI-1407; nothing of what broke is told."""

    def broken(subscriber_id: str) -> None:
        raise RuntimeError("secret")

    members.with_id = broken
    reply = await post(signers["app.eua"])

    assert (reply.status, error_of(reply)["code"], b"secret" in reply.body) == (500, "UHI-1407", False)
    assert "secret" not in calls.hops[0].detail

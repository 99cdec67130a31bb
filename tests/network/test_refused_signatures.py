"""Signatures at the door: missing, malformed, out of time, by another key or party. All 401 but the wrong role."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest

from tests.network.letters import Letter, letter, post
from tests.network.scene import Scene
from uhi.faults import (
    KEY_INACTIVE,
    REGISTRY_AWAY,
    ROLE_NOT_ALLOWED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    SIGNER_NOT_SENDER,
    SUBSCRIBER_UNKNOWN,
)
from uhi.http import application
from uhi.network import NHA_SANDBOX
from uhi.registry.memory import Member
from uhi.signing import BECKN, PrivateKey
from uhi.subscribers import KeyRef, Role
from uhi.testing import Network, Options

CHALLENGE = 'Signature realm="clinic.example",headers="(created) (expires) digest"'


def unsigned(scene: Scene, path: str = "init", **changes: object) -> Letter:
    return scene.letter(path, **changes).without("Authorization")


async def test_ordinary_request_is_accepted(scene):
    """Ours: the letters that these tests spoil are in order."""
    answer = await scene.send(scene.letter("init"), scene.clinic)

    assert answer.is_ack
    assert scene.handled[:1] == [("clinic.example", "init")]


@pytest.mark.case("SIG-03")
async def test_missing_signature_is_refused_with_a_challenge(scene, refuses):
    """Error table: 401 UHI-1401; the challenge names us and what must be signed."""
    answer = await refuses(scene)(unsigned(scene), scene.clinic, SIGNATURE_MISSING)

    assert answer.headers["WWW-Authenticate"] == CHALLENGE


@pytest.mark.case("SIG-03")
async def test_every_route_of_every_program_asks_for_a_signature(stage, refuses):
    """Threat T01: routes are taken from the router itself, so a new one cannot be forgotten."""
    for program in (stage.app, stage.clinic, stage.gateway):
        routes = {route.resource.canonical for route in application(program.entrance).router.routes()}

        assert routes == {f"/{path}" for path in program.entrance.paths}
        for path in program.entrance.paths:
            spoiled = Letter(path, b'{"context": {}}')
            await refuses(stage)(spoiled, program, SIGNATURE_MISSING)


@pytest.mark.parametrize("path", ["lookup", "lookup/providers"])
async def test_registry_asks_for_a_signature_too(network, path):
    """Threat T01: lookups are signed; only who takes part may ask who takes part."""
    json_body = {"Content-Type": "application/json"}

    answer = await network.faults.post(f"{network.registry_url}/{path}", body=b"{}", headers=json_body, timeout=5)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (401, "UHI-1401")


@pytest.mark.case("SIG-04")
async def test_each_of_64_flipped_bits_of_the_body_is_refused(stage, refuses):
    """Threat T02: the signature covers every bit."""
    good, random = stage.letter("init"), Random(20261122)

    for place in random.sample(range(8 * len(good.body)), 64):
        flipped = bytearray(good.body)
        flipped[place // 8] ^= 1 << place % 8

        await refuses(stage)(good.carrying(bytes(flipped)), stage.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-04")
async def test_flipped_bit_is_refused_over_either_network(scene, refuses):
    """Threat T02."""
    good = scene.letter("confirm")

    await refuses(scene)(good.carrying(good.body.replace(b"500", b"501", 1)), scene.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-05")
@pytest.mark.parametrize("rewritten", [{"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}])
async def test_same_json_in_other_bytes_is_refused(scene, refuses, rewritten):
    """Threat T06: what counts is the bytes, not what they mean."""
    good = scene.letter("init")
    other = json.dumps(json.loads(good.body), **rewritten).encode()

    await refuses(scene)(good.carrying(other), scene.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-06")
@pytest.mark.parametrize(("ago", "life"), [(11, 10), (100, 99), (3_602, 3_600)])
async def test_expired_signature_is_refused(scene, refuses, ago, life):
    """BECKN-006: a message past `expires` is not processed."""
    late = unsigned(scene).signed(scene.network.signers["app.example"], scene.now - ago, life=life)

    await refuses(scene)(late, scene.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-07")
async def test_signature_from_the_future_is_refused_beyond_the_tolerance(stage, refuses):
    """Limits table: clocks may differ by 5 s; 4 s ahead passes, 6 s does not."""
    signer = stage.network.signers["app.example"]

    answer = await stage.send(unsigned(stage).signed(signer, stage.now + 4), stage.clinic)

    assert answer.is_ack
    ahead = unsigned(stage, message_id="m-2").signed(signer, stage.now + 6)
    await refuses(stage)(ahead, stage.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-08")
@pytest.mark.parametrize("life", [3_601, 0, -1])
async def test_signature_with_an_impossible_life_is_refused(scene, refuses, life):
    """Limits table: between one second and an hour."""
    strange = unsigned(scene).signed(scene.network.signers["app.example"], scene.now, life=life)

    await refuses(scene)(strange, scene.clinic, SIGNATURE_INVALID)


MALFORMED = {
    "text": lambda value: "let me in",
    "empty": lambda value: "",
    "bearer": lambda value: "Bearer abc",
    "cut": lambda value: value[:-20],
    "twice-created": lambda value: value.replace('{"headers"', '{"created":"1","headers"'),
    "other-algorithm": lambda value: value.replace('"algorithm":"ed25519"', '"algorithm":"none"'),
    "other-key-type": lambda value: value.replace("|ed25519", "|rsa-sha256"),
    "two-part-key-id": lambda value: value.replace("app.example|k1", "k1"),
    "empty-key-id": lambda value: value.replace("|k1|", "||"),
    "percent-in-key-id": lambda value: value.replace("|k1|", "|%00|"),
    "signs-less": lambda value: value.replace("(created) (expires) digest", "digest"),
    "no-signature": lambda value: value.replace('"signature"', '"sygnature"'),
    "short-signature": lambda value: value.replace("==", "="),
    "nested": lambda value: value.replace('"created":', '"more":{},"created":'),
    "array": lambda value: f"[{value}]",
    "signed-time": lambda value: value.replace('"created":"', '"created":"+'),
}


@pytest.mark.case("SIG-08")
@pytest.mark.case("SIG-09")
@pytest.mark.case("SIG-10")
@pytest.mark.case("SIG-11")
@pytest.mark.case("SIG-12")
@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_signature_header_is_refused(stage, refuses, spoil):
    """Header grammar: read liberally, and refused as invalid, never as an error of ours."""
    good = stage.letter("init")
    value = dict(good.headers)["Authorization"]

    spoiled = good.without("Authorization").with_header("Authorization", spoil(value))

    assert spoil(value) != value
    await refuses(stage)(spoiled, stage.clinic, SIGNATURE_INVALID)


async def test_second_authorization_header_is_refused(scene, refuses):
    """Decision 9: exactly one; a proxy and a server might choose different ones."""
    twice = scene.letter("init").signed(scene.network.signers["app.example"], scene.now - 1)

    await refuses(scene)(twice, scene.clinic, SIGNATURE_INVALID)


@pytest.mark.parametrize("value", ["BLAKE-512=AAAA", "SHA-256=AAAA", "blake-512", ""])
async def test_digest_header_that_is_not_the_bodys_is_refused(scene, refuses, value):
    """Decision 1, step 2: `Digest` may be absent; where it stands it equals the body's."""
    letter = scene.letter("init").with_header("Digest", value)

    await refuses(scene)(letter, scene.clinic, SIGNATURE_INVALID)


async def test_digest_header_of_the_body_is_accepted(scene):
    """UHI signing document: senders send it."""
    assert (await scene.send(scene.letter("init").with_digest(), scene.clinic)).is_ack


async def test_signature_by_another_key_is_refused(scene, refuses):
    """Threat T02: the key counts that the registry holds, whatever the header names."""
    stolen = replace(scene.network.signers["app.example"], key=PrivateKey.new())

    await refuses(scene)(unsigned(scene).signed(stolen, scene.now), scene.clinic, SIGNATURE_INVALID)


@pytest.mark.case("SIG-15")
async def test_signature_in_a_profile_the_key_is_not_pinned_to_is_refused(scene, refuses):
    """Decision table: the profile belongs to the key, not to the header's form."""
    other = replace(scene.network.signers["app.example"], profile=BECKN)

    await refuses(scene)(unsigned(scene).signed(other, scene.now), scene.clinic, SIGNATURE_INVALID)


@pytest.mark.case("REG-07")
async def test_another_partys_key_id_does_not_help(scene, refuses):
    """Threat T11: both have a key `k1`; a key is found by subscriber and id."""
    other = replace(scene.network.signers["app.example"], key=scene.network.signers["other.example"].key)

    await refuses(scene)(unsigned(scene).signed(other, scene.now), scene.clinic, SIGNATURE_INVALID)


@pytest.mark.parametrize("unknown", [{"key_id": "k2"}, {"subscriber_id": "nobody.example"}])
async def test_unknown_subscriber_or_key_is_refused(scene, refuses, unknown):
    """Error table: 401 UHI-1406; 403 is read from others, not sent."""
    stranger = replace(scene.network.signers["app.example"], **unknown)

    await refuses(scene)(unsigned(scene).signed(stranger, scene.now), scene.clinic, SUBSCRIBER_UNKNOWN)


def reregister(network: Network, subscriber_id: str, role: Role, **changes: object) -> None:
    """Change a registry entry or its key in place."""
    [member] = [each for each in network.members.with_id(subscriber_id) if each.subscriber.role is role]
    of_key = {name: changes.pop(name) for name in ("valid_from", "valid_until") if name in changes}
    keys = tuple(replace(key, **of_key) for key in member.keys)
    network.members.replace(Member(replace(member.subscriber, **changes), keys))


@pytest.mark.case("REG-05")
@pytest.mark.parametrize("validity", [{"valid_until": -1.0}, {"valid_from": 60.0}, {"valid_until": 5.0}])
async def test_key_outside_its_validity_is_refused(scene, refuses, validity):
    """Registry rules: past, not yet begun, or ended before the signature does."""
    shifted = {name: scene.now + seconds for name, seconds in validity.items()}
    reregister(scene.network, "app.example", Role.CONSUMER, **shifted)

    await refuses(scene)(scene.letter("init"), scene.clinic, KEY_INACTIVE)


@pytest.mark.case("REG-06")
@pytest.mark.parametrize("status", ["INITIATED", "UNDER_REVIEW", "SUSPENDED", "REVOKED", "EXPIRED", ""])
async def test_subscriber_that_is_not_subscribed_is_refused(scene, refuses, status):
    """Registry rules: only SUBSCRIBED verifies."""
    reregister(scene.network, "app.example", Role.CONSUMER, status=status)

    await refuses(scene)(scene.letter("init"), scene.clinic, KEY_INACTIVE)


@pytest.mark.case("SIG-17")
async def test_provider_that_signs_a_request_is_refused_for_its_role(scene, refuses):
    """Error table: a known party in the wrong role is told 403, so that it knows its key is fine."""
    signer = scene.network.signers["other.example"]

    await refuses(scene)(unsigned(scene).signed(signer, scene.now), scene.clinic, ROLE_NOT_ALLOWED)


@pytest.mark.case("SIG-17")
async def test_consumer_that_signs_a_callback_is_refused_for_its_role(scene, refuses):
    """Error table: 403 UHI-1412, at the gateway as at a consumer."""
    callback = scene.callback("on_search").without("Authorization")
    signed = callback.signed(scene.network.signers["app.example"], scene.now)

    await refuses(scene)(signed, scene.gateway, ROLE_NOT_ALLOWED)


@pytest.mark.case("SIG-16")
async def test_signer_that_is_not_the_named_consumer_is_refused(scene, refuses):
    """Decision 3: `consumer_id` is who signed."""
    await scene.network.consumer("second.example")

    await refuses(scene)(scene.letter("init", consumer_id="second.example"), scene.clinic, SIGNER_NOT_SENDER)


async def test_registry_out_of_reach_is_said_and_retried(scene, refuses):
    """Error table: without a usable answer 503 UHI-1402 with Retry-After; nobody is let in on trust."""
    scene.network.faults.drop("lookup", times=-1)

    await refuses(scene)(scene.letter("init"), scene.clinic, REGISTRY_AWAY)


async def test_key_seen_before_works_while_the_registry_is_away(scene):
    """Limits table: known keys are good for 15 minutes without the registry."""
    await scene.clinic.world.registry.record(KeyRef("app.example", "k1", Role.CONSUMER))
    scene.network.faults.drop("lookup", times=-1)

    answer = await scene.send(scene.letter("init"), scene.clinic, settle=False)

    assert answer.is_ack


@pytest.mark.case("SIG-03")
@pytest.mark.case("SIG-04")
async def test_peers_of_nha_get_refusals_with_http_200(refuses):
    """Decision table: NHA's presets answer 200 with the same NACK body."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        scene = await Scene.on(network)
        good = scene.letter("init")

        await refuses(scene)(unsigned(scene), scene.clinic, SIGNATURE_MISSING)
        await refuses(scene)(good.carrying(good.body.replace(b"500", b"501")), scene.clinic, SIGNATURE_INVALID)


async def test_http_method_and_path_are_refused_before_any_signature(network):
    """Error table: 404 and 405, both UHI-1404; the right method is named."""
    clinic = await network.provider()
    if not network.options.sockets:
        return

    wrong = await post(Letter("init", b""), clinic.identity.me.url, method="GET")
    unknown = await post(letter("innit", {}, {}), clinic.identity.me.url)

    assert (wrong.status, wrong.error["code"], wrong.headers["Allow"]) == (405, "UHI-1404", "POST")
    assert (unknown.status, unknown.error["code"]) == (404, "UHI-1404")

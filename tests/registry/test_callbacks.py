"""What the registry sends us: heard from the pinned one alone, and answered with proofs that serve nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from uhi.exchange.trust import RegistryTrust
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Inbound, Reply
from uhi.registry.callbacks import Provable, RegistryCallbacks
from uhi.registry.changes import Change
from uhi.signing import UHI, PrivateKey, Signer, base64_text, sign
from uhi.signing.beckn_challenge import encrypt, new_private_key, public_half
from uhi.signing.challenge import Challenge, check_proof

NOW = 1_767_225_600
REGISTRY = Signer("registry.example", "r1", PrivateKey(bytes(range(2, 34))), UHI)
OLD = Signer("clinic.example", "k1", PrivateKey(bytes(range(4, 36))), UHI)
NEW = Signer("clinic.example", "k2", PrivateKey(bytes(range(5, 37))), UHI)
OURS, THEIRS = new_private_key(), new_private_key()
PROVABLE = Provable(
    RegistryTrust("registry.example", {"r1": REGISTRY.key.public}), "clinic.example", (OLD, NEW), OURS, ""
)
ASKED = {
    "subscriber_id": "clinic.example",
    "registry_id": "registry.example",
    "key_id": "k2",
    "challenge_id": "c-1",
    "nonce": base64_text.encode(bytes(32)),
    "expires": NOW + 300,
}
PUSHED = {
    "registry_seq": 41,
    "changes": [
        {"seq": 41, "subscriber_id": "app.example", "type": "consumer", "status": "SUSPENDED", "keys": []},
        {"seq": 40, "subscriber_id": "b.example", "type": "provider", "status": "SUBSCRIBED", "keys": ["k1", "k2"]},
    ],
}


@pytest.fixture
def heard() -> list[tuple[Change, ...]]:
    """The changes that came through."""
    return []


@pytest.fixture
def calls() -> RememberedCalls:
    """The call log."""
    return RememberedCalls()


@pytest.fixture
def callbacks(clock, calls, heard) -> RegistryCallbacks:
    """A participant's entrance for the registry; it holds an old and a new key."""
    return RegistryCallbacks(PROVABLE, heard.append, clock=clock, log=calls)


def inbound(path: str, value: object, *, by: Signer | None = REGISTRY, created: int = NOW) -> Inbound:
    """A POST of the registry, or of somebody else, or of nobody."""
    body = json.dumps(value).encode()
    headers = {"content-type": ("application/json",)}
    if by is not None:
        headers["authorization"] = (sign(body, by, created=created),)
    return Inbound(path, headers, body, "192.0.2.1")


def error(reply: Reply) -> str:
    return json.loads(reply.body)["error"]["type"]


async def test_pushed_changes_are_heard_in_order(callbacks, heard, calls):
    """Decision 26: signed `registry_changed`; ACK, and a line in the call log."""
    reply = await callbacks.take(inbound("registry_changed", PUSHED))

    assert reply.status == 200
    assert heard == [
        (
            Change(40, "b.example", "SUBSCRIBED", frozenset({"k1", "k2"})),
            Change(41, "app.example", "SUSPENDED", frozenset()),
        )
    ]
    assert [(hop.sender, hop.action, hop.outcome) for hop in calls] == [("registry.example", "registry_changed", "ACK")]


@pytest.mark.case("REG-10")
@pytest.mark.parametrize(("path", "value"), [("registry_changed", PUSHED), ("on_subscribe", ASKED)])
@pytest.mark.parametrize(
    "by",
    [
        None,
        OLD,
        replace(REGISTRY, key=OLD.key),
        replace(REGISTRY, key_id="r2"),
        replace(REGISTRY, subscriber_id="other.example"),
    ],
    ids=["nobody", "ourselves", "another key", "another key id", "another registry"],
)
async def test_nobody_else_is_heard(callbacks, heard, path, value, by):
    """Security rules, challenge: answered only to a verified registry; so are its changes."""
    reply = await callbacks.take(inbound(path, value, by=by))

    assert reply.status == 401
    assert heard == []


async def test_old_push_is_refused(callbacks, heard):
    """Signature times hold here as at every door."""
    reply = await callbacks.take(inbound("registry_changed", PUSHED, created=NOW - 11))

    assert (reply.status, heard) == (401, [])


@pytest.mark.parametrize(
    "value",
    [{}, {"registry_seq": 1}, PUSHED | {"registry_seq": "41"}, PUSHED | {"changes": [{"seq": 1}]}, [1]],
    ids=str,
)
async def test_malformed_push_is_refused(callbacks, heard, value):
    """Ours: 400, and nothing is forgotten."""
    reply = await callbacks.take(inbound("registry_changed", value))

    assert (reply.status, heard) == (400, [])


@pytest.mark.parametrize("signer", [OLD, NEW], ids=["old", "new"])
async def test_challenge_is_answered_with_the_key_that_is_asked_for(callbacks, signer):
    """Decision 26: proof of possession, for each key that we hold."""
    asked = ASKED | {"key_id": signer.key_id}

    reply = await callbacks.take(inbound("on_subscribe", asked))

    answer = json.loads(reply.body)
    challenge = Challenge(
        "registry.example", "clinic.example", signer.key_id, "c-1", str(ASKED["nonce"]), int(ASKED["expires"])
    )
    assert set(answer) == {"challenge_id", "signature"}
    check_proof(challenge, answer["signature"], signer.key.public)


async def test_encrypted_challenge_is_answered_too(callbacks):
    """Beckn's challenge: the text comes back in clear, beside the signature; the registry's key is in its message."""
    asked = ASKED | {"challenge": encrypt("7d0c", THEIRS, public_half(OURS)), "encr_public_key": public_half(THEIRS)}

    reply = await callbacks.take(inbound("on_subscribe", asked))

    assert json.loads(reply.body)["answer"] == "7d0c"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"subscriber_id": "other.example"}, 400),
        ({"registry_id": "other.example"}, 400),
        ({"key_id": "k3"}, 400),
        ({"nonce": "AAAA"}, 400),
        ({"challenge_id": "c\n1"}, 400),
        ({"expires": NOW - 1}, 410),
        ({"expires": NOW + 306}, 400),
        ({"expires": "soon"}, 400),
        ({"challenge": "AAAA"}, 400),
        pytest.param({"challenge": "AAAA", "encr_public_key": public_half(THEIRS)}, 401, id="not theirs"),
    ],
    ids=str,
)
async def test_challenge_that_is_not_for_us_now_is_refused(callbacks, change, status):
    """Security rules, challenge: for this subscriber, this registry, a key of ours, for five minutes at most."""
    reply = await callbacks.take(inbound("on_subscribe", ASKED | change))

    assert reply.status == status
    assert "signature" not in json.loads(reply.body)


async def test_head_of_a_strangers_request_is_refused_before_its_body(callbacks):
    """Ours: as at every door, a signature that cannot hold is not worth reading a body for."""
    request = inbound("on_subscribe", ASKED, created=NOW - 100)

    assert await callbacks.check_head(replace(request, body=b""), size=100) is not None
    assert await callbacks.check_head(inbound("on_subscribe", ASKED), size=0) is None


async def test_unknown_path_is_refused(callbacks):
    """Ours: nothing but the two paths is served."""
    reply = await callbacks.take(inbound("search", {}))

    assert (reply.status, error(reply)) == (404, "NET_ENTITY_NOT_FOUND")

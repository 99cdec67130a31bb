"""What a program shows beside its messages, and what it must know before it begins."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from uhi.errors import SetupError
from uhi.frontage import site_page
from uhi.network import OPEN
from uhi.participant import Participant
from uhi.ports import Inbound
from uhi.signing import UHI, PrivateKey, Signer, base64_text, sign
from uhi.signing.beckn_challenge import new_private_key
from uhi.signing.challenge import Challenge, check_proof
from uhi.signing.site import PAGE, check_site
from uhi.testing import Network, Options
from uhi.testing.network import GATEWAY_ID, REGISTRY_ID

SEED = base64_text.encode(bytes(range(32)))
SETTINGS = {
    "UHI_SUBSCRIBER_ID": "clinic.example",
    "UHI_KEY_ID": "k1",
    "UHI_URL": "https://clinic.example/uhi",
    "UHI_REGISTRY_URL": "https://registry.example/api/v1/networkregistry",
    "UHI_DATABASE_URL": "memory:",
    "UHI_NETWORK": "open",
}
PINNED = {
    "UHI_REGISTRY_ID": "registry.example",
    "UHI_REGISTRY_KEYS": f"r1={PrivateKey(bytes(32)).public.spki_base64()}",
}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Sets the variables of a hospital on an open network, and those of a test."""

    def set_all(**variables: str) -> None:
        for name, content in (("key", SEED), ("next", PrivateKey(bytes(range(1, 33))).seed_base64())):
            (tmp_path / name).write_text(content)
            (tmp_path / name).chmod(0o600)
        for name, value in (SETTINGS | {"UHI_KEY_FILE": str(tmp_path / "key")} | variables).items():
            monkeypatch.setenv(name, value)

    return set_all


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"UHI_REGISTRY_ID": "registry.example"},
        {"UHI_REGISTRY_KEYS": PINNED["UHI_REGISTRY_KEYS"]},
        PINNED | {"UHI_REGISTRY_KEYS": "r1=AAAA"},
        PINNED | {"UHI_NEXT_KEY_ID": "k2"},
    ],
    ids=["nothing", "no keys", "no id", "no key", "half a second key"],
)
async def test_open_network_demands_to_know_its_registry(environment, variables):
    """Decision 26: on the open Internet an answer that nobody signed is worth nothing."""
    environment(**variables)

    with pytest.raises(SetupError, match=r"(?i)registry_keys|next_key"):
        Participant.from_env()


async def test_participant_of_an_open_network_knows_its_registry_and_both_its_keys(environment, tmp_path):
    """Decision 26: with the keys pinned it can be called by its registry; a second key is there to be proven."""
    environment(**PINNED, UHI_NEXT_KEY_ID="k2", UHI_NEXT_KEY_FILE=str(tmp_path / "next"))

    clinic = Participant.from_env()

    assert {"registry_changed", "on_subscribe"} <= set(clinic.entrance.paths)
    assert [each.key_id for each in clinic.identity.spares] == ["k2"]
    assert set(clinic.health().checks) >= {"clock", "registry", "registry_answers"}
    await clinic.world.aclose()


async def test_network_that_demands_it_is_not_entered_without(environment):
    """Ours: a world that was put together by hand is held to the same."""
    async with Network(Options(pinned=False)) as network:
        clinic = await network.provider()

        with pytest.raises(SetupError, match="registry's keys must be known"):
            Participant(clinic.identity, world=clinic.world, network=OPEN)


async def test_without_pinned_keys_nobody_calls(environment):
    """NHA's registry signs nothing, so whoever said to be it would be a stranger."""
    async with Network(Options(pinned=False)) as network:
        clinic = await network.provider()

        assert {"registry_changed", "on_subscribe"}.isdisjoint(clinic.entrance.paths)
        assert "clock" not in clinic.health().checks


async def test_page_has_a_line_of_every_key():
    """The network's registry rules: the host says whose it is, with each of its keys."""
    async with Network() as network:
        identity = (await network.provider()).identity
        second = Signer("clinic.example", "k2", PrivateKey.new(), UHI)

        pages = site_page(replace(identity, spares=(second,)))

    for signer in (identity.signer, second):
        keys = {signer.key_id: signer.key.public}
        check_site(pages[PAGE].encode(), subscriber_id="clinic.example", host="clinic.example", keys=keys)


@pytest.mark.parametrize("who", ["clinic.example", GATEWAY_ID])
async def test_participant_and_gateway_prove_their_key_to_the_registry(who):
    """Decision 26: the challenge comes to the callback address, and the proof goes back in the answer."""
    async with Network() as network:
        clinic = await network.provider()
        entrance = clinic.entrance if who == "clinic.example" else network.gateway.entrance
        now = int(network.clock.now())
        challenge = Challenge(REGISTRY_ID, who, "k1", "c-1", new_private_key(), now + 300)
        fields = {name: getattr(challenge, name) for name in challenge.__slots__}
        body = json.dumps(fields).encode()
        headers = {"content-type": ("application/json",)}
        headers["authorization"] = (sign(body, network.registry_signer, created=now),)

        reply = await entrance.take(Inbound("on_subscribe", headers, body))

    check_proof(challenge, json.loads(reply.body)["signature"], network.signers[who].key.public)

"""REG-08: who is not signed in decides nothing, a subscriber's signature signs nobody in, no answer holds a secret."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tests.gateway.network_registry.scene import Scene, value_of, write_settings
from uhi.exchange.stamps import Stamps
from uhi.identity.rules import PUBLIC
from uhi.signing import body_digest


@pytest.fixture
async def scene(tmp_path) -> AsyncIterator[Scene]:
    """A registry with a member."""
    async with Scene(write_settings(tmp_path)) as running:
        yield running


def closed_routes(scene: Scene) -> list[tuple[str, str]]:
    """Every route that takes a right, with ids in place of names."""
    routes = [route for group in scene.program.routes() for route in group.all if route.rule is not PUBLIC]
    return [(route.method, re.sub(r"\{[a-z_]+\}", "clinic.example", route.path)) for route in routes]


@pytest.mark.case("REG-08")
async def test_no_route_is_open_without_a_token(scene):
    """REG-08: 401, on every one of them."""
    routes = closed_routes(scene)

    statuses = {
        (method, path): (await scene.session.request(method, f"{scene.server.url}{path}")).status
        for method, path in routes
    }

    assert len(routes) > 30
    assert set(statuses.values()) == {401}


@pytest.mark.case("REG-08")
async def test_signature_of_a_subscriber_opens_no_route(scene):
    """REG-08: what signs messages does not sign in."""
    clinic = await scene.member()
    header = Stamps(clinic.signer).header(body_digest(b"{}"), receiver="", now=scene.clock.now())
    given = ({"Authorization": header}, {"Authorization": f"Bearer {clinic.signer.key_id}"})

    statuses = {
        (await scene.session.request(method, f"{scene.server.url}{path}", data=b"{}", headers=headers)).status
        for method, path in closed_routes(scene)
        for headers in given
    }

    assert statuses <= {401, 403}


@pytest.mark.parametrize("path", ["subscribe", "on_subscribe", "keys", "keys/revoke", "unsubscribe", "subscription"])
@pytest.mark.case("REG-08")
async def test_errand_without_signature_is_refused(scene, path):
    """REG-08: 401 UHI-1401 and a challenge."""
    answer = await scene.session.post(f"{scene.url}/{path}", json={"subscriber_id": "clinic.example"})

    assert (answer.status, (await answer.json())["error"]["code"]) == (401, "UHI-1401")
    assert answer.headers["WWW-Authenticate"].startswith("Signature ")


@pytest.mark.case("REG-08")
async def test_no_answer_holds_a_private_key(scene):
    """REG-08: nothing of the keys of subscriber or registry, in any form; and who sends one is told to drop it."""
    clinic = await scene.member()
    private = clinic.signer.key
    asked = {"subscriber_id": clinic.id}
    sent = clinic.application()
    sent["keys"] = [{**sent["keys"][0], "signing_public_key": private.pkcs8_base64()}]

    replies = [await scene.post(clinic, path, asked) for path in ("lookup", "subscription")]
    replies.append(await scene.post(clinic, "lookup", {"type": "BPP"}, base=scene.server.url))
    refused = await scene.post(clinic, "subscribe", sent)

    texts = [reply.body.decode() for reply in (*replies, refused)]
    registry = scene.program.parts.identity.signer.key
    for key in (private, registry):
        assert not any(key.seed_base64() in text or key.pkcs8_base64() in text for text in texts)
    assert (refused.status, value_of(refused)["error"]["code"]) == (400, "UHI-1410")

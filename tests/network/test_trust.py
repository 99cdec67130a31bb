"""The registry's word in a running network: a key that ends, a member that is suspended, a key that changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.network.messages import A_BOOKING, A_WISH, AN_AGREEMENT, AN_OFFER, SEARCH_ALL
from tests.network.scene import A_THREAD, Scene
from uhi.actions import CONFIRM, INIT, SEARCH
from uhi.errors import DeliveryError, SetupError
from uhi.faults import KEY_INACTIVE, SUBSCRIBER_UNKNOWN
from uhi.ports import Reply
from uhi.registry.memory import Member
from uhi.signing import PrivateKey, Signer
from uhi.subscribers import SUBSCRIBED, SUSPENDED, Role
from uhi.testing import Network

AT_ONCE, WAVES = 25, 8


def entry(network: Network, subscriber_id: str, role: Role) -> Member:
    """A member as the registry has it."""
    return next(member for member in network.members.with_id(subscriber_id) if member.subscriber.role is role)


def suspended(member: Member, status: str = SUSPENDED) -> Member:
    """The member in another state."""
    return Member(replace(member.subscriber, status=status), member.keys)


@pytest.mark.case("REG-03")
async def test_revoked_key_is_refused_at_once_where_changes_are_pushed(scene, refuses):
    """Security rules, registry: within 2 s, and not from memory either."""
    await scene.send(scene.letter("init"), scene.clinic)
    member = entry(scene.network, "app.example", Role.CONSUMER)

    await scene.network.announce(Member(member.subscriber, ()))

    await refuses(scene)(scene.letter("init"), scene.clinic, SUBSCRIBER_UNKNOWN)


@pytest.mark.case("REG-03")
async def test_revoked_key_is_refused_after_half_a_minute_without_pushes(stage, refuses):
    """Security rules, registry: a cached answer counts for 30 s and no longer."""
    await stage.send(stage.letter("init"), stage.clinic)
    member = entry(stage.network, "app.example", Role.CONSUMER)
    stage.network.members.replace(Member(member.subscriber, ()))

    await stage.network.clock.advance(29)
    still = await stage.send(stage.letter("init"), stage.clinic)
    await stage.network.clock.advance(2)

    assert still.status == 200
    await refuses(stage)(stage.letter("init"), stage.clinic, SUBSCRIBER_UNKNOWN)


@pytest.mark.case("REG-03")
async def test_revoked_key_is_refused_while_the_registry_is_away(stage):
    """Security rules, registry: what was pushed as ended is not used from memory, and nobody can say more."""
    await stage.send(stage.letter("init"), stage.clinic)
    member = entry(stage.network, "app.example", Role.CONSUMER)

    await stage.network.announce(Member(member.subscriber, ()))
    stage.network.faults.drop("lookup", times=-1)
    answer = await stage.send(stage.letter("init"), stage.clinic)

    assert (answer.status, answer.error["type"]) == (503, "NET_REGISTRY_UNAVAILABLE")


@pytest.mark.case("SIG-22")
async def test_signer_suspended_while_its_message_is_handled(stage):
    """Ours: what was accepted is finished, and its answer waits until the member is back; what comes after is refused;
    both are in the call log."""
    goes_on, is_asked = asyncio.Event(), asyncio.Event()

    async def slow(message: object) -> object:
        is_asked.set()
        await goes_on.wait()
        return A_BOOKING

    stage.clinic.handlers._by_leg["confirm"] = replace(stage.clinic.handlers.of(CONFIRM.request), function=slow)
    asking = asyncio.ensure_future(_confirmed(stage))
    await is_asked.wait()
    member = entry(stage.network, "app.example", Role.CONSUMER)

    await stage.network.announce(suspended(member))
    later = await stage.send(stage.letter("confirm", message_id="later"), stage.clinic, settle=False)
    goes_on.set()
    await stage.network.clock.advance(60)
    await stage.network.announce(suspended(member, SUBSCRIBED))

    assert (await asking).message == A_BOOKING
    assert later.error["type"] == KEY_INACTIVE.type
    assert [hop.outcome for hop in stage.deliveries("on_confirm")][-1] == "ACK"
    assert KEY_INACTIVE.type in [hop.outcome for hop in stage.refusals()]


async def _confirmed(scene: Scene) -> object:
    return await scene.app.ask(CONFIRM, AN_AGREEMENT, A_THREAD, wait=3_600)


async def test_suspended_member_that_is_resumed_is_heard_at_once(scene):
    """Decision 26: a change for the better is pushed as well; nobody waits for a cache."""
    await scene.send(scene.letter("init"), scene.clinic)
    member = entry(scene.network, "app.example", Role.CONSUMER)
    await scene.network.announce(suspended(member))

    await scene.network.announce(suspended(member, SUBSCRIBED))
    answer = await scene.send(scene.letter("init", message_id="m-2"), scene.clinic)

    assert answer.status == 200


@pytest.mark.case("REG-06")
async def test_suspended_provider_is_searched_no_more_at_once(scene):
    """Decision 26: the gateway is told as well, and its list of providers put right."""
    before = {answer.sender.id async for answer in scene.app.ask(SEARCH, SEARCH_ALL, wait=2)}
    member = entry(scene.network, "clinic.example", Role.PROVIDER)

    await scene.network.announce(suspended(member))
    after = {answer.sender.id async for answer in scene.app.ask(SEARCH, SEARCH_ALL, wait=2)}

    assert before == {"clinic.example", "other.example"}
    assert after == {"other.example"}


@pytest.mark.case("REG-04")
async def test_key_is_changed_under_load_without_a_refused_message(scene):
    """Security rules, rotation: the new key is published, then used, then the old one retired; nothing is refused."""
    network, app = scene.network, scene.app
    old, new = app.identity.signer, Signer("app.example", "k2", PrivateKey.new(), app.identity.signer.profile)
    member = entry(network, "app.example", Role.CONSUMER)
    second = replace(member.keys[0], id="k2", public=new.key.public)
    app.identity = replace(app.identity, spares=(new,))
    steps = {
        2: lambda: network.announce(Member(member.subscriber, (*member.keys, second))),
        6: lambda: network.announce(Member(member.subscriber, (second,))),
    }

    for wave in range(WAVES):
        asked = [asyncio.ensure_future(_one(scene, f"{wave}-{number}")) for number in range(AT_ONCE)]
        if wave == 4:
            app.switch_key("k2")
        await steps.get(wave, lambda: asyncio.sleep(0))()
        assert [answer.message for answer in await asyncio.gather(*asked)] == [AN_OFFER] * AT_ONCE

    assert (app.identity.signer, app.identity.spares) == (new, (old,))
    assert {hop.outcome for hop in network.calls} == {"ACK"}


async def _one(scene: Scene, name: str) -> object:
    return await scene.app.ask(INIT, A_WISH, replace(A_THREAD, transaction_id=name), wait=30)


async def test_key_that_is_not_held_is_not_changed_to(stage):
    """Ours: the operator's mistake, told at once."""
    with pytest.raises(SetupError, match="holds no key k9"):
        stage.app.switch_key("k9")


@pytest.mark.case("REG-10")
@pytest.mark.parametrize("forged", ["unsigned", "changed"])
async def test_forged_answers_of_the_registry_change_nothing(stage, caplog, forged):
    """Security rules, registry: ignored, told to the operator, the cache kept; who is known goes on talking."""

    def on_the_way(reply: Reply) -> Reply:
        headers = {} if forged == "unsigned" else reply.headers
        return Reply(200, headers, reply.body.replace(b"https://clinic.example", b"https://thief.example"))

    await stage.app.ask(INIT, A_WISH, A_THREAD, wait=30)
    stage.network.faults.alter(on_the_way, "lookup", times=-1)
    await stage.network.clock.advance(40)

    answer = await stage.app.ask(INIT, A_WISH, replace(A_THREAD, transaction_id="t-2"), wait=30)

    assert answer.message == AN_OFFER
    assert "is not believed" in caplog.text
    assert stage.app.world.pinned.questions.ignored > 0


@pytest.mark.case("REG-10")
async def test_nobody_is_introduced_by_a_forged_answer(stage):
    """Security rules, registry: a member nobody has met is not met through an answer that is not the registry's."""
    stage.network.faults.alter(lambda reply: Reply(200, {}, reply.body), "lookup", times=-1)

    with pytest.raises(DeliveryError, match="no address"):
        await stage.app.ask(INIT, A_WISH, A_THREAD, wait=30)

    assert stage.handled == []

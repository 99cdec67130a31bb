"""A registry as a program, over real sockets: how somebody gets in, changes keys, and is shut out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from gateway.network_registry.errands import SUBSCRIBE
from gateway.network_registry.tables import registry_key
from tests.gateway.network_registry.scene import Applicant, Scene, admin, key_row, value_of, with_key, write_settings
from uhi.errors import Refusal
from uhi.exchange import Trust
from uhi.exchange.opened import LARGE, check_head
from uhi.exchange.rates import RateRules
from uhi.exchange.stamps import Stamps
from uhi.faults import KEY_INACTIVE, SUBSCRIBER_UNKNOWN
from uhi.ports import Direction, Hop, Inbound
from uhi.registry.answers import read_signed
from uhi.signing import UHI, PrivateKey, Signer, body_digest
from uhi.signing.challenge import prove
from uhi.storage.sql.calls import hops_of
from uhi.subscribers import KeyRef, Role


@pytest.fixture
async def scene(tmp_path) -> AsyncIterator[Scene]:
    """A registry with nobody in it."""
    async with Scene(write_settings(tmp_path)) as running:
        yield running


def end_of(key_id: str) -> dict[str, object]:
    """What it takes to end a key."""
    return {"pub_key_id": key_id, "status": "REVOKED"}


async def missing_for(scene: Scene, applicant: Applicant) -> list[str]:
    """What the registry says is missing."""
    told = value_of(await scene.post(applicant, "subscription", {"subscriber_id": applicant.id, "retry": False}))
    missing = told["missing"]
    assert isinstance(missing, list)
    return missing


@pytest.mark.parametrize("path", ["subscription", "keys/revoke", "unsubscribe", "lookup"])
async def test_a_suspended_member_learns_why_and_nothing_else(scene, path):
    """Ours: its status and the administrators' reason; every other path stays closed."""
    clinic = await scene.member()
    await scene.program.parts.register.suspend(clinic.id, reason="complaints of patients", acting=admin("admin-1"))
    bodies = {"keys/revoke": end_of("k1"), "unsubscribe": {"status": "UNSUBSCRIBED"}}

    reply = await scene.post(clinic, path, {"subscriber_id": clinic.id, **bodies.get(path, {})})

    told = value_of(reply)
    if path == "subscription":
        assert (told["status"], told["reason"]) == ("SUSPENDED", "complaints of patients")
    else:
        assert (reply.status, told["error"]["code"]) == (401, "UHI-1410")


async def test_who_expired_asks_with_its_last_key_that_was_not_revoked(scene):
    """Ours: an end of its keys is no reason not to be told of it; a revoked key tells nobody anything."""
    clinic = await scene.applicant()
    clinic.signers.append(with_key(clinic.signer, "k2"))
    clinic.url = ""
    await scene.listen(clinic)
    await scene.apply(clinic, keys=[key_row(each) for each in clinic.signers])
    await scene.decide(clinic)
    register, database = scene.program.parts.register, scene.program.parts.database
    await register.revoke_key(clinic.id, "k1", reason="stolen", acting=admin("admin-1"))
    past = scene.clock.now() - 5
    ended = update(registry_key).where(registry_key.c.key_id == "k2").values(valid_until=past)
    await database.write(lambda connection: connection.execute(ended).rowcount)
    await register.expire()
    asked = {"subscriber_id": clinic.id}

    replies = [await scene.post(clinic, "subscription", asked, signer=signer) for signer in clinic.signers]

    assert [reply.status for reply in replies] == [401, 200]
    assert (value_of(replies[1])["status"], value_of(replies[1])["reason"]) == ("EXPIRED", "")


def changes_told_to(applicant: Applicant) -> list[tuple[str, str, tuple[str, ...]]]:
    """Whom, in which state, with which keys, it was told of."""
    return [(change.subscriber_id, change.status, tuple(change.keys)) for told in applicant.pushed for change in told]


async def test_applicant_proves_its_key_and_waits_for_review(scene):
    """Contract: INITIATED, challenged at once; what is missing is told."""
    clinic = await scene.applicant()

    reply = await scene.apply(clinic)

    assert (reply.status, value_of(reply)["status"]) == (200, "INITIATED")
    assert value_of(reply)["missing"] == ["key k1", "review", "approval", "approval"]
    assert await missing_for(scene, clinic) == ["review", "approval", "approval"]


async def test_member_is_found_once_two_administrators_said_yes(scene):
    """Issue: applies, proves, is reviewed, is SUBSCRIBED by two different administrators."""
    clinic = await scene.member("clinic.example")
    app = await scene.member("app.example", type="EUA")

    record = await scene.client(app).record(KeyRef(clinic.id, "k1", Role.PROVIDER))

    assert record.subscriber.url == clinic.url
    assert record.key.public == clinic.signer.key.public


@pytest.mark.case("REG-01")
async def test_applicant_without_proof_stays_initiated(scene):
    """REG-01: nobody answers the challenge; its signatures are refused with 401 UHI-1410."""
    clinic = await scene.applicant()
    clinic.url = clinic.url.replace("/uhi", "/elsewhere")

    await scene.apply(clinic)

    assert await missing_for(scene, clinic) == ["key k1", "review", "approval", "approval"]
    lookup = await scene.post(clinic, "lookup", {"subscriber_id": clinic.id})
    assert (lookup.status, value_of(lookup)["error"]["code"]) == (401, "UHI-1410")
    with pytest.raises(Refusal):
        await scene.program.parts.register.review(clinic.id, acting=admin("reviewer"))


@pytest.mark.case("REG-01")
async def test_wrong_proof_is_told_to_the_applicant(scene):
    """REG-01: another key answers for it."""
    clinic = await scene.applicant()
    clinic.signers[0] = replace(clinic.signer, key=PrivateKey.new())

    await scene.apply(clinic)

    told = value_of(await scene.post(clinic, "subscription", {"subscriber_id": clinic.id, "retry": False}))
    assert "key k1" in told["missing"]
    assert any("did not prove" in problem for problem in told["problems"])


async def test_application_signed_by_a_stranger_is_refused(scene):
    """Contract: signed by one of the keys in the application."""
    clinic = await scene.applicant()
    stranger = Signer(clinic.id, "k1", PrivateKey.new(), clinic.signer.profile)

    reply = await scene.post(clinic, "subscribe", clinic.application(), signer=stranger)

    assert (reply.status, value_of(reply)["error"]["code"]) == (401, "UHI-1405")


@pytest.mark.case("REG-02")
async def test_late_answer_is_taken_once(scene):
    """REG-02, and contract 6: the participant may bring the answer itself; once, and only its own."""
    clinic = await scene.applicant()
    clinic.url = clinic.url.replace("/uhi", "/elsewhere")
    await scene.apply(clinic)
    [asking] = await scene.program.parts.register.new_challenges(clinic.id)
    answer = {
        "challenge_id": asking.challenge.challenge_id,
        "subscriber_id": clinic.id,
        "key_id": "k1",
        "signature": prove(asking.challenge, clinic.signer.key),
    }

    first = await scene.post(clinic, "on_subscribe", answer)
    again = await scene.post(clinic, "on_subscribe", answer | {"answer": "again"})
    other = await scene.applicant("other.example")
    await scene.apply(other)
    foreign = await scene.post(other, "on_subscribe", answer | {"subscriber_id": other.id})

    assert (first.status, value_of(first)["missing"]) == (200, ["review", "approval", "approval"])
    assert (again.status, foreign.status) == (409, 401)


async def test_new_key_works_beside_the_old_one_until_that_is_ended(scene):
    """Registry rules: overlap, then retire; a key counts only once it is proven and approved by two."""
    clinic = await scene.member()
    app = await scene.member("app.example", type="EUA")
    second = with_key(clinic.signer, "k2")
    clinic.signers.append(second)
    clinic.url = ""
    await scene.listen(clinic)
    offered = {"subscriber_id": clinic.id, "keys": [key_row(second)]}
    moved = await scene.post(clinic, "subscribe", clinic.application())
    assert moved.status == 200
    await scene.program.idle()
    await scene.decide(clinic)

    reply = await scene.post(clinic, "keys", offered)
    await scene.program.idle()
    early = await scene.post(clinic, "lookup", {"subscriber_id": app.id}, signer=second)
    await scene.decide(clinic)
    both = [await scene.post(clinic, "lookup", {"subscriber_id": app.id}, signer=each) for each in clinic.signers]
    ended = await scene.post(clinic, "keys/revoke", {**end_of("k1"), "subscriber_id": clinic.id}, signer=second)
    old = await scene.post(clinic, "lookup", {"subscriber_id": app.id})

    assert (reply.status, value_of(reply)["status"], early.status) == (200, "SUBSCRIBED", 401)
    assert [each.status for each in both] == [200, 200]
    assert (ended.status, old.status, value_of(old)["error"]["code"]) == (200, 401, "UHI-1410")


@pytest.mark.case("REG-03")
async def test_everybody_is_told_of_a_revoked_key_within_two_seconds(scene):
    """REG-03: signed, by push; whoever has pinned the registry believes it."""
    clinic = await scene.member()
    app = await scene.member("app.example", type="EUA")
    app.is_told.clear()

    async with asyncio.timeout(2):
        await scene.post(clinic, "keys/revoke", {**end_of("k1"), "subscriber_id": clinic.id})
        await app.is_told.wait()

    assert changes_told_to(app)[-1] == (clinic.id, "EXPIRED", ())
    with pytest.raises(Refusal) as caught:
        (await scene.client(app).record(KeyRef(clinic.id, "k1", Role.PROVIDER))).check_active(scene.clock.now())
    assert caught.value.fault is KEY_INACTIVE


async def test_member_is_told_everything_in_order_and_without_gaps(scene):
    """Contract 3: numbers grow by one, and what applicants did before is in them."""
    app = await scene.member("app.example", type="EUA")
    await scene.member("clinic.example")
    register = scene.program.parts.register
    await register.suspend("clinic.example", reason="a test", acting=admin("admin-1"))
    await register.resume("clinic.example", reason="a test", acting=admin("admin-1"))
    await scene.program.idle()

    numbers = [change.seq for told in app.pushed for change in told]

    assert numbers == list(range(numbers[0], register.members.seq + 1))
    assert [status for who, status, _ in changes_told_to(app) if who == "clinic.example"][-2:] == [
        "SUSPENDED",
        "SUBSCRIBED",
    ]


async def test_member_that_cannot_be_reached_holds_nobody_up(scene):
    """Contract 3: nobody waits for a push."""
    app = await scene.member("app.example", type="EUA")
    gone = await scene.member("gone.example", type="EUA")
    move_away(scene, gone)
    app.is_told.clear()

    await scene.program.parts.register.suspend(gone.id, reason="a test", acting=admin("admin-1"))
    async with asyncio.timeout(2):
        await app.is_told.wait()

    assert changes_told_to(app)[-1][1] == "SUSPENDED"


def move_away(scene: Scene, applicant: Applicant) -> None:
    """Let the registry believe in an address where nobody is."""
    [member] = scene.program.parts.register.members.with_id(applicant.id)
    subscriber = replace(member.subscriber, url="http://127.0.0.1:9/uhi")
    scene.program.parts.register.members.replace(replace(member, subscriber=subscriber))
    scene.program.parts.register.members.seq -= 1


async def test_member_leaves_and_is_not_found_active_any_more(scene):
    """Registry rules: self-service, own record only."""
    clinic = await scene.member()
    app = await scene.member("app.example", type="EUA")

    leaving = {"subscriber_id": clinic.id, "status": "UNSUBSCRIBED"}

    foreign = await scene.post(app, "unsubscribe", leaving)
    own = await scene.post(clinic, "unsubscribe", leaving)

    assert (foreign.status, value_of(foreign)["error"]["code"]) == (401, "UHI-1412")
    assert (own.status, value_of(own)["status"]) == (200, "UNSUBSCRIBED")
    assert (await scene.post(clinic, "lookup", {"subscriber_id": app.id})).status == 401


async def test_errand_caught_on_the_way_cannot_be_run_again(scene):
    """Registry rules: what is signed once is done once."""
    clinic = await scene.member()
    body = json.dumps({"subscriber_id": clinic.id, **end_of("k9")}).encode()
    header = Stamps(clinic.signer).header(body_digest(body), receiver="", now=scene.clock.now())
    url = f"{scene.url}/keys/revoke"
    first, again = [
        await clinic.transport.post(url, body=body, headers={"Authorization": header}, timeout=5) for _ in range(2)
    ]

    assert first.status == 404
    assert (again.status, value_of(again)["error"]["type"]) == (401, "AUT_REPLAY_DETECTED")


@pytest.mark.parametrize("path", ["keys/revoke", "unsubscribe"])
async def test_question_about_oneself_ends_nothing_when_it_is_carried_elsewhere(scene, path):
    """Replay rules: a signature covers no path, so a lookup of oneself must not read as the wish to leave."""
    clinic = await scene.member()
    asked = {"subscriber_id": clinic.id, "type": "HSPA", "pub_key_id": "k1", "country": "IND", "nonce": "n-1"}

    reply = await scene.post(clinic, path, asked)

    assert (reply.status, value_of(reply)["error"]["type"]) == (400, "SCH_INVALID_FORMAT")
    standing = await scene.program.parts.register.standing(clinic.id)
    assert (standing.status, [key.id for key in standing.active_keys(scene.clock.now())]) == ("SUBSCRIBED", ["k1"])


async def test_beckn_peer_applies_in_its_own_form_at_the_root(scene):
    """Beckn 13.3: flat form, UNDER_SUBSCRIPTION; found at the root by a filter."""
    peer = await scene.applicant("bpp.example")
    key = key_row(peer.signer)
    flat = {"subscriber_id": peer.id, "type": "BPP", "url": peer.url, "domain": "nic2004:85111", "nonce": "n-1"}
    flat |= {"key_id": "k1", "signing_public_key": key["signing_public_key"]}
    flat |= {"valid_from": key["valid_from"], "valid_until": key["valid_until"], "signing_profile": "uhi"}

    reply = await scene.post(peer, "subscribe", flat, base=scene.server.url)
    await scene.program.idle()
    await scene.decide(peer)
    found = await scene.post(peer, "lookup", {"type": "BPP"}, base=scene.server.url)

    assert (reply.status, value_of(reply)["status"]) == (200, "UNDER_SUBSCRIPTION")
    [row] = json.loads(found.body)
    assert (row["subscriber_id"], row["key_id"], row["type"]) == (peer.id, "k1", "BPP")


@pytest.mark.parametrize("path", ["subscribe", "keys", "keys/revoke", "unsubscribe", "subscription", "on_subscribe"])
@pytest.mark.case("REG-10")
async def test_refused_errands_are_answered_signed(scene, path):
    """Decision 26: every answer, on every path."""
    clinic = await scene.applicant()
    body = b'{"subscriber_id":"clinic.example"}'

    reply = await scene.post(clinic, path, body)

    assert reply.status in (400, 401)
    value, marks = read_signed(reply, digest=body_digest(body), trust=scene.trust)
    assert value["message"]["ack"]["status"] == "NACK"
    assert marks.seq == scene.program.parts.register.members.seq


async def test_too_many_applications_from_one_address_wait(tmp_path):
    """Limits: 10 a minute, then 429 and Retry-After, signed."""
    async with Scene(write_settings(tmp_path, errands_per_minute=10)) as scene:
        clinic = await scene.applicant()
        replies = [await scene.post(clinic, "subscribe", b"{}") for _ in range(11)]

    assert {reply.status for reply in replies[:10]} == {400}
    assert replies[10].status == 429
    assert int(replies[10].headers["retry-after"]) > 1


async def test_network_of_one_owner_counts_as_one_address(tmp_path):
    """Limits: with IPv6 whoever has one number of a network of 64 bits has all."""
    settings = write_settings(tmp_path, errands_per_minute=3, trusted_proxies="127.0.0.1")
    async with Scene(settings) as scene:
        clinic = await scene.applicant()
        header = Stamps(clinic.signer).header(body_digest(b"{}"), receiver="", now=scene.clock.now())
        url, headers = f"{scene.url}/subscribe", {"Authorization": header}
        replies = [
            await clinic.transport.post(
                url, body=b"{}", headers={**headers, "X-Forwarded-For": f"2400:cb00::{number}"}, timeout=5
            )
            for number in range(4)
        ]

    assert [reply.status for reply in replies] == [400, 400, 400, 429]


async def test_application_of_unknown_length_is_let_in_as_any_other(scene):
    """Contract 4: who applies need not be a member, whether the length of the body is told or not."""
    header = Stamps(Signer("new.example", "k1", PrivateKey.new(), UHI)).header("", receiver="", now=scene.clock.now())
    head = Inbound("subscribe", {"authorization": (header,)}, b"")
    trust = Trust("registry.example", Role.REGISTRY, scene.program.parts.register.members, scene.clock)

    await check_head(head, SUBSCRIBE, trust, size=None)
    with pytest.raises(Refusal) as large:
        await check_head(head, SUBSCRIBE, trust, size=LARGE)

    assert large.value.fault is SUBSCRIBER_UNKNOWN


async def test_registry_forgets_old_lines_of_its_call_log(tmp_path):
    """Limits: lines are kept as long as the settings say, at the registry too."""
    settings = write_settings(tmp_path)
    old = Hop(1.0, Direction.IN, "clinic.example", "registry.example", "lookup", "t-1", "m-1", "ACK", 200, 1.0)
    async with Scene(settings) as scene:
        scene.program.parts.world.log.write(old)

    async with Scene(settings) as scene, asyncio.timeout(5):
        while await scene.program.parts.database.read(lambda connection: hops_of(connection, "t-1")):
            pass  # each look waits for the database


async def test_whole_register_is_not_gone_through_as_often_as_one_likes(tmp_path):
    """Limits: a list costs what the register is long, so one member has few of them; lookups by id go on."""
    scene = Scene(write_settings(tmp_path))
    parts = scene.program.parts
    scene.program.parts = replace(parts, world=replace(parts.world, rates=RateRules(searches=1)))
    async with scene:
        app = await scene.member("app.example", type="EUA")
        questions = [*[{"type": "BAP"}] * 3, {"subscriber_id": app.id}]
        statuses = [(await scene.post(app, "lookup", each, base=scene.server.url)).status for each in questions]

    assert statuses == [200, 200, 429, 200]

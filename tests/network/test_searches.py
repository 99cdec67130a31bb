"""The gateway's part: whom a search reaches, what it may look like, what travels, and what is refused on either way."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from gateway.matching import MatchRules
from gateway.search import SearchRules
from tests.network import letters
from tests.network.letters import Letter
from tests.network.messages import CATALOGUE, SEARCH_ALL, body_of
from tests.network.scene import Scene, asked
from uhi.actions import SEARCH
from uhi.faults import (
    CONSUMER_UNKNOWN,
    CONSUMER_URI_MISMATCH,
    KEY_INACTIVE,
    MESSAGE_INVALID,
    NO_OPEN_REQUEST,
    NO_PROVIDERS,
    NOT_IMPLEMENTED,
    REGISTRY_AWAY,
    ROLE_NOT_ALLOWED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    WRONG_PROVIDER,
)
from uhi.network import NHA_SANDBOX
from uhi.signing import PrivateKey
from uhi.testing import Network, Options

GATEWAYS = "X-Gateway-Authorization"


async def test_search_reaches_every_provider_and_its_answers_come_back(scene):
    """UHI guide 2.1: search, fan-out, on_search, relay."""
    await scene.network.provider("third.example", domains=("nic2004:00000",))

    stream = aiter(scene.app.ask(SEARCH, SEARCH_ALL, wait=30))
    answers = [await anext(stream), await anext(stream)]
    await stream.aclose()
    await scene.network.settle()

    assert sorted(answer.sender.id for answer in answers) == ["clinic.example", "other.example"]
    assert {hop.receiver for hop in scene.deliveries("search", sender="gateway.example")} == {
        "clinic.example",
        "other.example",
    }
    assert {answer.via.id for answer in answers} == {"gateway.example"}
    assert all(answer.signed_by_sender and not answer.is_late for answer in answers)
    assert sorted(scene.handled) == [
        ("app.example", "on_search"),
        ("app.example", "on_search"),
        ("clinic.example", "search"),
        ("other.example", "search"),
    ]


@pytest.mark.case("GW-02")
async def test_what_a_provider_gets_is_what_the_consumer_signed(scene):
    """Decision 5: the same bytes, odd white space and all, with the sender's signature kept and the gateway's added."""
    context = letters.context("search", scene.app.identity.me)
    odd = json.dumps(
        {"context": context, "message": body_of("search") | {"नाम": "é\u2028🩺"}}, indent=3, ensure_ascii=False
    )
    letter = Letter("search", b"\n\t" + odd.encode() + b"\r\n").signed(scene.network.signers["app.example"], scene.now)

    await scene.send(letter, scene.gateway)

    at_provider = [message for message in scene.heard if message.context.action == "search"]
    assert [message.raw for message in at_provider] == [letter.body] * 2
    assert {message.authorization for message in at_provider} == {dict(letter.headers)["Authorization"]}
    assert {(message.sender.id, message.via.id) for message in at_provider} == {("app.example", "gateway.example")}


@pytest.mark.case("GW-02")
async def test_what_a_consumer_gets_is_what_the_provider_signed(scene):
    """Decision 5, on the way back."""
    async with asked(scene, SEARCH, SEARCH_ALL) as (asking, _):
        ids = {"transaction_id": asking.thread.transaction_id, "message_id": asking.message_id}
        scene.network.faults.heal()
        await scene.send(scene.letter("search", **ids), scene.gateway)
        letter = scene.callback("on_search", key="ключ\u2028", **ids)

        assert (await scene.send(letter, scene.gateway)).is_ack

    [arrived] = [each for each in scene.heard if each.raw == letter.body]
    assert (arrived.sender.id, arrived.via.id) == ("clinic.example", "gateway.example")
    assert arrived.authorization == dict(letter.headers)["Authorization"]


async def test_search_of_a_stranger_to_the_network_is_not_fanned_out(scene, refuses):
    """Threat T17: amplification is for the network's members."""
    stranger = replace(scene.network.signers["app.example"], key=PrivateKey.new())
    letter = scene.letter("search").without("Authorization").signed(stranger, scene.now)

    await refuses(scene)(letter, scene.gateway, SIGNATURE_INVALID)


@pytest.mark.case("SSRF-01")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.upper(),
        lambda url: url + "/",
        lambda url: url.replace("uhi", "uhi:8443"),
        lambda url: url + "/other",
        lambda url: url.replace("://", "://user@"),
        lambda url: "http://169.254.169.254/latest",
        lambda url: "",
        lambda url: None,
    ],
)
async def test_search_with_another_address_than_the_registered_one_is_refused(scene, refuses, spoil):
    """Decision 3: the gateway's own search is the one place where the address must be exact; nothing goes out."""
    letter = scene.letter("search", consumer_uri=spoil(scene.app.identity.me.url))

    answer = await refuses(scene)(letter, scene.gateway, CONSUMER_URI_MISMATCH)

    assert answer.error["path"] == "$.context.consumer_uri"


@pytest.mark.parametrize("missing", [None, ""])
async def test_search_without_consumer_id_is_refused(scene, refuses, missing):
    """NHA ambulance guide AMB-A-02 as our error table has it: 400 UHI-1413."""
    await refuses(scene)(scene.letter("search", consumer_id=missing), scene.gateway, CONSUMER_UNKNOWN)


@pytest.mark.case("SSRF-01")
async def test_other_address_elsewhere_is_ignored_and_the_registrys_is_used(scene):
    """Decision 3: most published samples carry no clean address."""
    letter = scene.letter("init", consumer_uri="http://169.254.169.254/latest")

    answer = await scene.send(letter, scene.clinic)

    assert answer.is_ack
    [hop] = scene.deliveries("on_init")
    assert (hop.receiver, hop.outcome) == ("app.example", "CTX_NO_PENDING_REQUEST")


@pytest.mark.case("GW-05")
async def test_search_that_concerns_nobody_is_refused(scene, refuses):
    """Decision 25: 404 before the ACK, never a silent ACK."""
    await refuses(scene)(scene.letter("search", domain="nic2004:00000"), scene.gateway, NO_PROVIDERS)


@pytest.mark.case("GW-05")
async def test_search_while_the_registry_is_away_is_refused_for_now(scene, refuses):
    """Decision 25: 503 UHI-1402 with Retry-After."""
    scene.network.faults.drop("providers", times=-1)

    await refuses(scene)(scene.letter("search"), scene.gateway, REGISTRY_AWAY)


@pytest.mark.case("REG-06")
async def test_suspended_provider_is_not_asked(scene):
    """Registry rules: only SUBSCRIBED is fanned out to."""
    await scene.network.provider("asleep.example", status="SUSPENDED")

    await scene.send(scene.letter("search"), scene.gateway)

    assert {hop.receiver for hop in scene.deliveries("search")} == {"clinic.example", "other.example"}


@pytest.mark.parametrize("header", ["none", "{}", ""])
async def test_bad_gateway_header_on_a_first_search_is_never_a_second_search(scene, refuses, header):
    """Decision 4: present but bad is 401, not a downgrade to a search without gateway."""
    letter = scene.letter("search", message=body_of("slots"), provider_id="clinic.example").with_header(
        GATEWAYS, header
    )

    answer = await refuses(scene)(letter, scene.clinic, SIGNATURE_INVALID)

    assert answer.headers["Proxy-Authenticate"].startswith('Signature realm="clinic.example"')


async def test_gateway_signature_over_other_bytes_is_refused(scene, refuses):
    """Decision 1, step 5."""
    other = scene.forwarded(scene.letter("search", message_id="m-2"))
    letter = scene.letter("search").with_header(GATEWAYS, dict(other.headers)[GATEWAYS])

    await refuses(scene)(letter, scene.clinic, SIGNATURE_INVALID)


async def test_gateway_header_of_somebody_who_is_no_gateway_is_refused(scene, refuses):
    """Decision 1, step 5: its signer is a gateway; another provider is told 403."""
    signer = scene.network.signers["other.example"]
    letter = scene.letter("search").signed(signer, scene.now, header=GATEWAYS)

    await refuses(scene)(letter, scene.clinic, ROLE_NOT_ALLOWED)


async def test_two_gateway_headers_are_refused(scene, refuses):
    """Decision 1, step 1: at most one."""
    letter = scene.forwarded(scene.forwarded(scene.letter("search")))

    await refuses(scene)(letter, scene.clinic, SIGNATURE_INVALID)


async def test_older_name_of_the_gateway_header_is_read(scene):
    """Decision 1: `Proxy-Authorization` where the other is absent."""
    signer = scene.network.signers["gateway.example"]
    letter = scene.letter("search").signed(signer, scene.now, header="Proxy-Authorization")

    assert (await scene.send(letter, scene.clinic)).is_ack

    assert scene.handled[0] == ("clinic.example", "search")


async def test_first_and_second_search_are_told_apart_by_the_gateways_header(scene):
    """Decision 4: one path, two actions."""
    slots = body_of("slots")
    first = scene.forwarded(scene.letter("search", message=slots))
    second = scene.letter("search", message=slots, provider_id="clinic.example", message_id="m-2")

    answers = [await scene.send(letter, scene.clinic) for letter in (first, second)]

    assert [answer.is_ack for answer in answers] == [True, True]
    assert [each for each in scene.handled if each[0] == "clinic.example"] == [
        ("clinic.example", "search"),
        ("clinic.example", "slots"),
    ]


async def test_direct_search_that_names_no_provider_is_refused(scene, refuses):
    """Decision 4: without a gateway's header it is a second search, which names whom it asks."""
    await refuses(scene)(scene.letter("search", message=body_of("slots")), scene.clinic, WRONG_PROVIDER)


async def test_other_messages_do_not_come_through_a_gateway(scene, refuses):
    """UHI guide 2.1: init to cancel go straight; with a gateway's header they are refused."""
    await refuses(scene)(scene.forwarded(scene.letter("init")), scene.clinic, NOT_IMPLEMENTED)


async def test_forwarded_search_without_the_senders_signature_is_refused_by_default(scene, refuses):
    """Decision 5: required in our own network."""
    await refuses(scene)(
        scene.forwarded(scene.letter("search").without("Authorization")), scene.clinic, SIGNATURE_MISSING
    )


async def test_forwarded_search_without_the_senders_signature_is_accepted_in_nhas_presets(refuses):
    """Decision 5: NHA's gateway drops it; one that is there must verify all the same."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        scene = await Scene.on(network)
        dropped = scene.forwarded(scene.letter("search").without("Authorization"))
        bad = scene.forwarded(
            scene.letter("search", message_id="m-2").without("Authorization").with_header("Authorization", "{}")
        )

        answer = await scene.send(dropped, scene.clinic)

        assert answer.is_ack
        assert scene.heard[0].sender.id == "app.example"
        assert not scene.heard[0].signed_by_sender
        await refuses(scene)(bad, scene.clinic, SIGNATURE_INVALID)


async def test_suspended_consumer_is_refused_also_where_its_signature_was_dropped(refuses):
    """Registry rules: only SUBSCRIBED is served; a gateway that drops a signature does not vouch for its maker."""
    async with Network(Options(preset=NHA_SANDBOX)) as network:
        scene = await Scene.on(network)
        suspended = await network.consumer("asleep.example", status="SUSPENDED")
        context = letters.context("search", suspended.identity.me)

        await refuses(scene)(scene.forwarded(letters.letter("search", context)), scene.clinic, KEY_INACTIVE)


async def test_catalogue_for_another_consumers_search_is_refused(stage, refuses):
    """Decision 18: open searches are keyed by consumer and transaction."""
    await stage.network.consumer("second.example")
    await stage.send(stage.letter("search"), stage.gateway)

    stolen = stage.callback("on_search", consumer_id="second.example", message_id="m-2")

    await refuses(stage)(stolen, stage.gateway, NO_OPEN_REQUEST)


async def test_catalogue_after_the_search_closed_is_refused(stage, refuses):
    """Decision 20: an open search lives its ttl, else 60 s."""
    await stage.send(stage.letter("search"), stage.gateway)
    await stage.network.clock.advance(61)

    await refuses(stage)(stage.callback("on_search", message_id="m-2"), stage.gateway, NO_OPEN_REQUEST)


async def test_consumer_that_has_moved_still_gets_its_answers_at_the_registered_address(scene):
    """Decision 1.8: a callback's address is never taken from the message."""
    await scene.send(scene.letter("search"), scene.gateway)
    letter = scene.callback("on_search", message_id="m-2", consumer_uri="http://169.254.169.254/")

    await scene.send(letter, scene.gateway)

    assert {hop.receiver for hop in scene.deliveries("on_search", sender="gateway.example")} == {"app.example"}


@pytest.mark.parametrize(
    ("rules", "reached"),
    [
        (MatchRules(), {"all", "here", "there", "online", "physical"}),
        (MatchRules(city=True), {"all", "here", "online", "physical"}),
        (MatchRules(fulfilment_type=True), {"all", "here", "there", "physical"}),
        (MatchRules(city=True, fulfilment_type=True), {"all", "here", "physical"}),
    ],
)
async def test_matching_follows_the_networks_rules(rules, reached):
    """Decision 25: city and declared fulfilment types count only where the network turns that on."""
    async with Network(Options(rules=SearchRules(match=rules))) as network:
        app = await network.consumer()
        declared = {
            "all": {"cities": ("*",)},
            "here": {"cities": ("std:011",)},
            "there": {"cities": ("std:022",)},
            "online": {"fulfilment_types": ("Online",)},
            "physical": {"fulfilment_types": ("Online", "Physical")},
        }
        for name, entry in declared.items():
            (await network.provider(name, **entry)).on(SEARCH)(_catalogue)

        answers = [answer.sender.id async for answer in app.ask(SEARCH, SEARCH_ALL)]

    assert set(answers) == reached


async def test_fan_out_is_limited_and_the_turn_moves_on(caplog):
    """Decision 23: beyond the limit a `truncated` line, and nobody is always last."""
    async with Network(Options(rules=SearchRules(fan_out_limit=2))) as network:
        app = await network.consumer()
        for name in ("a", "b", "c"):
            (await network.provider(name)).on(SEARCH)(_catalogue)

        rounds = [[answer.sender.id async for answer in app.ask(SEARCH, SEARCH_ALL)] for _ in range(12)]

    assert [len(each) for each in rounds] == [2] * 12
    assert {name for each in rounds for name in each} == {"a", "b", "c"}
    assert [record.levelno for record in caplog.records if "truncated" in record.getMessage()] == [logging.ERROR] * 12
    details = [hop.detail for hop in network.calls if hop.outcome == "truncated"]
    assert details == ["3 providers concerned, 2 asked"] * 12


async def test_repeated_search_is_truncated_once(caplog):
    """Decision 23: what is sent again has no second effect, not on the log and not on who is asked."""
    async with Network(Options(rules=SearchRules(fan_out_limit=1))) as network:
        scene = await Scene.on(network)
        letter, signer = scene.letter("search"), network.signers["app.example"]
        again = [letter.without("Authorization").signed(signer, scene.now + seconds) for seconds in (0, 1, 2)]

        answers = [await scene.send(each, scene.gateway) for each in again]
        await scene.send(scene.letter("search", message_id="m-2"), scene.gateway)

    assert all(answer.is_ack for answer in answers)
    assert [hop.outcome for hop in network.calls].count("truncated") == 2
    assert len([record for record in caplog.records if "truncated" in record.getMessage()]) == 2
    assert len(scene.deliveries("search")) == 2


async def test_everybody_has_a_turn_where_a_search_cannot_go_to_all(few):
    """Decision 23: a rotating order, so that nobody is always last."""
    for number in range(30):
        await few.send(few.letter("search", message_id=f"m-{number}"), few.gateway)

    asked = [hop.receiver for hop in few.deliveries("search")]
    assert len(asked) == 30
    assert set(asked) == {"clinic.example", "other.example"}


@pytest.fixture
async def few():
    """A network whose searches go to one provider each."""
    async with Network(Options(rules=SearchRules(fan_out_limit=1))) as network:
        yield await Scene.on(network)


async def test_long_ttl_does_not_keep_a_search_open(stage, refuses):
    """Ours: five minutes at most, so that open searches cannot be piled up."""
    await stage.send(stage.letter("search", ttl="PT24H"), stage.gateway)
    await stage.network.clock.advance(299)
    assert (await stage.send(stage.callback("on_search", message_id="m-2"), stage.gateway)).is_ack
    await stage.network.clock.advance(2)

    await refuses(stage)(stage.callback("on_search", message_id="m-3"), stage.gateway, NO_OPEN_REQUEST)


@pytest.mark.parametrize("name", ["domain", "country"])
@pytest.mark.parametrize("value", ["x" * 65, "nic2004:\u096e\u096b", "a\nb"])
async def test_search_in_a_place_that_no_registry_lists_is_refused_unasked(stage, refuses, name, value):
    """Ours: at most 64 printable ASCII characters; what cannot be listed is not looked up."""
    answer = await refuses(stage)(stage.letter("search", **{name: value}), stage.gateway, MESSAGE_INVALID)

    assert answer.error["path"] == f"$.context.{name}"


async def _catalogue(request: object) -> object:
    return CATALOGUE

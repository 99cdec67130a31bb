"""Asking the network's registry: what goes out, what is believed of the answer, and what its failures mean."""

from __future__ import annotations

import asyncio
import json

import pytest

from uhi.errors import DeliveryError, Refusal
from uhi.exchange.stamps import Stamps
from uhi.faults import REGISTRY_AWAY, SUBSCRIBER_UNKNOWN, Fault
from uhi.ports import Reply
from uhi.registry import LookupScope, NetworkRegistry, RegistryAccess
from uhi.signing import BECKN, UHI, PrivateKey, Signer, body_digest, verify
from uhi.signing.authorization import parse
from uhi.strict_json import write
from uhi.subscribers import KeyRef, Role

CLINIC = KeyRef("clinic.hspa", "k1", Role.PROVIDER)
DOMAIN = "nic2004:85111"
OTHER = PrivateKey(bytes(range(1, 33)))


async def refused(question) -> Fault:
    with pytest.raises(Refusal) as caught:
        await question
    return caught.value.fault


async def test_lookup_names_all_that_uhi_asks_for(registry, transport):
    """UHI registry lookup: all six fields are required."""
    await registry.record(CLINIC)

    [(url, question, _)] = transport.calls
    assert url == "https://registry.example/networkregistry/lookup"
    assert question == {
        "subscriber_id": "clinic.hspa",
        "type": "HSPA",
        "domain": DOMAIN,
        "country": "IND",
        "city": "std:011",
        "pub_key_id": "k1",
    }


async def test_lookup_is_signed(registry, transport, clock):
    """UHI registry lookup: the caller signs the body it sends."""
    await registry.record(CLINIC)

    [(_, question, headers)] = transport.calls
    body = write(question)
    header = parse(headers["Authorization"])
    verify(body, header, key=PrivateKey(bytes(32)).public, profile=UHI)
    assert (header.subscriber_id, header.created) == ("app.eua", int(clock.now()))
    assert headers["Digest"] == f"BLAKE-512={body_digest(body)}"


async def test_two_lookups_in_one_second_carry_different_headers(registry, transport):
    """Decision 13: the same header is never sent twice."""
    await registry.record(CLINIC)
    await registry.record(CLINIC, fresh=True)

    assert len({headers["Authorization"] for _, _, headers in transport.calls}) == 2


async def test_record_is_read_from_a_row(registry):
    """UHI registry lookup: `encr_public_key` is the verification key, whatever its name says."""
    record = await registry.record(CLINIC)

    assert (record.subscriber.id, record.subscriber.url) == ("clinic.hspa", "https://clinic.example/uhi")
    assert (record.key.public, record.key.profile) == (PrivateKey(bytes(range(32))).public, UHI)
    assert (record.key.valid_from, record.key.valid_until) == (1_735_689_600.0, 1_798_761_600.0)


@pytest.mark.parametrize("shape", ["list", "object", "message", "repeats"])
async def test_answers_of_every_published_shape_are_read(registry, transport, make_row, shape):
    """UHI registry lookup: one record, a list, either inside message, possibly with repeats."""
    row = make_row()
    transport.answer = {"list": [row], "object": row, "message": {"message": [row]}, "repeats": [row, row]}[shape]

    assert (await registry.record(CLINIC)).key.id == "k1"


async def test_older_spellings_are_read(registry, transport, make_row):
    """Older registry forms: field aliases."""
    row = make_row(pub_key_id=None, subscriber_url=None, encr_public_key=None, valid_until=None)
    row |= {"unique_key_id": "k1", "url": "https://old.example/", "valid_to": "2027-01-01T00:00:00.000Z"}
    transport.answer = [row | {"encryption_public_key": OTHER.public.raw_base64(), "type": "HSPA"}]

    record = await registry.record(CLINIC)

    assert (record.subscriber.url, record.key.public) == ("https://old.example", OTHER.public)


async def test_profile_comes_from_the_record(registry, transport, make_row):
    """Security reference: the signing profile is pinned per key in the registry."""
    transport.answer = [make_row(signing_profile="beckn")]

    assert (await registry.record(CLINIC)).key.profile is BECKN


@pytest.mark.case("REG-07")
@pytest.mark.parametrize(
    "changes",
    [
        {"subscriber_id": "other.hspa"},
        {"subscriber_id": "CLINIC.hspa"},
        {"pub_key_id": "k2"},
        {"pub_key_id": None},
        {"type": "consumer"},
        {"type": None},
        {"domain": "nic2008:86906"},
        {"country": "LKA"},
        {"encr_public_key": "AAAA"},
        {"encr_public_key": None},
        {"valid_until": "soon"},
        {"signing_profile": "rsa"},
    ],
)
async def test_row_that_was_not_asked_for_or_cannot_be_used_is_nobody(registry, transport, make_row, changes):
    """Registry client: the answer is filtered by subscriber, key id, role, domain and country; keys by their length."""
    transport.answer = [make_row(**changes)]

    assert await refused(registry.record(CLINIC)) is SUBSCRIBER_UNKNOWN


@pytest.mark.case("REG-06")
@pytest.mark.parametrize("status", ["INITIATED", "SUSPENDED", "REVOKED", None])
async def test_status_is_handed_on_and_judged_by_the_door(registry, transport, make_row, status):
    """REG-06: an inactive entry gives a record, so that the refusal can say inactive and not unknown."""
    transport.answer = [make_row(status=status)]

    assert (await registry.record(CLINIC)).subscriber.status == (status or "")


async def test_active_row_counts_before_an_inactive_one(registry, transport, make_row):
    """UHI registry lookup: a row for each domain and city, and not all of them need be active."""
    rows = [make_row(status="INITIATED"), make_row(city="std:080"), make_row(city="std:022")]
    transport.answer = rows

    record = await registry.record(CLINIC)

    assert (record.subscriber.status, record.subscriber.cities) == ("SUBSCRIBED", ("std:080", "std:022"))


@pytest.mark.parametrize("private", ["pkcs8_base64", "pem"])
async def test_private_key_in_an_answer_is_never_used(registry, transport, make_row, private):
    """Registry rules: `signing_public_key` has held private keys in a registry in use."""
    secret = getattr(OTHER, private)()
    transport.answer = [make_row(encr_public_key=None, signing_public_key=secret)]

    assert await refused(registry.record(CLINIC)) is SUBSCRIBER_UNKNOWN


async def test_signing_public_key_counts_only_where_the_other_is_absent(registry, transport, make_row):
    """Registry rules: importers read `encr_public_key`."""
    transport.answer = [make_row(signing_public_key=OTHER.public.spki_base64())]

    assert (await registry.record(CLINIC)).key.public != OTHER.public


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, {"message": {"ack": {"status": "NACK"}}, "error": {"code": "UHI-1413"}}),
        (404, b""),
        (500, {"error": {"code": "UHI-1413", "message": "nobody"}}),
        (200, {"message": {"ack": {"status": "NACK"}}, "error": {"code": "UHI-1413"}}),
        (200, []),
        (200, {"message": []}),
    ],
)
async def test_nobody_is_unknown_in_every_way_registries_say_it(registry, transport, status, answer):
    """UHI registry lookup: 404; older servers answer 500 UHI-1413 or an empty list."""
    transport.status, transport.answer = status, answer

    assert await refused(registry.record(CLINIC)) is SUBSCRIBER_UNKNOWN


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b"oops"),
        (502, b""),
        (503, {"error": {"code": "UHI-1407"}}),
        (401, {"error": {"code": "UHI-1405"}}),
        (403, []),
        (302, b""),
        (200, b"<html>"),
        (200, b""),
        (200, {"a": 1}),
        (200, 7),
        (200, b'[{"subscriber_id": "clinic.hspa", "subscriber_id": "clinic.hspa"}]'),
        (200, {"error": {"code": "UHI-1405"}}),
        (200, DeliveryError("no connection")),
    ],
)
async def test_registry_that_fails_or_babbles_is_away(registry, transport, status, answer):
    """Error table: 503 with Retry-After when the registry cannot be asked; never a verdict on the sender."""
    transport.status, transport.answer = status, answer

    with pytest.raises(Refusal) as caught:
        await registry.record(CLINIC)

    assert (caught.value.fault, caught.value.retry_after) == (REGISTRY_AWAY, 5)


async def test_known_key_works_while_the_registry_is_away(registry, transport, clock):
    """Registry rules: 15 minutes."""
    await registry.record(CLINIC)
    transport.answer = DeliveryError("no connection")
    clock.move(600)

    assert (await registry.record(CLINIC)).key.id == "k1"


async def test_subscriber_is_looked_up_without_a_key(registry, transport):
    """Decision 26: an address needs no key."""
    subscriber = await registry.subscriber("clinic.hspa", Role.PROVIDER)

    assert subscriber.url == "https://clinic.example/uhi"
    assert "pub_key_id" not in transport.calls[0][1]


async def test_subscriber_in_another_role_is_unknown(registry):
    """Decision 27: one subscriber in one role is one entry."""
    assert await refused(registry.subscriber("clinic.hspa", Role.CONSUMER)) is SUBSCRIBER_UNKNOWN


async def test_record_answers_for_the_address_too(registry, transport):
    """Ours: who was just verified is not looked up again to be answered."""
    await registry.record(CLINIC)
    await registry.subscriber("clinic.hspa", Role.PROVIDER)

    assert len(transport.calls) == 1


async def test_providers_are_listed_once_each_and_in_order(registry, transport, make_row):
    """Decision 26: the gateway's list; a row per subscriber and key."""
    consumer = make_row(subscriber_id="c.eua", type="consumer")
    inactive = make_row(subscriber_id="d.hspa", status="SUSPENDED")
    abroad = make_row(subscriber_id="e.hspa", country="LKA")
    rows = [make_row(subscriber_id="b.hspa"), make_row(subscriber_id="a.hspa"), make_row(subscriber_id="a.hspa")]
    transport.answer = [*rows, make_row(subscriber_id="a.hspa", pub_key_id="k2"), consumer, inactive, abroad]

    found = await registry.providers(DOMAIN, "IND")

    assert [each.id for each in found] == ["a.hspa", "b.hspa"]
    assert transport.calls[0][:2] == (
        "https://registry.example/networkregistry/lookup/providers",
        {"domain": DOMAIN, "country": "IND"},
    )


async def test_provider_keeps_what_a_gateway_matches_by(registry, transport, make_row):
    """Decision 25: cities and declared fulfilment types, where the network turns that on."""
    transport.answer = [make_row(cities=["std:011", "std:080"], fulfilment_types=["Physical"], domains=[DOMAIN, "x"])]

    [provider] = await registry.providers(DOMAIN, "IND")

    assert (provider.cities, provider.fulfilment_types) == (("std:011", "std:080"), ("Physical",))
    assert provider.domains == (DOMAIN, "x")


async def test_list_of_providers_brings_their_keys(registry, transport, make_row):
    """Ours: a thousand answers to one search must not cost a thousand lookups, nor meet the lookup budget."""
    transport.answer = [make_row(subscriber_id=f"h{number}.hspa") for number in range(100)]
    await registry.providers(DOMAIN, "IND")

    for number in range(100):
        await registry.record(KeyRef(f"h{number}.hspa", "k1", Role.PROVIDER))

    assert len(transport.calls) == 1


async def test_list_of_providers_counts_for_thirty_seconds(registry, transport, clock):
    """Decision 26: cached 30 s."""
    for seconds in (0, 29.9, 0.2):
        clock.move(seconds)
        await registry.providers(DOMAIN, "IND")

    assert len(transport.calls) == 2


async def test_no_provider_at_all_is_an_empty_list(registry, transport):
    """Gateway rules: nobody is an answer; the registry says it with 404."""
    transport.status = 404

    assert await registry.providers(DOMAIN, "IND") == ()


async def test_closing_ends_the_lookups_in_flight(registry, transport):
    """Ours: a program that stops leaves no task behind."""
    transport.gate = asyncio.Event()
    waiting = asyncio.ensure_future(registry.record(CLINIC))
    await asyncio.sleep(0)

    await registry.aclose()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_subscriber_is_looked_for_in_each_of_our_domains(clock, transport, make_row):
    """Ours: whoever serves two domains meets subscribers that are registered for one of them."""
    transport.answer = [make_row(domain="nic2008:86906")]
    stamps = Stamps(Signer("app.eua", "k9", PrivateKey(bytes(32)), UHI))
    scope = LookupScope((DOMAIN, "nic2008:86906"))
    registry = NetworkRegistry(RegistryAccess("https://r.example", stamps, scope), transport=transport, clock=clock)

    record = await registry.record(CLINIC)

    assert record.subscriber.domains == ("nic2008:86906",)
    assert [question["domain"] for _, question, _ in transport.calls] == [DOMAIN, "nic2008:86906"]


async def test_flood_of_made_up_domains_costs_a_bounded_number_of_lookups(registry, transport, clock):
    """REG-11, for searches: domains nobody serves cost refusals; one that is served stays so, also when due anew."""
    await registry.providers(DOMAIN, "IND")
    served, transport.answer = transport.answer, []
    flood = [registry.providers(f"made-up:{number}", "IND") for number in range(100)]
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    clock.move(30.5)
    outcomes += [await refused_or(registry.providers(f"made-up:{number}", "IND")) for number in range(100)]
    transport.answer = served

    assert len(await registry.providers(DOMAIN, "IND")) == 1
    assert outcomes.count(()) == 40
    assert len(transport.calls) == 42
    assert {each.fault for each in outcomes if each} == {REGISTRY_AWAY}


async def refused_or(question) -> object:
    try:
        return await question
    except Refusal as refusal:
        return refusal


async def test_flood_of_made_up_subscribers_costs_a_bounded_number_of_lookups(registry, transport):
    """REG-11, for addresses."""
    transport.answer = []

    outcomes = [await refused_or(registry.subscriber(f"s{number}", Role.PROVIDER)) for number in range(100)]

    assert len(transport.calls) == 20
    assert [each.fault for each in outcomes] == [SUBSCRIBER_UNKNOWN] * 20 + [REGISTRY_AWAY] * 80


@pytest.mark.parametrize(
    "first",
    [
        {"status": "SUSPENDED"},
        {"valid_until": "2025-06-01T00:00:00Z"},
        {"valid_from": "2026-06-01T00:00:00Z", "valid_until": "2029-01-01T00:00:00Z"},
    ],
)
async def test_active_entry_of_one_domain_counts_before_an_inactive_one_of_another(clock, make_row, first):
    """Ours: who is suspended in our first domain may be served in the second."""
    transport = ByDomain({DOMAIN: [make_row(**first)], "other": [make_row(domain="other")]})
    stamps = Stamps(Signer("app.eua", "k9", PrivateKey(bytes(32)), UHI))
    access = RegistryAccess("https://r.example", stamps, LookupScope((DOMAIN, "other")))
    registry = NetworkRegistry(access, transport=transport, clock=clock)

    record = await registry.record(CLINIC)

    record.check_active(clock.now())
    assert record.subscriber.domains == ("other",)
    assert (await registry.subscriber("clinic.hspa", Role.PROVIDER)).status == "SUBSCRIBED"


class ByDomain:
    """A registry that answers each domain with its own rows."""

    def __init__(self, rows) -> None:
        self.rows = rows

    async def post(self, url, *, body, headers, timeout) -> Reply:
        return Reply(200, {}, write(self.rows[json.loads(body)["domain"]]))


async def test_rows_of_one_provider_are_joined(registry, transport, make_row):
    """UHI registry lookup: a row per city and key; a gateway that matches by city must see them all."""
    rows = [make_row(city="std:011"), make_row(city="std:080", pub_key_id="k2"), make_row(city="std:022")]
    transport.answer = rows

    [provider] = await registry.providers(DOMAIN, "IND")

    assert provider.cities == ("std:011", "std:080", "std:022")
    assert (await registry.record(CLINIC)).subscriber == provider
    assert await registry.subscriber("clinic.hspa", Role.PROVIDER) == provider
    assert len(transport.calls) == 1


@pytest.mark.parametrize(("second", "declared"), [({"fulfilment_types": ["Online"]}, ("Physical", "Online")), ({}, ())])
async def test_joined_provider_declares_what_all_its_rows_declare(registry, transport, make_row, second, declared):
    """Decision 25: a type that is not declared excludes nobody, so one row without keeps it open."""
    transport.answer = [make_row(fulfilment_types=["Physical"]), make_row(city="std:080", **second)]

    [provider] = await registry.providers(DOMAIN, "IND")

    assert provider.fulfilment_types == declared


async def test_registry_tells_when_it_last_answered(registry, transport, clock):
    """Issue: readiness tells how old the registry's last word is; a failure is no word."""
    before = registry.answered_at
    await registry.record(CLINIC)
    first = registry.answered_at
    clock.move(40)
    transport.answer = DeliveryError("no answer")
    await registry.record(CLINIC)

    assert (before, first, registry.answered_at) == (None, clock.now() - 40, clock.now() - 40)


@pytest.mark.parametrize("status", [200, 404])
async def test_registry_that_knows_nobody_has_answered(registry, transport, clock, status):
    """Issue: "unknown" is an answer."""
    transport.status, transport.answer = status, []

    assert await refused(registry.record(CLINIC)) is SUBSCRIBER_UNKNOWN
    assert registry.answered_at == clock.now()


async def test_answer_that_cannot_be_used_is_no_answer(registry, transport):
    """Issue: a registry that answers nonsense is as good as away."""
    transport.answer = b"<html>"

    assert await refused(registry.record(CLINIC)) is REGISTRY_AWAY
    assert registry.answered_at is None


async def test_forgotten_subscriber_is_looked_up_again_and_no_other(registry, transport, make_row):
    """Decision 26: another process tells whose entry is out of date."""
    await registry.record(CLINIC)
    await registry.subscriber("clinic.hspa", Role.PROVIDER)
    registry.forget("other.hspa")
    await registry.record(CLINIC)
    assert len(transport.calls) == 1
    transport.answer = [make_row(subscriber_url="https://moved.example/uhi")]

    registry.forget("clinic.hspa")

    assert (await registry.record(CLINIC)).subscriber.url == "https://moved.example/uhi"
    assert (await registry.subscriber("clinic.hspa", Role.PROVIDER)).url == "https://moved.example/uhi"
    assert len(transport.calls) == 2


async def test_forgotten_address_is_looked_up_by_itself(registry, transport, make_row):
    """Decision 3: the address used is the registry's; there may be no record of a key that was asked for."""
    await registry.subscriber("clinic.hspa", Role.PROVIDER)
    transport.answer = [make_row(subscriber_url="https://moved.example/uhi")]

    registry.forget("clinic.hspa")

    assert (await registry.subscriber("clinic.hspa", Role.PROVIDER)).url == "https://moved.example/uhi"


async def test_others_are_told_of_a_key_that_turned_out_to_be_another(registry, transport, make_row, clock):
    """Issue: registry-cache invalidation among processes; told once, by whoever found it out."""
    told: list[str] = []
    registry.on_news(told.append)
    await registry.record(CLINIC)
    await registry.record(CLINIC, fresh=True)
    clock.move(6)
    transport.answer = [make_row(encr_public_key=OTHER.public.spki_base64())]

    await registry.record(CLINIC)
    assert told == []
    await registry.record(CLINIC, fresh=True)
    await registry.record(CLINIC, fresh=True)

    assert told == ["clinic.hspa"]


async def test_first_look_at_a_key_is_no_news(registry):
    """Ours: only what others may have in another form is told."""
    told: list[str] = []
    registry.on_news(told.append)

    await registry.record(CLINIC, fresh=True)

    assert told == []

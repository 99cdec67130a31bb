"""Answers of a registry whose keys are pinned: its own are believed, all others count as none."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.errors import DeliveryError, Refusal
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import RegistryTrust
from uhi.ports import Reply
from uhi.registry import LookupScope, NetworkRegistry, RegistryAccess
from uhi.registry.answers import read_signed
from uhi.registry.changes import Change
from uhi.registry.pinned import read_trust
from uhi.signing import UHI, PrivateKey, Signer, body_digest, sign
from uhi.subscribers import SUBSCRIBED, SUSPENDED, KeyRef, Role

REGISTRY = Signer("registry.example", "r1", PrivateKey(bytes(range(2, 34))), UHI)
STRANGER = Signer("registry.example", "r1", PrivateKey(bytes(range(3, 35))), UHI)
TRUST = RegistryTrust("registry.example", {"r1": REGISTRY.key.public})
CLINIC = KeyRef("clinic.hspa", "k1", Role.PROVIDER)
DOMAIN = "nic2004:85111"
HEADER = "x-registry-authorization"


@dataclass
class Signing:
    """The registry's end of the wire: signs what it answers; `spoil` changes an answer before it is sent."""

    clock: object
    rows: object
    seq: int = 40
    status: int = 200
    signer: Signer = REGISTRY
    ahead: float = 0.0
    delay: float = 0.0
    spoil: Callable[[Reply], Reply] = lambda reply: reply
    questions: list[dict[str, object]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        self.questions.append(json.loads(body))
        seq = self.seq
        self.before()
        self.clock.move(self.delay / 2)
        now = self.clock.now() + self.ahead
        self.clock.move(self.delay / 2)
        marks = {"registry_seq": seq, "registry_time": now, "request_digest": body_digest(body)}
        value = [row | marks for row in self.rows] if isinstance(self.rows, list) else self.rows | marks
        raw = json.dumps(value).encode()
        return self.spoil(Reply(self.status, {HEADER: sign(raw, self.signer, created=int(now))}, raw))


@pytest.fixture
def wire(clock, make_row) -> Signing:
    """A registry that signs."""
    return Signing(clock, [make_row()])


@pytest.fixture
def registry(wire, clock) -> NetworkRegistry:
    """Our end of the wire, with the registry's key known beforehand."""
    stamps = Stamps(Signer("app.eua", "k9", PrivateKey(bytes(32)), UHI))
    access = RegistryAccess("https://registry.example/networkregistry", stamps, LookupScope((DOMAIN,)), trust=TRUST)
    return NetworkRegistry(access, transport=wire, clock=clock)


async def away(question) -> None:
    with pytest.raises(Refusal) as caught:
        await question
    assert caught.value.fault.type == "NET_REGISTRY_UNAVAILABLE"


async def test_signed_answer_is_believed(registry):
    """Decision 26: an answer by the pinned key, to this question, of this moment."""
    record = await registry.record(CLINIC)

    assert (record.subscriber.id, record.key.id, registry.questions.seq) == ("clinic.hspa", "k1", 40)
    assert registry.questions.ignored == 0


async def test_status_that_was_changed_on_the_way_makes_nobody_unknown(registry, wire):
    """Ours: the signature does not cover the status, so "nobody" has to stand in what is signed."""
    await registry.record(CLINIC)
    wire.spoil = lambda reply: Reply(404, reply.headers, reply.body)

    kept = await registry.record(CLINIC, fresh=True)
    await away(registry.subscriber("other.hspa", Role.PROVIDER))

    assert kept.key.id == "k1"


async def test_each_question_is_another_one(registry, wire):
    """Ours: an answer that was caught serves no second time, since its digest is of that question alone."""
    await registry.record(CLINIC)
    await registry.record(CLINIC, fresh=True)

    nonces = [question["nonce"] for question in wire.questions]
    assert len(set(nonces)) == 2
    assert all(len(nonce) == 32 for nonce in nonces)


def _without_signature(reply: Reply) -> Reply:
    return Reply(reply.status, {}, reply.body)


def _by_a_stranger(reply: Reply) -> Reply:
    return Reply(reply.status, {HEADER: sign(reply.body, STRANGER, created=1_767_225_600)}, reply.body)


def _with_another_key(reply: Reply) -> Reply:
    unknown = Signer("registry.example", "r2", REGISTRY.key, UHI)
    return Reply(reply.status, {HEADER: sign(reply.body, unknown, created=1_767_225_600)}, reply.body)


def _by_another_subscriber(reply: Reply) -> Reply:
    other = Signer("other.example", "r1", REGISTRY.key, UHI)
    return Reply(reply.status, {HEADER: sign(reply.body, other, created=1_767_225_600)}, reply.body)


def _changed_by_a_byte(reply: Reply) -> Reply:
    return Reply(reply.status, reply.headers, reply.body.replace(b"std:011", b"std:012"))


def _resigned(**changes: object) -> Callable[[Reply], Reply]:
    def spoil(reply: Reply) -> Reply:
        rows = [{**row, **changes} for row in json.loads(reply.body)]
        raw = json.dumps([{k: v for k, v in row.items() if v is not None} for row in rows]).encode()
        return Reply(reply.status, {HEADER: sign(raw, REGISTRY, created=1_767_225_600)}, raw)

    return spoil


def _long_ago(reply: Reply) -> Reply:
    return Reply(reply.status, {HEADER: sign(reply.body, REGISTRY, created=1_767_225_000)}, reply.body)


FORGERIES = {
    "not signed": _without_signature,
    "signed by a stranger": _by_a_stranger,
    "another key id": _with_another_key,
    "another subscriber": _by_another_subscriber,
    "changed on the way": _changed_by_a_byte,
    "another question": _resigned(request_digest=body_digest(b"{}")),
    "no number": _resigned(registry_seq=None),
    "a number that is none": _resigned(registry_seq="40"),
    "no time": _resigned(registry_time=None),
    "signed at another time": _long_ago,
    "no JSON": lambda reply: Reply(200, {HEADER: sign(b"{", REGISTRY, created=1_767_225_600)}, b"{"),
    "an empty list": lambda reply: Reply(200, {HEADER: sign(b"[]", REGISTRY, created=1_767_225_600)}, b"[]"),
}


@pytest.mark.case("REG-10")
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_forged_answer_is_ignored_and_the_cache_kept(registry, wire, clock, caplog, forgery):
    """Security rules, registry: ignored like no answer, told to the operator, counted; what is known stays."""
    known = await registry.record(CLINIC)
    wire.spoil = forgery
    clock.move(31)

    kept = await registry.record(CLINIC)

    assert kept == known
    assert registry.questions.ignored == 1
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    await away(registry.record(KeyRef("new.hspa", "k1", Role.PROVIDER)))


@pytest.mark.case("REG-10")
async def test_answer_older_than_what_is_known_is_ignored(registry, wire, clock, caplog):
    """Decision 26: the registry's numbers never go back."""
    known = await registry.record(CLINIC)
    wire.seq = 39
    clock.move(31)

    assert await registry.record(CLINIC) == known

    assert registry.questions.ignored == 1
    assert "change 39" in caplog.text


async def test_signed_nobody_is_believed(registry, wire):
    """Decision 26: refusals are signed too, and carry number, time and digest."""
    wire.rows, wire.status = {"message": {"ack": {"status": "NACK"}}, "error": {"code": "UHI-1413"}}, 404

    with pytest.raises(Refusal) as refused:
        await registry.record(CLINIC)

    assert refused.value.fault.type == "AUT_SUBSCRIBER_NOT_FOUND"


@pytest.mark.case("REG-10")
async def test_unsigned_nobody_takes_nobody_from_the_cache(registry, wire, clock):
    """Ours: somebody on the way who answers 404 for the registry cuts nobody off."""
    known = await registry.record(CLINIC)
    wire.rows, wire.status, wire.spoil = {"error": {"code": "UHI-1413"}}, 404, _without_signature
    clock.move(31)

    assert await registry.record(CLINIC) == known


async def test_answer_overtaken_by_a_pushed_change_is_asked_for_again(registry, wire):
    """Ours: a change that is pushed while an older answer is on its way must not be missed for half a minute."""
    await registry.record(CLINIC)

    def push_once() -> None:
        wire.before = lambda: None
        wire.seq = 41
        registry.changed([Change(41, "clinic.hspa", SUBSCRIBED, frozenset({"k1"}))])

    wire.before = push_once
    await registry.record(CLINIC, fresh=True)

    assert len(wire.questions) == 3
    assert registry.questions.seq == 41


@pytest.mark.case("REG-03")
async def test_pushed_end_of_a_key_leaves_no_stale_use(registry, wire):
    """Decision 26: what is active no more is dropped at once, also while the registry is away."""
    await registry.record(CLINIC)

    registry.changed([Change(41, "clinic.hspa", SUBSCRIBED, frozenset({"k2"}))])

    wire.spoil = _without_signature
    await away(registry.record(CLINIC))
    assert (await registry.subscriber("clinic.hspa", Role.PROVIDER)).id == "clinic.hspa"


@pytest.mark.case("REG-03")
async def test_pushed_suspension_drops_the_subscriber_and_takes_it_from_lists(registry, wire):
    """Decision 26: nobody looks for, answers or asks a suspended member."""
    await registry.record(CLINIC)
    assert [each.id for each in await registry.providers(DOMAIN, "IND")] == ["clinic.hspa"]

    registry.changed([Change(41, "clinic.hspa", SUSPENDED, frozenset())])

    wire.spoil = _without_signature
    await away(registry.record(CLINIC))
    await away(registry.subscriber("clinic.hspa", Role.PROVIDER))
    assert await registry.providers(DOMAIN, "IND") == ()


async def test_gap_in_the_pushed_numbers_makes_everything_be_asked_for_anew(registry, wire, make_row):
    """Decision 26: a change that did not reach us may concern anybody."""
    wire.rows = [make_row(), make_row(subscriber_id="other.hspa")]
    other = KeyRef("other.hspa", "k1", Role.PROVIDER)
    await registry.record(CLINIC)
    await registry.record(other)
    wire.seq = 42

    registry.changed([Change(42, "third.hspa", SUBSCRIBED, frozenset({"k1"}))])
    asked = len(wire.questions)
    await registry.record(CLINIC)
    await registry.record(other)

    assert len(wire.questions) == asked + 2


async def test_next_change_leaves_the_others_alone(registry, wire, make_row):
    """Decision 26: without a gap only those whom a change concerns are asked for anew."""
    await registry.record(CLINIC)
    wire.seq = 41

    registry.changed([Change(41, "third.hspa", SUBSCRIBED, frozenset({"k1"}))])
    await registry.record(CLINIC)

    assert len(wire.questions) == 1


async def test_change_that_is_known_does_nothing(registry, wire):
    """Ours: a push that comes twice, or replayed, costs no lookup."""
    await registry.record(CLINIC)
    change = Change(40, "clinic.hspa", SUSPENDED, frozenset())

    registry.changed([change, change])
    await registry.record(CLINIC)

    assert len(wire.questions) == 1


async def test_other_processes_hear_of_a_pushed_change(registry, wire, clock):
    """Ours: only one process of a program gets the push."""
    told: list[str] = []
    registry.on_news(told.append)
    other = NetworkRegistry(
        RegistryAccess("https://registry.example/r", Stamps(REGISTRY), LookupScope((DOMAIN,)), trust=TRUST),
        transport=wire,
        clock=clock,
    )
    await other.record(CLINIC)

    registry.changed([Change(41, "clinic.hspa", SUSPENDED, frozenset())])
    other.heard(told[0])

    wire.spoil = _without_signature
    await away(other.record(CLINIC))


@pytest.mark.parametrize("text", ["r1=abc", "=", "r1", "r 1=AAAA"])
def test_keys_that_cannot_be_read_are_the_operators_mistake(text):
    """Ours: found before the first request, and without the value."""
    with pytest.raises(Exception, match="UHI_REGISTRY_KEYS"):
        read_trust("registry.example", text)


def test_pinned_keys_are_read():
    """Ours: several, for the time in which the registry changes its own."""
    text = f"r1={REGISTRY.key.public.raw_base64()}, r2={STRANGER.key.public.spki_base64()}"

    trust = read_trust("registry.example", text)

    assert trust == RegistryTrust("registry.example", {"r1": REGISTRY.key.public, "r2": STRANGER.key.public})
    assert read_trust("", "") is None


async def test_registry_out_of_reach_is_not_a_forgery(registry, wire):
    """Ours: the count is of answers."""

    async def nobody(url: str, **rest: object) -> Reply:
        raise DeliveryError("no connection")

    wire.post = nobody
    await away(registry.record(CLINIC))

    assert registry.questions.ignored == 0


@given(st.text(), st.binary())
def test_no_text_and_no_bytes_are_an_answer(header, body):
    """Ours: whatever comes, it is refused and nothing breaks."""
    with pytest.raises(Refusal):
        read_signed(Reply(200, {HEADER: header}, body), digest=body_digest(b""), trust=TRUST)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_value_that_the_registry_signs_breaks_the_reading(value):
    """Ours: a registry with a fault of its own is as good as one that is away."""
    body = json.dumps(value).encode()
    reply = Reply(200, {HEADER: sign(body, REGISTRY, created=1_767_225_600)}, body)

    with pytest.raises(Refusal):
        read_signed(reply, digest=body_digest(b""), trust=TRUST)

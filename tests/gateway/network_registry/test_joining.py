"""Getting in: proofs, challenges that count once, names and keys that are taken, and two different people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.network_registry.register import Register
from tests.gateway.network_registry.applying import A_DAY, RULES, Applicant, key_row, person
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.faults import (
    ALREADY_TAKEN,
    ANOTHER_PERSON_REQUIRED,
    CHALLENGE_EXPIRED,
    CHALLENGE_FAILED,
    CHALLENGE_USED,
    KEY_INACTIVE,
    KEY_UNUSABLE,
    OVERLOADED,
    STATE_REFUSED,
    TOO_MANY_TRIES,
    Fault,
)
from uhi.signing import PrivateKey, SignatureHeader
from uhi.signing.beckn_challenge import new_private_key
from uhi.signing.site import site_line
from uhi.storage.sql.database import Database
from uhi.subscribers import STATUSES, KeyRef, Role
from uhi.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Time that moves only when it is told to."""
    return FakeClock(jumps=False)


@pytest.fixture
async def database(sqlite_url: str, clock: FakeClock) -> AsyncIterator[Database]:
    """An open database."""
    opened = Database.open(sqlite_url, clock=clock)
    yield opened
    await opened.aclose()


@pytest.fixture
async def register(database: Database, clock: FakeClock) -> Register:
    """A register without entries."""
    opened = Register(database, RULES, clock=clock)
    await opened.open()
    return opened


@pytest.fixture
def clinic(register: Register) -> Applicant:
    """A hospital that wants to take part."""
    return Applicant("clinic.example", register)


async def refused(attempt) -> Fault:
    """Why an attempt is refused."""
    with pytest.raises(Refusal) as caught:
        await attempt
    return caught.value.fault


def header(created: int, expires: int) -> SignatureHeader:
    """A header of the clinic's first key."""
    return SignatureHeader("clinic.example", "k1", created, expires, bytes(64))


@pytest.mark.case("REG-01")
async def test_without_proof_it_stays_initiated_and_its_signatures_count_for_nothing(register, clinic, clock):
    """Security rules "Registry and key rules": proof of possession of each key."""
    await clinic.apply()

    review = await refused(register.review(clinic.id, acting=person("reviewer")))
    record = await register.members.record(KeyRef(clinic.id, "k1", Role.PROVIDER))

    assert (review, (await register.standing(clinic.id)).status) == (STATE_REFUSED, "INITIATED")
    with pytest.raises(Refusal) as inactive:
        record.check_active(clock.now())
    assert (inactive.value.fault.status, inactive.value.fault.code) == (401, "UHI-1410")


@pytest.mark.case("REG-01")
async def test_a_wrong_proof_leaves_it_initiated_and_is_audited(register, clinic, database):
    """Security rules "Registry and key rules": Ed25519 under the challenge's own prefix."""
    await clinic.apply()
    (asking,) = await register.new_challenges(clinic.id)

    wrong = clinic.answer(asking, key=PrivateKey.new())

    assert await refused(register.prove(wrong, acting=clinic.acting)) is CHALLENGE_FAILED
    assert (await register.standing(clinic.id)).missing[0] == "key k1"
    assert (await AuditTrail(database).rows())[-1].outcome == "refused"


@pytest.mark.case("REG-02")
async def test_a_challenge_is_answered_once(register, clinic):
    """Security rules "Registry and key rules": single use, whether the answer was right or wrong."""
    await clinic.apply()
    (asking,) = await register.new_challenges(clinic.id)
    right = clinic.answer(asking)
    await register.prove(right, acting=clinic.acting)

    assert await refused(register.prove(right, acting=clinic.acting)) is CHALLENGE_USED
    assert CHALLENGE_USED.status == 409


@pytest.mark.case("REG-02")
async def test_a_wrong_answer_uses_a_challenge_up(register, clinic):
    """Security rules "Registry and key rules": nobody guesses at leisure."""
    await clinic.apply()
    (asking,) = await register.new_challenges(clinic.id)
    await refused(register.prove(clinic.answer(asking, key=PrivateKey.new()), acting=clinic.acting))

    assert await refused(register.prove(clinic.answer(asking), acting=clinic.acting)) is CHALLENGE_USED


@pytest.mark.case("REG-02")
async def test_a_challenge_ends_after_five_minutes(register, clinic, clock):
    """Security rules "Registry and key rules": exp at most 5 min."""
    await clinic.apply()
    (asking,) = await register.new_challenges(clinic.id)

    await clock.advance(301)

    assert await refused(register.prove(clinic.answer(asking), acting=clinic.acting)) is CHALLENGE_EXPIRED
    assert CHALLENGE_EXPIRED.status == 410


@pytest.mark.case("REG-02")
async def test_a_challenge_of_another_subscriber_or_key_is_refused(register, clinic):
    """Security rules "Registry and key rules": a challenge is for one subscriber and one key."""
    other = Applicant("other.example", register)
    await clinic.apply()
    await other.apply()
    (asking,) = await register.new_challenges(clinic.id)
    proof = clinic.answer(asking)

    for stolen in (
        replace(proof, subscriber_id=other.id),
        replace(proof, key_id="k2"),
        replace(proof, challenge_id="0" * 32),
    ):
        assert await refused(register.prove(stolen, acting=other.acting)) is CHALLENGE_FAILED
    assert CHALLENGE_FAILED.status == 401


async def test_a_challenge_ends_with_the_application_it_was_made_for(register, clinic):
    """Ours: a corrected application is proven anew."""
    await clinic.apply()
    (asking,) = await register.new_challenges(clinic.id)

    await clinic.apply(legal_name="Another name")

    assert await refused(register.prove(clinic.answer(asking), acting=clinic.acting)) is CHALLENGE_EXPIRED


async def test_nobody_is_asked_more_than_five_times_an_hour(register, clinic, clock):
    """Security rules "Registry and key rules": 5 tries per hour; the refusal says how long that still is."""
    await clinic.apply()
    for _ in range(5):
        await register.new_challenges(clinic.id)
        await clock.advance(60)

    with pytest.raises(Refusal, match="try again in 3300 s") as sixth:
        await register.new_challenges(clinic.id)
    await clock.advance(sixth.value.retry_after)

    assert sixth.value.fault is TOO_MANY_TRIES
    assert len(await register.new_challenges(clinic.id)) == 1


async def test_a_correction_keeps_what_was_proven_for_the_same_address(register, clinic):
    """Ours: an honest newcomer who corrects its entry is not asked for the same again, five times an hour at most."""
    clinic.encryption_key = new_private_key()
    await clinic.apply()
    await clinic.prove()

    corrected = await clinic.apply(legal_name="Another name")
    clinic.keys["k2"] = PrivateKey.new()
    extended = await clinic.apply(legal_name="Another name")

    assert corrected.missing == ("review", "approval", "approval")
    assert extended.missing == ("key k2", "review", "approval", "approval")


async def test_a_correction_loses_what_was_proven_of_other_keys_and_addresses(register, clinic):
    """Registry rules: a proof is for one key, one id and one address."""
    await clinic.apply()
    await clinic.prove()
    moved = await clinic.apply(subscriber_url="https://elsewhere.example/api")
    await clinic.apply()
    await clinic.prove()
    clinic.keys["k1"] = PrivateKey.new()

    exchanged = await refused(clinic.apply())
    beckn = Applicant("beckn.example", register)
    await beckn.apply()
    await beckn.prove()
    beckn.encryption_key = new_private_key()

    assert moved.missing[:2] == ("key k1", "site")
    assert exchanged is ALREADY_TAKEN
    assert (await beckn.apply()).missing[:3] == ("key k1", "encryption key", "site")


async def test_who_takes_a_stale_application_over_proves_everything(register, clinic, clock):
    """Ours: or somebody could enter with a key that another one proved."""
    await clinic.apply()
    for asking in await register.new_challenges(clinic.id):
        await register.prove(clinic.answer(asking), acting=clinic.acting)
    await clock.advance(A_DAY + 1)
    other = Applicant(clinic.id, register, keys={"k2": PrivateKey.new()})
    rows = [key_row("k1", clinic.keys["k1"]), key_row("k2", other.keys["k2"])]
    other.keys["k1"] = clinic.keys["k1"]

    taken = await other.apply("k2", keys=rows)

    assert taken.missing[:3] == ("key k1", "key k2", "site")


async def test_only_so_many_applicants_are_waited_for(database, clock):
    """Ours: who makes up ids fills neither the database nor the lookups; members and known applicants go on."""
    register = Register(database, replace(RULES, most_applicants=2), clock=clock)
    await register.open()
    first, second, third = (Applicant(f"{name}.example", register) for name in ("first", "second", "third"))
    await first.apply()
    await second.apply()

    with pytest.raises(Refusal) as full:
        await third.apply()
    await first.apply(legal_name="Another name")
    await first.prove()
    await register.review(first.id, acting=person("reviewer"))
    await first.be_approved()

    assert (full.value.fault, full.value.retry_after) == (OVERLOADED, 3_600)
    assert (await third.apply()).status == "INITIATED"


async def test_applicants_are_found_by_their_ids_and_in_no_list(register, clinic):
    """Ours: however many apply, lists of members cost no more."""
    await clinic.apply()
    before = register.members.members()
    found = register.members.with_id(clinic.id)
    await clinic.prove()
    await register.review(clinic.id, acting=person("reviewer"))
    await clinic.be_approved()

    assert (before, [each.subscriber.status for each in found]) == ((), ["INITIATED"])
    assert [each.subscriber.id for each in register.members.members()] == [clinic.id]


async def test_a_beckn_peer_must_also_read_what_was_encrypted_for_it(register, clinic):
    """Issue: both a signature and, for Beckn peers, the X25519/AES challenge."""
    clinic.encryption_key = new_private_key()
    applied = await clinic.apply()
    (asking,) = await register.new_challenges(clinic.id)

    without = await refused(register.prove(replace(clinic.answer(asking), answer="0" * 32), acting=clinic.acting))
    proven = await clinic.prove()

    assert (without, bool(asking.encrypted)) == (CHALLENGE_FAILED, True)
    assert applied.missing[:3] == ("key k1", "encryption key", "site")
    assert proven.missing[0] == "review"


async def test_a_page_of_somebody_else_proves_no_site(register, clinic):
    """Contract: the line is signed for this host by one of the application's keys."""
    await clinic.apply()
    clinic.keys["k2"] = PrivateKey.new()

    assert await refused(clinic.show_site("k2")) is CHALLENGE_FAILED
    assert (
        await refused(register.site_checked(clinic.id, "", host="clinic.example.example", acting=clinic.acting))
        is CHALLENGE_FAILED
    )


@pytest.mark.case("IAM-16")
async def test_one_administrator_is_not_two(register, clinic):
    """Security rules "IAM": two different admins for SUBSCRIBED; nobody approves their own submission or review."""
    await clinic.apply()
    await clinic.prove()
    await register.review(clinic.id, acting=person("reviewer"))

    reviewer = await refused(register.approve(clinic.id, acting=person("reviewer")))
    first = await register.approve(clinic.id, acting=person("first admin"))
    again = await refused(register.approve(clinic.id, acting=person("first admin")))
    second = await register.approve(clinic.id, acting=person("second admin"))

    assert (reviewer, again) == (ANOTHER_PERSON_REQUIRED, ANOTHER_PERSON_REQUIRED)
    assert (ANOTHER_PERSON_REQUIRED.status, first.status, first.missing) == (403, "UNDER_REVIEW", ("approval",))
    assert second.status == "SUBSCRIBED"


@pytest.mark.case("IAM-16")
async def test_a_change_of_keys_takes_two_administrators_too(register, clinic):
    """Security rules "IAM": two different admins for key and url change."""
    await clinic.join()
    await clinic.add_key("k2")
    early = await refused(register.approve(clinic.id, acting=person("first admin")))
    await clinic.prove()
    first = await register.approve(clinic.id, acting=person("first admin"))

    again = await refused(register.approve(clinic.id, acting=person("first admin")))

    assert (early, again) == (STATE_REFUSED, ANOTHER_PERSON_REQUIRED)
    assert [held.key.id for held in first.keys] == ["k1"]


@pytest.mark.case("REG-09")
@pytest.mark.parametrize("alike", ["c1inic.example", "clinic-example", "clinic.exarnp1e"])
async def test_an_id_that_looks_like_a_members_is_taken(register, clinic, alike):
    """Security rules "Registry and key rules": look-alikes refused."""
    await clinic.join()

    assert await refused(Applicant(alike, register).apply()) is ALREADY_TAKEN


@pytest.mark.case("IAM-16")
async def test_what_was_swapped_after_it_was_looked_at_is_not_approved(register, clinic):
    """Ours: an administrator decides about what they saw."""
    await clinic.join()
    looked_at = (await clinic.add_key("k2")).pending
    await clinic.add_key("k3")
    await clinic.prove()

    swapped = register.approve(clinic.id, acting=person("first admin"), seen=looked_at.id)

    assert await refused(swapped) is STATE_REFUSED
    assert (await register.standing(clinic.id)).pending.approved_by == ()


@pytest.mark.case("REG-09")
@pytest.mark.parametrize("subscriber_id", ["registry.uhi", "registry-uhi"])
async def test_nobody_applies_under_the_registrys_own_name(register, subscriber_id):
    """Ours: also before the registry has an entry of its own."""
    assert await refused(Applicant(subscriber_id, register).apply()) is ALREADY_TAKEN


@pytest.mark.case("REG-09")
async def test_a_name_of_somebody_who_was_never_let_in_keeps_nobody_out(register, clinic):
    """Ours: or a stranger could take names away by being turned down."""
    stranger = Applicant("clinic-example", register)
    await stranger.apply()
    await register.decline(stranger.id, reason="no hospital", acting=person("first admin"))

    assert (await clinic.apply()).status == "INITIATED"


@pytest.mark.case("REG-09")
async def test_a_name_of_somebody_who_left_stays_theirs(register, clinic):
    """Security rules "Registry and key rules": nobody passes for a former member."""
    await clinic.join()
    await register.unsubscribe(clinic.id, acting=clinic.acting)

    assert await refused(Applicant("clinic-example", register).apply()) is ALREADY_TAKEN


@pytest.mark.case("REG-09")
async def test_another_members_id_address_and_key_are_taken(register, clinic):
    """Security rules "Registry and key rules": other members' ids, urls or keys refused."""
    await clinic.join()
    thief = Applicant("thief.example", register)
    theirs = [key_row("k1", thief.keys["k1"]), key_row("k2", clinic.keys["k1"])]

    by_id = await refused(Applicant(clinic.id, register).apply())
    by_url = await refused(thief.apply(subscriber_url="https://CLINIC.example.example:443/api/"))
    by_key = await refused(thief.apply(keys=theirs))

    assert (by_id, by_url, by_key) == (ALREADY_TAKEN, ALREADY_TAKEN, KEY_UNUSABLE)
    assert [fault.status for fault in (by_id, by_url, by_key)] == [409, 409, 400]
    assert (await register.standing(clinic.id)).keys[0].key.public == clinic.keys["k1"].public


@pytest.mark.case("REG-09")
async def test_of_two_who_apply_for_one_address_the_second_is_refused_at_its_decision(register, clinic):
    """Ours: whoever only applied has nothing yet, so nobody is kept out by an empty application."""
    url = "https://shared.example/api"
    other = Applicant("other.example", register)
    await clinic.apply(subscriber_url=url)
    await other.apply(subscriber_url=url)
    for each in (clinic, other):
        await _prove_at(each, "shared.example")
    await register.review(clinic.id, acting=person("reviewer"))

    assert await refused(register.review(other.id, acting=person("reviewer"))) is ALREADY_TAKEN


async def _prove_at(applicant: Applicant, host: str) -> None:
    for asking in await applicant.register.new_challenges(applicant.id):
        await applicant.register.prove(applicant.answer(asking), acting=applicant.acting)
    line = site_line(applicant.id, "k1", host, applicant.keys["k1"])
    await applicant.register.site_checked(applicant.id, line, host=host, acting=applicant.acting)


async def test_who_applied_first_has_the_id_until_a_day_without_proof(register, clinic, clock):
    """Ours: an id is neither stolen from an applicant nor kept by an empty application."""
    await clinic.apply()
    other = Applicant(clinic.id, register)

    early = await refused(other.apply())
    await clock.advance(A_DAY + 1)
    late = await other.apply()

    assert (early, late.status) == (ALREADY_TAKEN, "INITIATED")


async def test_who_corrects_an_unproven_application_keeps_the_id_no_longer(register, clinic, clock):
    """Ours: or somebody could keep a hospital's id for ever without ever proving anything."""
    await clinic.apply()
    await clock.advance(A_DAY - 1)
    await clinic.apply(legal_name="Another name")
    await clock.advance(2)

    assert (await Applicant(clinic.id, register).apply()).status == "INITIATED"


async def test_the_id_of_a_former_member_is_given_again_at_its_own_host_only(register, clinic):
    """Registry rules, identity: whoever comes first must not become the hospital whose last key ran out."""
    await clinic.join()
    await register.revoke_key(clinic.id, "k1", reason="lost", acting=clinic.acting)
    thief = Applicant(clinic.id, register)

    elsewhere = await refused(thief.apply(subscriber_url="https://thief.example/api"))
    clinic.keys["k1"] = PrivateKey.new()
    back = await clinic.apply(keys=[key_row("k2", clinic.keys["k1"])])

    assert (elsewhere, back.status) == (ALREADY_TAKEN, "INITIATED")
    assert back.particulars.subscriber.url == "https://clinic.example.example/api"


async def test_a_page_fetched_for_one_host_proves_no_other(register, clinic):
    """Ours: who answers slowly could name another's host meanwhile, and show a line made for that one."""
    await clinic.apply()
    await clinic.apply(subscriber_url="https://hospital.example/api")
    line = site_line(clinic.id, "k1", "hospital.example", clinic.keys["k1"])

    late = await refused(register.site_checked(clinic.id, line, host="clinic.example.example", acting=clinic.acting))

    assert late is CHALLENGE_EXPIRED
    assert "site" in (await register.standing(clinic.id)).missing


async def test_a_proven_application_keeps_its_id(register, clinic, clock):
    """Ours: a decision may take longer than a day."""
    await clinic.apply()
    await clinic.prove()

    await clock.advance(2 * A_DAY)

    assert await refused(Applicant(clinic.id, register).apply()) is ALREADY_TAKEN


async def test_an_application_signed_by_a_key_that_is_not_in_it_is_refused(register, clinic):
    """Contract: signed by one of the keys in the application."""
    clinic.keys["k2"] = PrivateKey.new()

    attempt = clinic.apply("k2", keys=[key_row("k1", clinic.keys["k1"])])

    assert await refused(attempt) is KEY_INACTIVE


@pytest.mark.case("REG-05")
async def test_a_key_counts_within_its_validity_and_covers_the_signature(register, clinic, clock):
    """Security rules "Signing profiles", times: key.valid_from, key.valid_until."""
    await clinic.join(keys=[key_row("k1", clinic.keys["k1"], days=10)])
    record = await register.members.record(KeyRef(clinic.id, "k1", Role.PROVIDER))
    now = int(clock.now())
    record.check_active(now)

    for check in (
        lambda: record.check_active(now + 10 * A_DAY + 1),
        lambda: record.check_active(now - 10),
        lambda: record.check_covers(header(now, now + int(10 * A_DAY) + 1)),
    ):
        with pytest.raises(Refusal) as caught:
            check()
        assert (caught.value.fault.status, caught.value.fault.code) == (401, "UHI-1410")


@pytest.mark.case("REG-06")
@pytest.mark.parametrize("status", [each for each in (*STATUSES, "") if each != "SUBSCRIBED"])
async def test_only_subscribed_entries_count(register, clinic, clock, status):
    """Security rules "Registry and key rules": only SUBSCRIBED verifies and is fanned out to."""
    await clinic.join()
    (member,) = register.members.with_id(clinic.id)
    register.members.replace(replace(member, subscriber=replace(member.subscriber, status=status)))

    record = await register.members.record(KeyRef(clinic.id, "k1", Role.PROVIDER))

    with pytest.raises(Refusal) as caught:
        record.check_active(clock.now())
    assert caught.value.fault.code == "UHI-1410"
    assert await register.members.providers("nic2004:85111", "IND") == ()


@pytest.mark.parametrize("step", ["suspend", "resume", "revoke", "decline"])
async def test_a_decision_that_the_state_forbids_changes_nothing(register, clinic, step):
    """Contract: the table of states."""
    await clinic.join()
    if step == "revoke":
        await register.revoke(clinic.id, reason="fraud", acting=person("first admin"))
    if step == "suspend":
        await register.suspend(clinic.id, reason="check", acting=person("first admin"))
    seq = register.members.seq

    assert await refused(getattr(register, step)(clinic.id, reason="x", acting=person("admin"))) is STATE_REFUSED
    assert register.members.seq == seq


async def test_a_private_key_never_reaches_the_database(register, clinic, sqlite_url):
    """Case REG-08, at rest: the file is searched for every private key of a whole life."""
    clinic.encryption_key = new_private_key()
    await clinic.join()
    await clinic.add_key("k2")
    await clinic.prove()
    await clinic.be_approved()

    path = Path(sqlite_url.removeprefix("sqlite:///"))
    kept = b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))

    secrets = [text for key in clinic.keys.values() for text in (key.seed_base64(), key.pkcs8_base64())]
    assert [text for text in (*secrets, clinic.encryption_key, RULES.encryption_key) if text.encode() in kept] == []
    assert clinic.keys["k2"].public.raw_base64().encode() in kept

"""The register: the whole way in, both databases; what lookups see follows; processes that share it agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.network_registry.register import Register
from gateway.network_registry.standing import Search
from tests.gateway.network_registry.applying import A_DAY, OPERATOR, RULES, Applicant, key_row, person
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, ALREADY_TAKEN, KEY_UNUSABLE, RECORD_MISSING, STATE_REFUSED
from uhi.http.addresses import check_resolves
from uhi.registry.memory import Member
from uhi.signing import UHI, PrivateKey
from uhi.storage.sql.database import Database
from uhi.subscribers import KeyRef, Role, Subscriber, SubscriberKey
from uhi.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Time that moves only when it is told to."""
    return FakeClock(jumps=False)


@pytest.fixture
async def register(database: Database, clock: FakeClock) -> Register:
    """A register without entries."""
    opened = Register(database, RULES, clock=clock)
    await opened.open()
    return opened


@pytest.fixture
def applicant(register: Register) -> Callable[..., Applicant]:
    """Makes somebody who wants to take part."""
    return lambda subscriber_id="clinic.example", **more: Applicant(subscriber_id, register, **more)


async def record(register: Register, subscriber_id: str, key_id: str):
    """What `authenticate()` learns about a key."""
    return await register.members.record(KeyRef(subscriber_id, key_id, Role.PROVIDER))


async def test_two_administrators_let_a_proven_applicant_in(register, applicant, clock):
    """Security rules "Registry and key rules": INITIATED, UNDER_REVIEW, SUBSCRIBED."""
    clinic = applicant()
    seen = [(await clinic.apply()).status, (await clinic.prove()).status]
    seen.append((await register.review(clinic.id, acting=person("reviewer"))).status)

    seen.append((await clinic.be_approved()).status)

    assert seen == ["INITIATED", "INITIATED", "UNDER_REVIEW", "SUBSCRIBED"]
    (await record(register, clinic.id, "k1")).check_active(clock.now())
    assert (await register.standing(clinic.id)).missing == ()


async def test_every_change_of_an_entry_has_the_next_number_and_an_audit_row(register, applicant, database):
    """Security rules "Registry and key rules": every change is audited and gets the next `registry_seq`."""
    told: list[int] = []
    register.on_change(lambda changes: told.extend(change.seq for change in changes))
    clinic = applicant()
    await clinic.join()

    changes = await register.changes(after=0)

    assert [(each.seq, each.action, each.keys) for each in changes] == [
        (1, "apply", ()),
        (2, "review", ()),
        (3, "approve", ("k1",)),
    ]
    assert (told, register.members.seq) == ([1, 2, 3], 3)
    assert [link.action for link in await AuditTrail(database).rows()] == [
        *("registry.apply", "registry.prove", "registry.check_site", "registry.review"),
        *("registry.approve", "registry.approve"),
    ]


async def test_another_process_sees_a_change_at_its_next_look(register, applicant, database, clock):
    """Contract: changes of another process are noticed."""
    clinic = applicant()
    await clinic.join()
    other = Register(database, RULES, clock=clock)
    await other.open()
    told: list[str] = []
    other.on_change(lambda changes: told.extend(change.status for change in changes))

    await register.suspend(clinic.id, reason="investigation", acting=person("first admin"))
    await other.refresh()

    assert (told, other.members.seq) == (["SUSPENDED"], 4)
    assert (await record(other, clinic.id, "k1")).subscriber.status == "SUSPENDED"


async def test_processes_that_write_at_once_share_one_row_of_numbers(register, database_url, clock):
    """Contract: `registry_seq` grows by one with every change, without gaps, whoever makes it."""
    second = Database.open(database_url, clock=clock)
    other = Register(second, RULES, clock=clock)
    await other.open()
    applicants = [Applicant(f"clinic{n}.example", (register, other)[n % 2]) for n in range(20)]

    await asyncio.gather(*(each.apply() for each in applicants))
    await register.refresh()
    await other.refresh()

    assert [change.seq for change in await register.changes(after=0)] == list(range(1, 21))
    held = [[view.with_id(each.id) for each in applicants] for view in (register.members, other.members)]
    assert held[0] == held[1]
    assert all(held[0])
    await second.aclose()


async def test_following_notices_changes_and_expiry_by_the_clock(register, applicant, database):
    """Contract: the newest number is looked at every second; keys run out by themselves."""
    clinic = applicant()
    await clinic.join()
    clock = FakeClock(time=database.clock.now() + 364.9999 * A_DAY)
    other = Register(database, RULES, clock=clock)
    await other.open()
    ends = clock.now() + 60

    with pytest.raises(TimeoutError):
        await _until(other, clock, ends)

    assert (await record(other, clinic.id, "k1")).subscriber.status == "EXPIRED"


async def _until(register: Register, clock: FakeClock, ends: float) -> None:
    class Ending:
        def now(self) -> float:
            return clock.now()

        async def sleep(self, seconds: float) -> None:
            if clock.now() > ends:
                raise TimeoutError
            clock.time += seconds

    register._clock = Ending()  # the loop has no other end than being cancelled
    await register.follow()


async def test_a_second_key_is_proven_and_approved_while_the_first_one_works(register, applicant, clock):
    """Security rules "Registry and key rules": several keys with overlapping validity."""
    clinic = applicant()
    await clinic.join()

    waiting = await clinic.add_key("k2")
    with pytest.raises(Refusal):
        await record(register, clinic.id, "k2")
    await clinic.prove()
    done = await clinic.be_approved()

    assert (waiting.status, waiting.missing) == ("SUBSCRIBED", ("key k2", "site", "approval", "approval"))
    assert [key.id for key in done.active_keys(clock.now())] == ["k1", "k2"]
    assert (await record(register, clinic.id, "k2")).key.public == clinic.keys["k2"].public


async def test_the_old_address_stays_until_the_new_one_is_approved(register, applicant):
    """Contract: changes of the address are pending until proven and approved by two different administrators."""
    clinic = applicant()
    await clinic.join()

    waiting = await clinic.apply(subscriber_url="https://clinic.example.example/v2")
    before = (await record(register, clinic.id, "k1")).subscriber.url
    await clinic.prove()
    await clinic.be_approved()

    assert waiting.missing == ("key k1", "site", "approval", "approval")
    assert before == "https://clinic.example.example/api"
    assert (await record(register, clinic.id, "k1")).subscriber.url == "https://clinic.example.example/v2"


async def test_a_revoked_key_is_inactive_at_once_and_never_comes_back(register, applicant, clock):
    """Case REG-03, at the register: emergency revocation is immediate."""
    clinic = applicant()
    clinic.keys["k2"] = PrivateKey.new()
    await clinic.join()

    done = await register.revoke_key(clinic.id, "k1", reason="lost", acting=clinic.acting)

    with pytest.raises(Refusal, match="outside its validity"):
        (await record(register, clinic.id, "k1")).check_active(clock.now())
    assert [key.id for key in done.active_keys(clock.now())] == ["k2"]
    with pytest.raises(Refusal) as again:
        await clinic.apply(signed_with="k2", keys=[key_row("k9", clinic.keys["k1"])])
    assert again.value.fault is KEY_UNUSABLE


async def test_revoking_a_key_drops_the_change_that_waits(register, applicant):
    """Ours: whoever stole the key may have asked for it."""
    clinic = applicant()
    await clinic.join()
    await clinic.add_key("k2")
    await clinic.prove()

    done = await register.revoke_key(clinic.id, "k1", reason="stolen", acting=person("first admin"))

    assert (done.status, done.pending) == ("EXPIRED", None)


async def test_an_entry_expires_with_its_last_key(register, applicant, clock):
    """Contract: EXPIRED when the last key ran out."""
    clinic = applicant()
    await clinic.join(keys=[key_row("k1", clinic.keys["k1"], days=10)])

    early = await register.expire()
    await clock.advance(11 * A_DAY)
    late = await register.expire()

    assert (early, late) == (0, 1)
    assert (await register.standing(clinic.id)).status == "EXPIRED"


async def test_an_application_without_proof_is_forgotten_after_a_week(register, applicant, clock):
    """Ours: nobody fills the registry with names; a proven application waits for its decision."""
    empty, proven = applicant("empty.example"), applicant("proven.example")
    await empty.apply()
    await proven.apply()
    await proven.prove()

    await clock.advance(8 * A_DAY)
    await register.expire()

    assert [len(register.members.with_id(each.id)) for each in (empty, proven)] == [0, 1]
    assert (await register.find(Search())).total == 1
    assert [each.seq for each in await register.changes(after=0)] == [1, 2, 3]


async def test_who_leaves_is_not_active_and_may_apply_anew_with_a_new_key(register, applicant):
    """Contract: UNSUBSCRIBED; its keys end with it."""
    clinic = applicant()
    await clinic.join()

    left = await register.unsubscribe(clinic.id, acting=clinic.acting)
    clinic.keys = {"k2": PrivateKey.new(), "k1": PrivateKey.new()}
    with pytest.raises(Refusal) as old_id:
        await clinic.apply()
    clinic.keys.pop("k1")
    row = [key_row("k2", clinic.keys["k2"])]
    clinic.keys["k1"] = clinic.keys["k2"]
    again = await clinic.apply(keys=row)

    assert (left.status, left.active_keys(0)) == ("UNSUBSCRIBED", ())
    assert old_id.value.fault is ALREADY_TAKEN
    assert again.status == "INITIATED"


async def test_a_subscriber_touches_only_its_own_entry(register, applicant):
    """Security rules "Registry and key rules": self-service is for one's own record."""
    clinic, other = applicant(), applicant("other.example")
    await clinic.join()
    await other.join()

    for attempt in (
        register.unsubscribe(clinic.id, acting=other.acting),
        register.revoke_key(clinic.id, "k1", reason="", acting=other.acting),
    ):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.fault is ACCESS_DENIED


async def test_the_operator_alone_admits_without_application(register):
    """Contract: the gateway and the registry itself get in at the operator's word, audited as his."""
    subscriber = Subscriber("gateway.uhi", Role.GATEWAY, "https://gateway.uhi.example")
    member = Member(subscriber, (SubscriberKey("g1", PrivateKey.new().public, UHI, 0.0, 4e9),))

    with pytest.raises(Refusal) as refused:
        await register.admit(member, legal_name="Gateway", acting=person("first admin"))
    done = await register.admit(member, legal_name="Gateway", acting=OPERATOR)
    with pytest.raises(Refusal) as twice:
        await register.admit(member, legal_name="Gateway", acting=OPERATOR)

    assert (refused.value.fault, done.status, twice.value.fault) == (ACCESS_DENIED, "SUBSCRIBED", STATE_REFUSED)


async def test_the_same_application_again_changes_nothing(register, applicant):
    """Ours: what is sent twice is one application."""
    clinic = applicant()

    first = await clinic.apply()
    second = await clinic.apply()

    assert (second.pending.id, register.members.seq) == (first.pending.id, 1)


async def test_a_role_that_changes_leaves_no_old_entry_behind(register, applicant):
    """Contract: a subscriber id has one role."""
    clinic = applicant()
    await clinic.apply()

    await clinic.apply(type="EUA")

    assert [each.subscriber.role for each in register.members.with_id(clinic.id)] == [Role.CONSUMER]


async def test_entries_are_found_by_state_role_and_words_in_pages(register, applicant):
    """Contract: list with filters and paging."""
    for name in ("a.example", "b.example", "c.example"):
        await applicant(name).apply()
    await applicant("app.example").apply(type="EUA")

    page = await register.find(Search(status="INITIATED", role=Role.PROVIDER, page=2, size=2))
    by_name = await register.find(Search(text="HOSPITAL B.EX"))
    nobody = await register.find(Search(text="%"))

    assert ([each.id for each in page.entries], page.total) == (["c.example"], 3)
    assert [each.id for each in by_name.entries] == ["b.example"]
    assert nobody.total == 0


async def test_nobody_is_found_where_nobody_is(register):
    """Ours: a refusal and not an empty entry."""
    with pytest.raises(Refusal) as refused:
        await register.standing("nobody.example")

    assert refused.value.fault is RECORD_MISSING


async def test_the_export_has_every_entry_and_is_audited(register, applicant, database):
    """Contract: an export is a decision, and leaves a trace."""
    await applicant().join()

    seq, standings = await register.export(acting=person("first admin"))

    assert (seq, [each.id for each in standings]) == (3, ["clinic.example"])
    assert (await AuditTrail(database).rows())[-1].action == "registry.export"


async def test_a_change_without_difference_is_no_change(register, applicant):
    """Ours: a member that sends its entry again has nothing waiting."""
    clinic = applicant()
    await clinic.join()

    again = await clinic.apply()

    assert (again.pending, again.status) == (None, "SUBSCRIBED")


async def test_an_address_that_leads_inside_is_refused_at_registration(database, clock):
    """Security rules "Outbound and SSRF rules": checked at registration."""
    register = Register(database, replace(RULES, resolves=check_resolves), clock=clock)
    await register.open()

    with pytest.raises(Refusal, match="may not be registered"):
        await Applicant("clinic.invalid", register).apply(subscriber_url="https://no-such-host.invalid/api")

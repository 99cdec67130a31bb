"""The network's register: who takes part, kept in the database and read from memory.

Every change is one transaction: the entry, its number and the audit rows. Lookups and the doors read `members`, which
follows the database. Above: the registry's entrance and `admin_routes`; below: `joining`, `deciding` and the rows.
Source: security rules "Registry and key rules".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from gateway.network_registry import change_rows, deciding, joining, member_rows, proving
from gateway.network_registry.applicants import ApplicantRegistry, own_keys
from gateway.network_registry.applications import Application
from gateway.network_registry.rules import RegisterRules
from gateway.network_registry.standing import Asking, Change, Page, Particulars, Proof, Search, Standing
from gateway.network_registry.states import Step
from gateway.network_registry.writing import Writing
from uhi.audit import Acting, ActorKind, Outcome
from uhi.audit.trail import Wanted, rows_of
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING
from uhi.ports import Clock
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import PublicKey
from uhi.storage.sql.database import Database
from uhi.subscribers import EXPIRED, SUSPENDED, SubscriberKey

POLL_SECONDS = 1.0
EXPIRY_SECONDS = 30.0
MOST_CHANGES = 1_000

R = TypeVar("R")
Told = Callable[[Sequence[Change]], None]

_REASONED = {SUSPENDED: f"registry.{Step.SUSPEND.value}", EXPIRED: "registry."}
_CLOCK = Acting(actor="registry", kind=ActorKind.SYSTEM)
_log = logging.getLogger(__name__)


class Register:
    """The entries of one network. `open` it before anything else; let `follow` run while it is used."""

    def __init__(self, database: Database, rules: RegisterRules, *, clock: Clock) -> None:
        self.rules = rules
        self.members = MemoryRegistry()
        """Everybody, as lookups and `authenticate()` see them, without touching the database. `members.seq` is the
        number of the newest change in it."""
        self._database = database
        self._clock = clock
        self._told: list[Told] = []
        self._following = asyncio.Lock()

    async def open(self) -> None:
        """Read every entry into memory.

        Raises: Refusal(OVERLOADED) when the database does not answer.
        """
        async with self._following:
            seq, standings = await self._database.read(_everything)
            for standing in standings:
                self._place(standing.id, standing)
            self.members.seq = seq

    def on_change(self, told: Told) -> None:
        """Call `told` with changes, in order and without gaps, once they are in `members`: those made here and those
        of other processes."""
        self._told.append(told)

    async def refresh(self) -> None:
        """Bring `members` up to date with the database.

        Raises: Refusal(OVERLOADED) when the database does not answer.
        """
        async with self._following:
            while changes := await self.changes(after=self.members.seq):
                ids = sorted({change.subscriber_id for change in changes})
                found = {each.id: each for each in await self._database.read(partial(member_rows.standings, ids=ids))}
                for subscriber_id in ids:
                    self._place(subscriber_id, found.get(subscriber_id))
                self.members.seq = changes[-1].seq
                for told in self._told:
                    told(changes)

    async def follow(self) -> None:
        """Notice, within a second, what other processes change, and see keys run out; go on until cancelled."""
        expired_at = self._clock.now()
        while True:
            await self._clock.sleep(POLL_SECONDS)
            try:
                await self.refresh()
                if self._clock.now() - expired_at >= EXPIRY_SECONDS:
                    expired_at = self._clock.now()
                    await self.expire()
            except Refusal as refusal:
                _log.warning("the register cannot be read: %s", refusal)

    def signers_of(self, application: Application) -> ApplicantRegistry:
        """Whom `authenticate()` may ask about the signature of this application, and of it alone: it knows the
        applicant's own keys, and for a member those in force. Hand its `signed_with` to `apply`."""
        return ApplicantRegistry(application.member(), *self.members.with_id(application.subscriber.id))

    async def signers_of_proof(self, subscriber_id: str) -> ApplicantRegistry:
        """Whom `authenticate()` may ask about a late answer to a challenge: it knows the keys that are to be proven.

        Raises: Refusal(RECORD_MISSING) when nothing of theirs waits.
        """
        pending = (await self.standing(subscriber_id)).pending
        if pending is None:
            raise Refusal(RECORD_MISSING, f"nothing of {subscriber_id} waits to be proven")
        candidate = Member(pending.wanted.subscriber, pending.keys)
        return ApplicantRegistry(candidate, *self.members.with_id(subscriber_id))

    async def signers_of_standing(self, subscriber_id: str) -> ApplicantRegistry | None:
        """Whom `authenticate()` may ask about a question how one stands: for an applicant as `signers_of_proof`, for
        who is suspended or expired `own_keys`. None for everybody else, whose signatures count as they do anywhere."""
        try:
            standing = await self.standing(subscriber_id)
        except Refusal as refusal:
            if refusal.fault is not RECORD_MISSING:
                raise
            return None
        if standing.status in (SUSPENDED, EXPIRED):
            keys = own_keys(standing, now=self._clock.now())
            return ApplicantRegistry(Member(standing.particulars.subscriber, keys))
        return await self.signers_of_proof(subscriber_id) if standing.pending is not None else None

    async def reason(self, standing: Standing) -> str:
        """Why somebody is suspended, or expired before its keys ran out, as whoever decided it wrote."""
        action = _REASONED.get(standing.status)
        if action is None:
            return ""
        wanted = Wanted(action=action, object=f"subscriber {standing.id}", outcome=Outcome.DONE.value)
        rows = await self._database.read(lambda c: rows_of(c, most=1, wanted=wanted, newest=True))
        return rows[0].reason if rows else ""

    async def apply(self, application: Application, *, signed_with: PublicKey, acting: Acting) -> Standing:
        """Take an application, or a member's change of its entry or keys, which then waits until it is proven and
        approved. `signed_with` is the key that the request's signature was checked with.

        The same application again changes nothing. A correction by the same hands starts over; what was proven for the
        same address stays proven.
        Raises: Refusal(ADDRESS_REFUSED) for an address that leads elsewhere than to the public; Refusal(ALREADY_TAKEN)
        for another's id, look-alike or address; Refusal(KEY_UNUSABLE) for another's or a former key;
        Refusal(STATE_REFUSED); Refusal(KEY_INACTIVE) when no key in force of a member signed; Refusal(OVERLOADED) while
        as many applicants wait as the rules allow, or too many hosts are looked up.
        """
        await self.rules.check_resolves(application.subscriber.url)
        return await self._write(acting, lambda writing: joining.apply(writing, application, signed_with))

    async def add_keys(
        self, subscriber_id: str, keys: Sequence[SubscriberKey], *, signed_with: PublicKey, acting: Acting
    ) -> Standing:
        """Take a member's further keys, which wait until they are proven and approved; those in force stay so.

        Raises: Refusal(RECORD_MISSING); otherwise as `apply`.
        """
        return await self._write(acting, lambda writing: joining.add_keys(writing, subscriber_id, keys, signed_with))

    async def new_challenges(self, subscriber_id: str) -> tuple[Asking, ...]:
        """A challenge for each key that is still to be proven, to be posted now; empty when none is.

        Raises: Refusal(RECORD_MISSING) when nothing waits; Refusal(TOO_MANY_TRIES) after five rounds in an hour.
        """
        return await self._write(_CLOCK, lambda writing: proving.ask(writing, subscriber_id))

    async def prove(self, proof: Proof, *, acting: Acting) -> Standing:
        """Take the answer to a challenge, once. A wrong answer uses it up too.

        Raises: Refusal(CHALLENGE_USED); Refusal(CHALLENGE_EXPIRED); Refusal(CHALLENGE_FAILED) for a wrong answer, an
        unknown challenge and one of another subscriber or key.
        """
        outcome = await self._write(acting, lambda writing: proving.prove(writing, proof))
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def site_checked(self, subscriber_id: str, page: str, *, host: str, acting: Acting) -> Standing:
        """Take what stands at the subscriber's `/.well-known/uhi-site-verification`.

        `host` is where it was found.
        Raises: Refusal(CHALLENGE_FAILED) when no line is right; Refusal(RECORD_MISSING) when nothing waits for it;
        Refusal(CHALLENGE_EXPIRED) when what waits names another host by now.
        """
        return await self._write(acting, lambda writing: proving.take_site(writing, subscriber_id, page, host))

    async def review(self, subscriber_id: str, *, acting: Acting, seen: str = "") -> Standing:
        """Move an application on to its decision. `seen`, here and below, is the id of what was looked at, where it
        is known: something else that waits by now is not decided about.

        Raises: Refusal(STATE_REFUSED) while proofs are missing; Refusal(RECORD_MISSING).
        """
        return await self._write(acting, lambda writing: deciding.review(writing, subscriber_id, seen))

    async def approve(self, subscriber_id: str, *, acting: Acting, seen: str = "") -> Standing:
        """Approve an application or a member's change; with the second administrator's approval it takes effect.

        Raises: Refusal(ANOTHER_PERSON_REQUIRED) for who submitted, reviewed or approved it before;
        Refusal(STATE_REFUSED); Refusal(ALREADY_TAKEN) or Refusal(KEY_UNUSABLE) when somebody else was faster.
        """
        return await self._write(acting, lambda writing: deciding.approve(writing, subscriber_id, seen))

    async def decline(self, subscriber_id: str, *, reason: str, acting: Acting) -> Standing:
        """Turn down an application or a member's change. Whoever applied may apply again."""
        return await self._write(acting, lambda writing: deciding.decline(writing, subscriber_id, reason))

    async def suspend(self, subscriber_id: str, *, reason: str, acting: Acting) -> Standing:
        """Keep a member from taking part until it is resumed."""
        return await self._write(acting, lambda writing: deciding.move(writing, subscriber_id, Step.SUSPEND, reason))

    async def resume(self, subscriber_id: str, *, reason: str, acting: Acting) -> Standing:
        """Let a suspended member take part again."""
        return await self._write(acting, lambda writing: deciding.move(writing, subscriber_id, Step.RESUME, reason))

    async def revoke(self, subscriber_id: str, *, reason: str, acting: Acting) -> Standing:
        """Put an end to an entry and to all of its keys, for good."""
        return await self._write(acting, lambda writing: deciding.move(writing, subscriber_id, Step.REVOKE, reason))

    async def unsubscribe(self, subscriber_id: str, *, acting: Acting) -> Standing:
        """Let a member leave; its keys end with it."""
        return await self._write(acting, lambda writing: deciding.move(writing, subscriber_id, Step.LEAVE, ""))

    async def revoke_key(self, subscriber_id: str, key_id: str, *, reason: str, acting: Acting) -> Standing:
        """Put an end to one key at once. The entry of a member without any key left is EXPIRED.

        Raises: Refusal(RECORD_MISSING); Refusal(STATE_REFUSED) when the key is revoked already.
        """
        return await self._write(acting, lambda writing: deciding.revoke_key(writing, subscriber_id, key_id, reason))

    async def expire(self) -> int:
        """Mark the members whose last key has run out; returns how many there were. Forget old challenges, and after a
        week applications whose proofs did not come."""
        return await self._write(_CLOCK, deciding.expire)

    async def admit(self, member: Member, *, legal_name: str, acting: Acting) -> Standing:
        """Enter a member at the operator's word, without application: the registry itself and the gateway.

        Raises: Refusal(STATE_REFUSED) when the id is known; Refusal(ACCESS_DENIED) for anybody but the operator.
        """
        particulars = Particulars(
            subscriber=member.subscriber, legal_name=legal_name, encryption_key=member.encryption_key
        )
        return await self._write(acting, lambda writing: joining.admit(writing, particulars, member.keys))

    async def standing(self, subscriber_id: str) -> Standing:
        """Everything about one subscriber, as the database has it now.

        Raises: Refusal(RECORD_MISSING).
        """
        return await self._database.read(lambda connection: member_rows.standing(connection, subscriber_id))

    async def find(self, search: Search) -> Page:
        """A page of entries, ordered by id."""
        return await self._database.read(lambda connection: member_rows.find(connection, search))

    async def changes(self, *, after: int, most: int = MOST_CHANGES) -> tuple[Change, ...]:
        """The changes after a number, in order."""
        return await self._database.read(lambda connection: change_rows.changes(connection, after=after, most=most))

    async def export(self, *, acting: Acting) -> tuple[int, tuple[Standing, ...]]:
        """Every entry, and the number of the newest change before them; that somebody took it is audited."""
        await self._write(acting, lambda writing: writing.note("export", "register"))
        return await self._database.read(_everything)

    def _place(self, subscriber_id: str, standing: Standing | None) -> None:
        role = standing.particulars.subscriber.role if standing else None
        for earlier in self.members.with_id(subscriber_id):
            if earlier.subscriber.role is not role:
                self.members.remove(subscriber_id, earlier.subscriber.role)
        if standing is not None:
            # Applicants are found by their ids alone: however many there are, lists cost no more.
            self.members.replace(standing.member(), is_listed=standing.was_member)

    async def _write(self, acting: Acting, work: Callable[[Writing], R]) -> R:
        now = self._clock.now()

        def write(connection: Connection) -> R:
            return work(Writing.begin(connection, now=now, acting=acting, rules=self.rules))

        done = await self._database.write(write)
        try:
            await self.refresh()
        except Refusal as refusal:
            # The change is made; `follow` reads it when the database answers again.
            _log.warning("the register cannot be read: %s", refusal)
        return done


def _everything(connection: Connection) -> tuple[int, tuple[Standing, ...]]:
    # The number first: what is newer than it is read twice, and nothing is missed.
    return change_rows.head(connection), member_rows.standings(connection)

"""What becomes true together, on SQL: a message is dealt with, and what follows is kept: letters, questions, hops.

Sync functions on a `Connection`. Above: `storage`; below: `inbox`, `outbox`, `requests`, `bodies`. Source: reliability
rules "Send side".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from uhi.ports import Change, Letter
from uhi.storage.sql.bodies import Ours, forget_bodies, forget_bodies_soon, insert_bodies
from uhi.storage.sql.calls import insert_hops
from uhi.storage.sql.inbox import Finished, finish
from uhi.storage.sql.many import is_postgres, look_up
from uhi.storage.sql.outbox import busy_lines, insert_letters, letter_row
from uhi.storage.sql.requests import insert_requests

_CAUSES = """
SELECT inbox.id, inbox.body_id, inbox.digest FROM inbox JOIN body ON body.id = inbox.body_id
WHERE inbox.id IN (SELECT a FROM {given}) /*pg FOR KEY SHARE OF body */
"""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A letter, where its body is, and whether it is to be sent at once."""

    letter: Letter
    body_id: str
    is_ours: bool


def commit(connection: Connection, ours: Ours, changes: Sequence[Change]) -> Sequence[Sequence[Letter]]:
    """Make changes true, as if one came after the other; returns of each the letters that are ours to send now."""
    now = ours.clock.now()
    finished = finish(connection, [each.finishes for each in changes if each.finishes], now=now)
    valid = _valid(changes, finished)
    kept = [change for at, change in enumerate(changes) if at in valid]
    letters = _keep_letters(connection, ours, kept, finished)
    insert_requests(connection, [each.opens for each in kept if each.opens])
    insert_hops(connection, [hop for each in kept for hop in each.hops])
    forgotten = [each.finishes for each in kept if each.forgets and each.finishes]
    awaited = [each for each in forgotten if is_postgres(connection) and finished[each].is_answer]
    forget_bodies(connection, [each for each in forgotten if each not in awaited])
    forget_bodies_soon(connection, awaited)
    told = iter(letters)
    return [next(told) if at in valid else () for at in range(len(changes))]


def keep_letters(connection: Connection, ours: Ours, letters: Sequence[Letter]) -> Sequence[Letter]:
    """Keep letters with what else is written at the moment; returns those that are ours to send now."""
    return _keep_letters(connection, ours, [Change(letters=tuple(letters))], {})[0]


def _valid(changes: Sequence[Change], finished: Mapping[str, Finished]) -> set[int]:
    """Those that finish nothing, or finish first what was to be dealt with."""
    left = set(finished)
    valid: set[int] = set()
    for at, change in enumerate(changes):
        if not change.finishes or change.finishes in left:
            valid.add(at)
            left.discard(change.finishes)
    return valid


def _keep_letters(
    connection: Connection, ours: Ours, changes: Sequence[Change], finished: Mapping[str, Finished]
) -> list[Sequence[Letter]]:
    every = [letter for change in changes for letter in change.letters]
    if not every:
        return [()] * len(changes)
    plan = _Plan(
        causes=_causes(connection, every, finished),
        lines=busy_lines(connection, {letter.line for letter in every if letter.line}),
        now=ours.clock.now(),
    )
    planned = [plan.of(change) for change in changes]
    rows = [
        letter_row(each.letter, body_id=each.body_id, leased_by=ours if each.is_ours else None, now=plan.now)
        for letters in planned
        for each in letters
    ]
    insert_bodies(connection, ours, plan.bodies)
    inserted = insert_letters(connection, rows)
    return [
        tuple(each.letter for each in letters if each.is_ours and (inserted is None or each.letter.id in inserted))
        for letters in planned
    ]


def _causes(
    connection: Connection, letters: Sequence[Letter], finished: Mapping[str, Finished]
) -> Mapping[str, Finished]:
    """The messages that letters follow from, as far as their bodies are kept."""
    further = {letter.cause for letter in letters if letter.is_relayed and letter.cause} - finished.keys()
    if not further:
        return finished
    rows = look_up(connection, _CAUSES, [(each,) for each in sorted(further)])
    return {**finished, **{row.id: Finished(row.body_id, row.digest) for row in rows}}


@dataclass(slots=True)
class _Plan:
    """What becomes of the letters of a group, one change after the other; `bodies` are those to be kept."""

    causes: Mapping[str, Finished]
    lines: set[str]
    now: float
    bodies: dict[str, bytes] = field(default_factory=dict)

    def of(self, change: Change) -> list[_Planned]:
        """The letters of one change: equal bodies are kept once."""
        own: dict[bytes, str] = {}
        return [_Planned(each, self._body_id(each, own), self._is_ours(each)) for each in change.letters]

    def _body_id(self, letter: Letter, own: dict[bytes, str]) -> str:
        cause = self.causes.get(letter.cause)
        if letter.is_relayed and cause is not None and cause.body_id and cause.digest == letter.digest:
            return cause.body_id
        body_id = own.setdefault(letter.body, letter.id)
        self.bodies.setdefault(body_id, letter.body)
        return body_id

    def _is_ours(self, letter: Letter) -> bool:
        if letter.line in self.lines:
            return False
        if letter.line:
            self.lines.add(letter.line)
        return letter.not_before <= self.now

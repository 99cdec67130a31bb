"""Doubts a trail: reads its rows in order and names the first that is not as it was written.

Pure. Whoever can write the whole database can also compute every hash anew: that only a checkpoint shows, or another
witness from outside it. Above: the command line, `checkpoints`. Source: security rules "Audit log".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from uhi.audit.chain import Head, Link, hash_of
from uhi.errors import AuditBroken


@dataclass(frozen=True, slots=True)
class Witness:
    """Something that saw the trail end at `head`; `name` says what it is, such as `the checkpoint of …`."""

    head: Head
    name: str


@dataclass(slots=True)
class Doubt:
    """Looks at rows one after the other. `start` is the end of what needs no doubt any more; `witnesses` are compared
    as their rows come."""

    witnesses: Iterable[Witness] = ()
    start: Head = field(default_factory=Head)
    _head: Head = field(init=False)
    _agreed: int = field(init=False)
    _coming: Iterator[Witness] = field(init=False)
    _next: Witness | None = field(init=False)

    def __post_init__(self) -> None:
        self._head = self.start
        self._agreed = self.start.seq
        later = [each for each in self.witnesses if each.head.seq > self.start.seq]
        self._coming = iter(sorted(later, key=lambda each: each.head.seq))
        self._next = next(self._coming, None)

    @property
    def head(self) -> Head:
        """The end of what was looked at and found right."""
        return self._head

    def look(self, link: Link) -> None:
        """Look at the next row.

        Raises: AuditBroken naming the first row that is not as it was written.
        """
        self._check_place(link)
        self._check_hash(link)
        self._head = link.head
        self._ask_witnesses()

    def end(self, newest: int | None = None) -> Head:
        """Look at the end: nothing that a witness saw is missing, nothing is there that the database's own head, asked
        after the last row was read, does not count (`newest`). Returns the end of the trail.

        Raises: AuditBroken.
        """
        if self._next is not None:
            seen = self._next
            raise AuditBroken(
                f"row {self._head.seq + 1} and those after it are missing",
                seq=self._head.seq + 1,
                got=f"a trail that ends with row {self._head.seq}",
                expected=f"row {seen.head.seq}, which {seen.name} has seen",
                next_step="compare with a backup or an export",
            )
        if newest is not None and self._head.seq > newest:
            raise AuditBroken(
                f"row {newest + 1} was put in past the program",
                seq=newest + 1,
                got=f"a trail that ends with row {self._head.seq}",
                expected=f"row {newest}, where the database's own head is",
            )
        return self._head

    def _check_place(self, link: Link) -> None:
        due = self._head.seq + 1
        if link.seq < due:
            raise AuditBroken(f"row {link.seq} is there twice", seq=link.seq, expected=f"row {due}")
        if link.seq > due:
            raise AuditBroken(
                f"row {due} is missing", seq=due, got=f"row {link.seq} in its place", expected="rows without a gap"
            )

    def _check_hash(self, link: Link) -> None:
        follows = link.prev_hash == self._head.hash
        try:
            is_itself = hash_of(link) == link.hash
        except (TypeError, ValueError):
            is_itself = False
        if follows and is_itself:
            return
        if is_itself and self._head.seq > self.start.seq:
            # This row was hashed together with another one before it.
            raise _not_as_written(
                self._head.seq, "was changed, and its hash computed anew", f"row {link.seq} was chained to another row"
            )
        if follows:
            raise _not_as_written(link.seq, "was changed", "its hash does not fit what it says")
        got = "a row that follows another one" if is_itself else "a row that fits neither its place nor its hash"
        raise _not_as_written(link.seq, "is not the row that was written here", got)

    def _ask_witnesses(self) -> None:
        while self._next is not None and self._next.head.seq == self._head.seq:
            if self._next.head.hash != self._head.hash:
                raise self._rewritten(self._next)
            self._agreed = self._head.seq
            self._next = next(self._coming, None)

    def _rewritten(self, seen: Witness) -> AuditBroken:
        first, last = self._agreed + 1, self._head.seq
        rows = f"row {first}" if first == last else f"of rows {first} to {last} at least one"
        return AuditBroken(
            f"{rows} was rewritten, and every hash after it computed anew",
            seq=first,
            got=f"another row {last} than {seen.name} has seen",
            next_step="compare these rows with a backup or an export",
        )


def verify(rows: Iterable[Link], *, witnesses: Iterable[Witness] = (), start: Head | None = None) -> Head:
    """Look at a whole trail; returns its end. `start` as in `Doubt`.

    Raises: AuditBroken naming the first row that is not as it was written.
    """
    doubt = Doubt(witnesses, start or Head())
    for link in rows:
        doubt.look(link)
    return doubt.end()


def _not_as_written(seq: int, what: str, got: str) -> AuditBroken:
    return AuditBroken(f"row {seq} {what}", seq=seq, got=got, next_step="compare it with a backup or an export")

"""The clinic's tables as its own programs use them: SQL and nothing of UHI. A connection is used by one thread."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.sql")
_FREE = """
SELECT r.*, d.full_name, d.hpr_address, d.department, d.fee_rupees FROM rota r JOIN doctor d USING (doctor_no)
WHERE NOT EXISTS (SELECT 1 FROM visit v WHERE v.rota_no = r.rota_no
    AND (v.status = 'BOOKED' OR (v.status = 'RESERVED' AND v.reserved_until > :now)))
"""
_BOOK = """
UPDATE visit SET status = 'BOOKED'
WHERE visit_no = ? AND (status = 'BOOKED' OR (status = 'RESERVED' AND reserved_until > ?))
"""


def open_tables(place: Path | str) -> sqlite3.Connection:
    """The clinic's database; a new file gets the tables."""
    tables = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    tables.row_factory = sqlite3.Row
    if not tables.execute("SELECT 1 FROM sqlite_master WHERE name = 'doctor'").fetchone():
        tables.executescript(SCHEMA.read_text("utf-8"))
    return tables


def plan(tables: sqlite3.Connection, *, doctor_no: int, day: date, hours: range = range(10, 13)) -> None:
    """Put a morning of a doctor into the rota: two times an hour."""
    for hour in hours:
        for minute in (0, 30):
            row = (doctor_no, day.isoformat(), f"{hour:02}:{minute:02}", 30)
            tables.execute("INSERT INTO rota (doctor_no, day, from_time, minutes) VALUES (?, ?, ?, ?)", row)


def doctors(tables: sqlite3.Connection) -> list[sqlite3.Row]:
    """Everybody who sees patients."""
    return tables.execute("SELECT * FROM doctor ORDER BY doctor_no").fetchall()


def free_times(tables: sqlite3.Connection, *, hpr_address: str, now: datetime) -> list[sqlite3.Row]:
    """What of a doctor's rota nobody has."""
    given = {"now": _local(now), "hpr": hpr_address}
    return tables.execute(f"{_FREE} AND d.hpr_address = :hpr ORDER BY r.day, r.from_time", given).fetchall()


def time_of(tables: sqlite3.Connection, rota_no: int) -> sqlite3.Row | None:
    """One time of the rota with its doctor, free or not."""
    asked = "SELECT r.*, d.full_name, d.hpr_address, d.department, d.fee_rupees FROM rota r JOIN doctor d"
    found: sqlite3.Row | None = tables.execute(f"{asked} USING (doctor_no) WHERE rota_no = ?", (rota_no,)).fetchone()
    return found


def reserve(
    tables: sqlite3.Connection, rota_no: int, who: tuple[str, str, str], *, until: datetime, now: datetime
) -> int:
    """Keep a time for somebody (mobile number, name, ABHA address); the same person's reservation is made longer.

    Returns the number of the visit, 0 where somebody else has the time. One transaction; the index decides.
    """
    mine = "SELECT visit_no FROM visit WHERE rota_no = ? AND status = 'RESERVED' AND abha_address = ?"
    with _transaction(tables):
        over = "UPDATE visit SET status = 'RELEASED' WHERE rota_no = ? AND status = 'RESERVED' AND reserved_until <= ?"
        tables.execute(over, (rota_no, _local(now)))
        known = tables.execute(mine, (rota_no, who[2])).fetchone()
        if known:
            longer = "UPDATE visit SET reserved_until = max(reserved_until, ?) WHERE visit_no = ?"
            tables.execute(longer, (_local(until), known[0]))
            return int(known[0])
        new = "INSERT INTO visit (rota_no, status, reserved_until, mobile_no, patient_name, abha_address)"
        added = tables.execute(
            f"{new} VALUES (?, 'RESERVED', ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING visit_no",
            (rota_no, _local(until), *who),
        ).fetchone()
        return int(added[0]) if added else 0


def visit(tables: sqlite3.Connection, visit_no: int) -> sqlite3.Row | None:
    """What is known of a visit."""
    found: sqlite3.Row | None = tables.execute("SELECT * FROM visit WHERE visit_no = ?", (visit_no,)).fetchone()
    return found


def book(tables: sqlite3.Connection, visit_no: int, *, now: datetime) -> bool:
    """Turn a reservation into a booking, also a second time; False where there is none any more."""
    return tables.execute(_BOOK, (visit_no, _local(now))).rowcount == 1


def release(tables: sqlite3.Connection, visit_no: int) -> None:
    """Give a reservation back; a booking stays."""
    tables.execute("UPDATE visit SET status = 'RELEASED' WHERE visit_no = ? AND status = 'RESERVED'", (visit_no,))


def cancel(tables: sqlite3.Connection, visit_no: int, *, why: str) -> None:
    """Call a booking off."""
    asked = "UPDATE visit SET status = 'CANCELLED', why_cancelled = ? WHERE visit_no = ? AND status = 'BOOKED'"
    tables.execute(asked, (why, visit_no))


def starts_at(time: sqlite3.Row) -> datetime:
    """When a time of the rota begins, on the clinic's wall."""
    return datetime.fromisoformat(f"{time['day']}T{time['from_time']}")


def ends_at(time: sqlite3.Row) -> datetime:
    """When it ends."""
    return starts_at(time) + timedelta(minutes=time["minutes"])


def wall_time(text: str) -> datetime:
    """A time as the clinic writes it."""
    return datetime.fromisoformat(text)


def _local(moment: datetime) -> str:
    """As the clinic writes a time, to the second: text that sorts by time."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


@contextmanager
def _transaction(tables: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE to COMMIT, or ROLLBACK where something raises."""
    tables.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        tables.execute("ROLLBACK")
        raise
    tables.execute("COMMIT")

"""`uhi hospital check` and `uhi hospital rebuild`: the records of appointments, and the streams they are made from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import click
from sqlalchemy import Connection, func, select

from cli.loop import run
from cli.output import json_option, say, say_rows, show
from cli.people_admin import operator_acting, place_of, settings_at
from cli.stored import check_there, database_option
from participants.hospital.settings import HospitalSettings
from uhi.audit.trail import AuditTrail
from uhi.booking.rebuilding import Rebuilt
from uhi.booking.rebuilding import check as find_faults
from uhi.booking.rebuilding import rebuild as make_anew
from uhi.clock import SystemClock
from uhi.keeping import sealing_of
from uhi.storage.migrating import check_current
from uhi.storage.sql.booking_tables import orders
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage

FAULTY = 1

_REBUILD = "Orders and claims are made anew from their events: stop the hospital, then run uhi hospital rebuild"
_START = (
    "What waits is dealt with while the hospital runs: start it. What is named after a minute still: uhi outbox list"
)
_TELL = "Nobody told the patient's application: ring these patients up. uhi outbox list may show why"
_RESTORE = "Events that are gone cannot be made anew: restore a backup"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the ids of a rule name, what is wrong with them, and what to do about it."""

    of: str
    wrong: str
    remedy: str


_RULES = {
    "d": _Rule("claim", "keeps a slot, or a doctor's time, that another claim keeps too", _REBUILD),
    "e": _Rule("order", "is confirmed, and no letter says so", _TELL),
    "f": _Rule("letter", "waits for longer than it may", _START),
    "g": _Rule("message", "was taken, and nothing has followed from it", _START),
    "h": _Rule("order", "is not as far as its events, or one of both is not there", _REBUILD),
    "i": _Rule("order", "is booked, and has no claim of its slot", _REBUILD),
    "j": _Rule("claim", "keeps others from a slot, for no order", _REBUILD),
    "k": _Rule("order", "lacks some of its events", _RESTORE),
    "replay": _Rule("order", "", _REBUILD),
}
"""By the name of the rule in `uhi.storage.sql.invariants`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How many orders the hospital has, whose the others in the database are, and what is wrong."""

    orders: int
    others: tuple[str, ...]
    faults: tuple[str, ...]


@click.command(short_help="See whether everything kept of appointments fits together.")
@database_option
@json_option
def check(url: str, as_json: bool) -> int:
    """See whether orders and claims of slots are what their events say, and break none of the rules of a booking.

    Only reads, also while the hospital runs. What is wrong is named by the ids of orders, claims, letters and messages,
    with nothing of any patient; the exit code is 1 then.
    """
    settings = settings_at(HospitalSettings, url)
    checked = run(_check(settings))
    whose = {**place_of(settings), "hospital": settings.subscriber_id, "orders": str(checked.orders)}

    def human() -> None:
        say_rows(whose.items(), indent=0)
        for fault in checked.faults:
            say(_in_words(fault), style="red")
        if checked.others and not checked.orders:
            say(f"The orders here are those of {', '.join(checked.others)}: is UHI_SUBSCRIBER_ID right?", style="red")
        elif not checked.faults:
            say("Everything fits together.", style="bold green")
        if not checked.faults:
            return
        say(f"faults: {len(checked.faults)}. What to do:")
        for remedy in dict.fromkeys(_rule_of(fault).remedy for fault in checked.faults):
            say(f"  {remedy}.")

    faults = list(checked.faults)
    show({"ok": not faults, **whose, "orders": checked.orders, "faults": faults}, human, as_json=as_json)
    return FAULTY if faults else 0


@click.command(short_help="Make lists and claims anew from what happened.")
@database_option
@json_option
def rebuild(url: str, as_json: bool) -> int:
    """Make every order and every claim of a slot anew from the events of its stream, which are never changed.

    Stop the hospital first. Needed after a fault that `uhi hospital check` names, and harmless otherwise; it may be
    stopped and begun again. Audited. The exit code is 1 where two orders have one slot,
    about which somebody has to decide, and where events of an order are missing, which then stays as it is.
    """
    settings = settings_at(HospitalSettings, url)
    done = run(_rebuild(settings))
    told = {
        "orders": done.orders,
        "orders_put_right": done.rows_differed,
        "claims_put_right": done.claims_differed,
        "adopted": done.adopted,
    }
    whose = {**place_of(settings), "hospital": settings.subscriber_id}

    def human() -> None:
        but = f", but for {len(done.broken)} whose events are not all there" if done.broken else ""
        say(f"Orders and claims are as their events say{but}.", style="bold red" if but else "bold green")
        labels = (*list(told)[:3], "adopted from an earlier release")
        counts = [(label.replace("_", " "), str(count)) for label, count in zip(labels, told.values(), strict=True)]
        say_rows([*whose.items(), *counts])
        for order_id in done.conflicts:
            say(f"order {order_id} is booked for a slot that another order has", style="red")
        if done.conflicts:
            say("Two patients expect each of these slots. Start the hospital, then move or cancel one at the desk.")
        for order_id in done.broken:
            say(f"order {order_id} was left as it was: events of it are missing", style="red")
        if done.broken:
            say("What is missing is in a backup only: restore the database from one.")

    wrong = {"conflicts": list(done.conflicts), "broken": list(done.broken)}
    is_fine = not any(wrong.values())
    show({"ok": is_fine, **whose, **told, **wrong}, human, as_json=as_json)
    return 0 if is_fine else FAULTY


def _rule_of(fault: str) -> _Rule:
    return _RULES[fault.partition(" ")[0]]


def _in_words(fault: str) -> str:
    """A fault as people read it."""
    which, _, why = fault.partition(" ")[2].partition(": ")
    rule = _rule_of(fault)
    return f"{rule.of} {which}: {why or rule.wrong}"


async def _check(settings: HospitalSettings) -> Checked:
    async with _storage(settings) as (storage, database):
        faults = await find_faults(storage, settings.subscriber_id, SystemClock().now())
        counts = await database.read(_orders_by_provider)
    others = sorted(set(counts) - {settings.subscriber_id})
    return Checked(counts.get(settings.subscriber_id, 0), tuple(others), tuple(faults))


def _orders_by_provider(connection: Connection) -> dict[str, int]:
    query = select(orders.c.provider_id, func.count().label("kept")).group_by(orders.c.provider_id)
    return {row.provider_id: row.kept for row in connection.execute(query)}


async def _rebuild(settings: HospitalSettings) -> Rebuilt:
    async with _storage(settings, exclusive=True) as (storage, database):
        await database.start()
        done = await make_anew(storage, settings.subscriber_id)
        about = f"orders of {settings.subscriber_id}"
        await AuditTrail(database).write(operator_acting().entry("appointments.rebuild", about, at=SystemClock().now()))
        return done


@asynccontextmanager
async def _storage(
    settings: HospitalSettings, *, exclusive: bool = False
) -> AsyncIterator[tuple[SqlStorage, Database]]:
    """The hospital's storage; `exclusive`: while nobody serves it, as far as that can be told."""
    check_there(settings.storage_url)
    await check_current(settings.storage_url)
    database = Database.open(settings.storage_url, clock=SystemClock(), exclusive=exclusive)
    try:
        yield SqlStorage(database, sealing_of(settings), owner="uhi hospital"), database
    finally:
        await database.aclose()

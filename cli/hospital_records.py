"""`uhi hospital check` and `uhi hospital rebuild`: the records of appointments, and the streams they are made from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

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
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage

FAULTY = 1


@click.command(short_help="See whether everything kept of appointments fits together.")
@database_option
@json_option
def check(url: str, as_json: bool) -> int:
    """See whether orders and claims of slots are what their events say, and break none of the rules of a booking.

    Only reads, also while the hospital runs. What is wrong is named by the ids of orders, with nothing of any patient;
    the exit code is 1 then.
    """
    settings = settings_at(HospitalSettings, url)
    faults = run(_check(settings))

    def human() -> None:
        say_rows(place_of(settings).items(), indent=0)
        for fault in faults:
            say(fault, style="red")
        if faults:
            say(f"{len(faults)} faults. Stop the hospital, and make its lists anew: uhi hospital rebuild")
        else:
            say("Everything fits together.", style="bold green")

    show({"ok": not faults, **place_of(settings), "faults": faults}, human, as_json=as_json)
    return FAULTY if faults else 0


@click.command(short_help="Make lists and claims anew from what happened.")
@database_option
@json_option
def rebuild(url: str, as_json: bool) -> int:
    """Make every order and every claim of a slot anew from the events of its stream, which are never changed.

    Stop the hospital first. Needed after a fault that `uhi hospital check` names, and harmless otherwise; it may be
    stopped and begun again. Audited. The exit code is 1 where two orders have one slot: somebody has to decide.
    """
    settings = settings_at(HospitalSettings, url)
    done = run(_rebuild(settings))
    told = {
        "orders": done.orders,
        "orders_put_right": done.rows_differed,
        "claims_put_right": done.claims_differed,
        "adopted": done.adopted,
    }

    def human() -> None:
        say("The lists are as the events say.", style="bold green")
        say_rows([*place_of(settings).items(), *((name.replace("_", " "), str(count)) for name, count in told.items())])
        for order_id in done.conflicts:
            say(f"order {order_id} has a slot that another order has: call one of them off", style="red")

    value = {"ok": not done.conflicts, **place_of(settings), **told, "conflicts": list(done.conflicts)}
    show(value, human, as_json=as_json)
    return FAULTY if done.conflicts else 0


async def _check(settings: HospitalSettings) -> list[str]:
    async with _storage(settings) as (storage, _):
        return await find_faults(storage, settings.subscriber_id, SystemClock().now())


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

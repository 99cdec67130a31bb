"""Changes at the same time, by several of one program's processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from participants.hospital.organisations import people
from participants.hospital.organisations.shelf import LOCATIONS, PRACTITIONERS
from participants.hospital.organisations.writing import Seen, writes
from tests.participants.hospital.organisations.scene import MACHINE
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, STATE_REFUSED
from uhi.storage.sql.database import Database


async def both(url, clock, *works):
    """Do something in two processes at once; returns what each came to."""
    databases = [Database.open(url, clock=clock) for _ in works]
    done = await asyncio.gather(
        *(
            database.apart(writes(work, now=clock.now(), acting=MACHINE))
            for database, work in zip(databases, works, strict=True)
        ),
        return_exceptions=True,
    )
    for database in databases:
        await database.aclose()
    return [each.fault if isinstance(each, Refusal) else "done" for each in done]


async def test_of_two_who_looked_at_the_same_one_changes_it(clinic, database_url, clock):
    """Issue 5: optimistic locking, across processes."""

    def rename(name):
        def work(writing):
            before = writing.seen(LOCATIONS, Seen(clinic.location_id, 1))
            return writing.change(LOCATIONS, before, replace(before, name=name))

        return work

    done = await both(database_url, clock, rename("one"), rename("other"))

    assert sorted(done, key=str) == sorted(["done", STATE_REFUSED], key=str)


async def test_of_two_records_for_one_practitioner_one_is_made(clinic, database, database_url, clock):
    """Issue 5: one person by HPR address, whoever is first."""

    def add(writing):
        return people.add_practitioner(writing, clinic.id, {"hpr_address": "a@hpr.ndhm", "name": "Dr. A"})

    done = await both(database_url, clock, add, add)

    assert sorted(done, key=str) == sorted(["done", ALREADY_TAKEN], key=str)
    assert len(await database.read(PRACTITIONERS.all)) == 1

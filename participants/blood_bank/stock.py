"""The lists of blood banks and of their stock, and what a search finds in them.

The stock is a port, asked at every search: NHA wants it real-time or nearly so. Above: `app`; below: `uhi.listing`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from uhi.booking.speaker import moment
from uhi.listing import Entry, Source, Subject, Table
from uhi.listing.areas import Reached
from uhi.listing.blood import COMPONENTS, GROUPS, SUBJECT, BloodBank, Units, of_bank, read_query, write_bank
from uhi.listing.entries import CONTACT_COLUMNS, FACILITY_COLUMNS
from uhi.messages import Catalog, Intent
from uhi.messages.values import Descriptor
from uhi.ports import Clock


def _bank(entry: Entry) -> BloodBank:
    return BloodBank(
        facility=entry.facility(),
        reached=Reached(entry.phone("phone"), entry.text("email")),
        fax=entry.phone("fax"),
    )


def _units(entry: Entry) -> Units:
    count = entry.whole("count")
    return Units(
        bank_id=entry.ref("bank_id"),
        group=entry.chosen("group_code", GROUPS),
        component=entry.chosen("component_code", COMPONENTS),
        count=count,
        is_available=entry.yes("available", default=count > 0),
    )


BANKS = Table("blood_bank", ("id", "name"), (*FACILITY_COLUMNS, *CONTACT_COLUMNS, "fax"), _bank)
STOCK = Table(
    "blood_stock",
    ("bank_id", "group_code", "component_code", "count"),
    ("available",),
    _units,
    once=("bank_id", "group_code", "component_code"),
    refers=(("bank_id", BANKS.name),),
)


class Stock(Protocol):
    """How many units there are at this moment."""

    async def units(self, bank_ids: Collection[str]) -> Sequence[Units]:
        """Return the units of these banks, those of which there are none included."""


class StockSource:
    """Stock from a list: the file's, or the rows of the table as they are when asked."""

    def __init__(self, source: Source[Units]) -> None:
        self._source = source

    async def units(self, bank_ids: Collection[str]) -> Sequence[Units]:
        """Return the units of these banks."""
        wanted = frozenset(bank_ids)
        return [units for units in await self._source.read() if units.bank_id in wanted]


class BloodStock:
    """`uhi.listing.Listing`: the banks of an area that keep a group and component, with what they have."""

    def __init__(self, heading: Descriptor, *, banks: Source[BloodBank], stock: Stock, clock: Clock) -> None:
        self._heading = heading
        self._banks = banks
        self._stock = stock
        self._clock = clock

    @property
    def subject(self) -> Subject:
        """Which searches concern it."""
        return SUBJECT

    async def find(self, intent: Intent) -> Catalog | None:
        """Return the banks that keep what is asked for, none if there is none."""
        query = read_query(intent)
        if query is None:
            return None
        is_there = query.area.matcher
        banks = [bank for bank in await self._banks.read() if is_there(bank.facility)]
        counted = await self._stock.units([bank.facility.id for bank in banks]) if banks else ()
        stock, now = of_bank(units for units in counted if query.wants(units)), moment(self._clock)
        return Catalog(
            descriptor=self._heading,
            providers=[
                write_bank(bank, stock[bank.facility.id], now=now) for bank in banks if bank.facility.id in stock
            ],
        )

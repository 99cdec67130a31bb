"""The lists of Kendras, medicines and stock, and the three kinds of search in them.

Above: `app`; below: `uhi.listing`. Source: NHA's Jan Aushadhi requirements, flows A, B and C.
"""

from __future__ import annotations

from uhi.booking.matching import words_fit
from uhi.listing import Entry, Source, Subject, Table
from uhi.listing.areas import Reached
from uhi.listing.entries import CONTACT_COLUMNS, FACILITY_COLUMNS
from uhi.listing.medicines import (
    KENDRA,
    MEDICINE,
    SUBJECT,
    Kendra,
    KendraQuery,
    Medicine,
    Shelf,
    read_query,
    write_kendra,
    write_medicine,
    write_shelf,
)
from uhi.listing.subjects import code_of, said_by
from uhi.messages import Catalog, Intent
from uhi.messages.values import Descriptor, Provider, Time

LONGEST_NAME = 200


def _kendra(entry: Entry) -> Kendra:
    enrolled = entry.text("enrolled_on")
    at = Time(timestamp=f"{enrolled[:10]}T00:00:00").at
    if enrolled and at is None:
        entry.fail("enrolled_on", "this is no day", "2023-06-30")
    return Kendra(
        facility=entry.facility(),
        reached=Reached(entry.phone("phone"), entry.text("email")),
        kind=entry.text("kind"),
        serial=entry.text("serial"),
        person=entry.text("person"),
        enrolled=at,
    )


def _medicine(entry: Entry) -> Medicine:
    return Medicine(
        id=entry.ref("id"),
        name=entry.text("name"),
        code=entry.text("code"),
        price=entry.rupees("price"),
        unit=entry.text("unit"),
    )


def _shelf(entry: Entry) -> Shelf:
    return Shelf(entry.ref("kendra_id"), entry.ref("medicine_id"), entry.yes("in_stock"))


_KENDRA_MAY = (*FACILITY_COLUMNS, *CONTACT_COLUMNS, "kind", "serial", "person", "enrolled_on")
KENDRAS = Table("kendra", ("id", "name"), _KENDRA_MAY, _kendra)
MEDICINES = Table("medicine", ("id", "name"), ("code", "price", "unit"), _medicine)
SHELVES = Table("kendra_stock", ("kendra_id", "medicine_id", "in_stock"), (), _shelf, once=("kendra_id", "medicine_id"))
LISTS = (KENDRAS.name, MEDICINES.name, SHELVES.name)


class Kendras:
    """`uhi.listing.Listing`: Kendras, medicines, and who has what."""

    def __init__(
        self, heading: Descriptor, *, kendras: Source[Kendra], medicines: Source[Medicine], shelves: Source[Shelf]
    ) -> None:
        self._heading = heading
        self._kendras = kendras
        self._medicines = medicines
        self._shelves = shelves

    @property
    def subject(self) -> Subject:
        """Which searches concern it."""
        return SUBJECT

    async def find(self, intent: Intent) -> Catalog | None:
        """Return what the kind of search asks for, nothing if there is none; silence for an item of another kind."""
        item = intent.item.descriptor if intent.item else None
        kind = intent.fulfillment.type if intent.fulfillment else None
        if kind == MEDICINE:
            found = await self._named(item)
        elif kind == KENDRA and code_of(item) not in {"", KENDRA}:
            return None
        else:
            query = read_query(intent)
            if query is None:
                return None
            found = [write_kendra(kendra, query.area) for kendra in await self._fitting(query)]
            if kind != KENDRA:
                found = await self._with_stock(found, code_of(item))
        return Catalog(descriptor=self._heading, providers=[*found])

    async def _fitting(self, query: KendraQuery) -> list[Kendra]:
        is_there, code = query.area.matcher, query.code.casefold()
        return [
            kendra
            for kendra in await self._kendras.read()
            if is_there(kendra.facility) and code in {"", kendra.facility.id.casefold()}
        ]

    async def _named(self, item: Descriptor | None) -> list[Provider]:
        """How the network's own software compares names is not published: a part of each word, and the code without
        blanks, both find."""
        name = (item.name if item else None) or said_by(item)
        joined = "".join(name.split()).casefold()
        if not joined or len(joined) > LONGEST_NAME:
            return []
        return [
            write_medicine(medicine)
            for medicine in await self._medicines.read()
            if words_fit(name, medicine.name) or joined in "".join(medicine.name.split()).casefold()
        ]

    async def _with_stock(self, kendras: list[Provider], medicine_id: str) -> list[Provider]:
        medicine = next((one for one in await self._medicines.read() if one.id == medicine_id), None)
        if medicine is None:
            return []
        known = {shelf.kendra_id: shelf for shelf in await self._shelves.read() if shelf.medicine_id == medicine_id}
        return [
            write_shelf(kendra, medicine, is_in_stock=known[kendra.id].is_in_stock)
            for kendra in kendras
            if kendra.id in known
        ]

"""The tree of systems of medicine and specialities: what ships, and what organisations add to it.

Two levels: a speciality's parent is a system, and a system has none. Above: practices, `bookable`; below:
`default_tree`. Source: NHA Physical Consultation v2.0, categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from participants.hospital.organisations.default_tree import SPECIALITIES, SYSTEMS
from participants.hospital.organisations.records import SpecialityRecord
from uhi.booking.hospital import Speciality

_SYSTEMS = tuple(SpecialityRecord(id=code, code=code, name=name) for code, name in SYSTEMS.items())
_SPECIALITIES = tuple(
    SpecialityRecord(id=f"{system}.{code}", parent_id=system, code=code, name=name)
    for system, named in SPECIALITIES.items()
    for code, name in named.items()
)
DEFAULT_TREE: Mapping[str, SpecialityRecord] = {each.id: each for each in (*_SYSTEMS, *_SPECIALITIES)}
"""What ships, by id: `CARDIOLOGY` of allopathy is `ALLOPATHY.CARDIOLOGY`, the system itself `ALLOPATHY`."""


def tree_with(own: Iterable[SpecialityRecord]) -> dict[str, SpecialityRecord]:
    """The tree as somebody sees it who added these: by id."""
    return {**DEFAULT_TREE, **{each.id: each for each in own}}


def as_booked(speciality_id: str, tree: Mapping[str, SpecialityRecord]) -> Speciality | None:
    """A speciality as patients are shown it; None where it is not in the tree, or is a system."""
    found = tree.get(speciality_id)
    parent = tree.get(found.parent_id) if found is not None else None
    if found is None or parent is None:
        return None
    return Speciality(found.code, found.name, parent.code, parent.name)


def find_by_code(tree: Mapping[str, SpecialityRecord], system: str, code: str) -> SpecialityRecord | None:
    """The active speciality with a code within the system with a code."""
    for each in tree.values():
        parent = tree.get(each.parent_id)
        if parent is not None and each.is_active and (parent.code, each.code) == (system, code):
            return each
    return None

"""What lists can be asked for: a part of them, what is looked for, and what has to be so.

Above: the groups of routes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from participants.hospital.organisations.shelf import Leaf
from uhi.api.fields import IdText
from uhi.api.routes import Body

YesOrNo = Literal["", "yes", "no"]


class ListQuery(Body):
    """At most `most` records after the one with the id `after`, of one organisation or of all that are one's own; `q`
    is looked for in what names them.
    """

    after: IdText = ""
    most: int = Field(default=50, ge=1, le=100)
    q: str = Field(default="", max_length=100)
    organisation_id: IdText = ""
    active: YesOrNo = ""

    @property
    def leaf(self) -> Leaf:
        """The part of the list."""
        return Leaf(after=self.after, most=self.most, q=self.q.strip())


class OrganisationQuery(ListQuery):
    """Of a kind, in a state."""

    kind: Literal["", "hospital", "clinic"] = ""
    state: Literal["", "DRAFT", "SUBMITTED", "RETURNED", "VERIFIED", "SUSPENDED"] = ""


class LocationQuery(ListQuery):
    """In a city, district or state, by the code of the network's lists; with a pincode."""

    city: str = Field(default="", max_length=20)
    district: str = Field(default="", max_length=20)
    state: str = Field(default="", max_length=20)
    pincode: str = Field(default="", max_length=6)


class PractitionerQuery(ListQuery):
    """Who practises at a location, in a speciality, in a department."""

    location_id: IdText = ""
    speciality_id: IdText = ""
    department_id: IdText = ""


class PracticeQuery(ListQuery):
    """Of a practitioner, at a location, in a speciality, in a department. `q` is looked for in their ids."""

    practitioner_id: IdText = ""
    location_id: IdText = ""
    speciality_id: IdText = ""
    department_id: IdText = ""


class ConsultationQuery(ListQuery):
    """Of a practice, of a kind, of a practitioner."""

    practice_id: IdText = ""
    practitioner_id: IdText = ""
    kind: Literal["", "Physical", "Online"] = ""


class SpecialityQuery(ListQuery):
    """Of a system of medicine, by its id."""

    system: IdText = ""


class ExportQuery(Body):
    """Of which organisation; may be left out by whoever works for one only."""

    organisation_id: IdText = ""

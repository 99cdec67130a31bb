"""What the desk is asked: which appointments, and what is to be done with one.

Above: the `…_pages` modules.
"""

from __future__ import annotations

from datetime import date

from pydantic import Field

from uhi.api.fields import IdText
from uhi.api.routes import Body
from uhi.booking.reasons import DoctorReason, OverrideReason
from uhi.booking.states import OrderState
from uhi.booking.telemedicine import Attendance, Mode

MOST = 100


class OwnQuery(Body):
    """Which appointments of one's own: those of the days from `since` to `until` in India (both the present day where
    they are left out; `until` is at least `since`), booked ones or those in one state, after the page that told
    `after`."""

    since: date | None = None
    until: date | None = None
    state: OrderState | None = None
    after: str = Field(default="", max_length=500)
    most: int = Field(default=50, ge=1, le=MOST)


class DeskQuery(OwnQuery):
    """The same for the whole organisation: of one practitioner or location, by the ids of their records. `q` is the
    exact id of an order: then nothing else counts."""

    practitioner_id: IdText = ""
    location_id: IdText = ""
    q: IdText = ""


class PinBody(Body):
    """What the patient shows."""

    pin: str = Field(pattern="^[0-9]{4}$", repr=False)


class OverrideBody(Body):
    """Why the consultation starts without the PIN; `OVERRIDE_OTHER` takes a text."""

    reason: OverrideReason
    text: str = Field(default="", max_length=500, repr=False)


class ConsentBody(Body):
    """How the consultation is to be held, and how the patient agreed, in the words of who asked."""

    mode: Mode = Mode.VIDEO
    text: str = Field(default="", max_length=500, repr=False)


class PresenceBody(Body):
    """Who did what: `patient`, or a doctor by HPR address."""

    who: IdText = Field(min_length=1, repr=False)
    what: Attendance
    mode: Mode = Mode.VIDEO


class CompletionBody(Body):
    """The id of the records of the consultation, where it is known; it may be told later."""

    care_context_id: IdText = ""


class CancellationBody(Body):
    """Why the facility calls an appointment off; `DOCTOR_OTHER` takes a text."""

    reason: DoctorReason
    text: str = Field(default="", max_length=500, repr=False)


class MoveBody(CancellationBody):
    """The same, and the slot that the patient is offered instead."""

    slot_id: IdText = Field(min_length=1)

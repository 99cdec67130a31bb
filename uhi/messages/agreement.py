"""What is agreed for an order: the five terms, and the PIN a patient shows at the facility.

Source: NHA Physical Consultation v2.0, terms and PIN authorization.
"""

from __future__ import annotations

from datetime import datetime

from uhi.messages.descriptor import Descriptor
from uhi.messages.times import Time
from uhi.messages.wire import Flag, NumberText, Text, Wire, truth

PIN_DIGITS = 4
_PIN_STATUS = {
    "HSPA_OVERRIDE": "HSPAOVERRIDE",
    "VERIFIED/HSPAOVERRIDE": "VERIFIED",
    "NOT_VERIFIED": "GENERATED",
}


class Term(Wire):
    """A condition of the facility, shown to the patient and agreed before an order is confirmed."""

    type: Text | None = None
    descriptor: Descriptor | None = None
    reasonRequired: Flag | None = None
    timePeriod: Text | None = None
    reason: Text | None = None
    termsState: Text | None = None

    @property
    def needs_reason(self) -> bool:
        """Whether agreeing to it asks for a reason in the patient's words."""
        return truth(self.reasonRequired) is True

    @property
    def is_agreed(self) -> bool:
        """Whether the patient has agreed."""
        return self.termsState == "AGREED"


class Authorization(Wire):
    """The PIN of an appointment and how far it has got."""

    type: Text | None = None
    token: Text | None = None
    valid_from: Text | None = None
    valid_to: Text | None = None
    status: Text | None = None

    @property
    def pin(self) -> str | None:
        """The PIN as text; where it came as a number the leading zeros a number cannot hold are put back."""
        token = self.token
        return token.zfill(PIN_DIGITS) if isinstance(token, NumberText) else token or None

    @property
    def state(self) -> str | None:
        """`GENERATED`, `VERIFIED` or `HSPAOVERRIDE` for every published spelling; unknown values as they came."""
        return _PIN_STATUS.get(self.status, self.status) if self.status else None

    @property
    def starts_at(self) -> datetime | None:
        """From when the PIN may be used; None when absent or unreadable."""
        return Time(timestamp=self.valid_from).at

    @property
    def ends_at(self) -> datetime | None:
        """Until when the PIN may be used; None when absent or unreadable."""
        return Time(timestamp=self.valid_to).at

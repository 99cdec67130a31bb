"""The PIN of an appointment: made at confirmation, shown by the patient, checked once at the facility.

Pure but for the system's random numbers. A PIN lives in memory, never in a log or a repr.
Source: NHA Physical Consultation v2.0, PIN authorization.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import StrEnum

from uhi.booking.reasons import OverrideReason, chosen
from uhi.errors import PinInvalid, StateConflict
from uhi.messages.values import IST, Authorization, wire_time

ATTEMPTS = 3
_DAY_STARTS = time(0, 0, 0, tzinfo=IST)
_DAY_ENDS = time(23, 59, 0, tzinfo=IST)


class PinStatus(StrEnum):
    """How far a PIN has got."""

    GENERATED = "GENERATED"
    VERIFIED = "VERIFIED"
    HSPAOVERRIDE = "HSPAOVERRIDE"


@dataclass(frozen=True, slots=True)
class Override:
    """Why the staff set the PIN aside."""

    reason: OverrideReason
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Pin:
    """Four digits for one appointment, valid on its day. `misses` counts wrong tries.

    `token` is empty once nobody has to show it any more.
    """

    token: str = field(repr=False)
    valid_from: datetime
    valid_to: datetime
    status: PinStatus = PinStatus.GENERATED
    misses: int = 0
    override: Override | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the consultation may start: the PIN was shown, or the staff set it aside."""
        return self.status is not PinStatus.GENERATED


def new_pin(start: datetime) -> Pin:
    """Return a PIN for an appointment, valid on its day in India from 00:00:00 to 23:59:00."""
    day = start.astimezone(IST).date()
    return Pin(
        token=f"{secrets.randbelow(10_000):04d}",
        valid_from=datetime.combine(day, _DAY_STARTS),
        valid_to=datetime.combine(day, _DAY_ENDS),
    )


def verify(pin: Pin, entered: str, *, now: datetime) -> Pin:
    """Return the PIN as verified, compared in constant time; the right one may be shown again.

    Raises: PinInvalid when it does not match, was tried three times, is not kept any more, or today is not its day; the
    caller keeps `missed(pin)` where `attempts_left` is lower than before.
    """
    left = ATTEMPTS - pin.misses
    is_right = bool(pin.token) and hmac.compare_digest(pin.token.encode(), entered.strip().encode(errors="replace"))
    if pin.status is PinStatus.VERIFIED:
        if not is_right:
            raise PinInvalid("the PIN does not match", next_step="ask the patient again", attempts_left=left)
        return pin
    if not pin.valid_from <= now <= pin.valid_to:
        day = f"{pin.valid_from:%d %B %Y, %H:%M} to {pin.valid_to:%H:%M}"
        raise PinInvalid(
            "the PIN is not valid at this time", expected=day, next_step="override with a reason", attempts_left=left
        )
    if left <= 0:
        raise PinInvalid("the PIN was tried too often", next_step="override with a reason")
    if not is_right:
        then = "ask the patient again" if left > 1 else "override with a reason"
        raise PinInvalid("the PIN does not match", next_step=then, attempts_left=left - 1)
    return replace(pin, status=PinStatus.VERIFIED)


def missed(pin: Pin) -> Pin:
    """Return the PIN after one wrong try."""
    return replace(pin, misses=min(pin.misses + 1, ATTEMPTS))


def set_aside(pin: Pin, code: str, *, text: str = "") -> Pin:
    """Return the PIN as overridden by the staff.

    Raises: IncompleteMessage for a reason that is not in the list or lacks its text; StateConflict when
    `OVERRIDE_MISMATCH` is given before three wrong tries.
    """
    reason = chosen(OverrideReason, code, text=text)
    if pin.status is PinStatus.VERIFIED:
        return pin
    if reason is OverrideReason.OVERRIDE_MISMATCH and pin.misses < ATTEMPTS:
        raise StateConflict(
            "OVERRIDE_MISMATCH stands for a PIN that did not match three times",
            got=f"{pin.misses} wrong tries",
            next_step="let the patient try again, or give another reason",
        )
    return replace(pin, status=PinStatus.HSPAOVERRIDE, override=Override(reason, text))


def write_pin(pin: Pin) -> Authorization:
    """Return the PIN as it travels; one that nobody has to show any more goes without its digits."""
    written = Authorization(
        type="PIN", valid_from=wire_time(pin.valid_from), valid_to=wire_time(pin.valid_to), status=pin.status.value
    )
    return written.model_copy(update={"token": pin.token}) if pin.token else written

"""Times on the wire: a message time has no zone and means Indian time, `context.timestamp` is UTC.

Source: NHA Physical Consultation v2.0. Indian time is a fixed offset (no daylight saving since 1945), so no time zone
database is needed. What came stays text; readers ask `at`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from uhi.messages.wire import Text, Wire

IST = timezone(timedelta(hours=5, minutes=30), "IST")
LONGEST_TTL = 86_400.0

# Digits are spelled out because \d takes digits of every script.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DURATION = re.compile(
    r"P(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6}(?:[.,][0-9]{1,9})?)S)?)?"
)


def parse_time(text: str, *, zone: timezone = IST) -> datetime:
    """Read a date and time, `T` or a blank between them, with or without seconds, fraction and zone.

    Returns an aware datetime; without a zone the text means `zone`, Indian time unless told. Years 2 to 9998, so that
    the result can be converted to every zone.

    Raises:
        ValueError: the text is no such time. The text is not quoted.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("not a date and time of the form YYYY-MM-DDThh:mm:ss")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("no such date and time in the calendar") from None
    if not 1 < moment.year < 9999:
        raise ValueError("year out of range")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def parse_date(text: str) -> date:
    """Read a calendar day such as `1990-01-15` or the unpadded `1990-1-5`.

    Raises:
        ValueError: the text is no such day. The text is not quoted.
    """
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError("not a date of the form YYYY-MM-DD")
    year, month, day = (int(part) for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("no such date in the calendar") from None


def wire_time(moment: datetime) -> str:
    """Write a message time: Indian time, whole seconds, no zone.

    Raises:
        ValueError: the datetime has no zone.
    """
    return _aware(moment).astimezone(IST).replace(tzinfo=None).isoformat(timespec="seconds")


def utc_time(moment: datetime) -> str:
    """Write `context.timestamp`: RFC 3339, UTC, milliseconds, `Z`.

    Raises:
        ValueError: the datetime has no zone.
    """
    return _aware(moment).astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def ttl_seconds(text: str | None) -> float | None:
    """Read a time to live, an ISO 8601 duration of days, hours, minutes and seconds.

    Returns seconds, more than 0 and at most a day. Anything else (absent, unreadable, zero, years, more than a day)
    gives None: an optional hint nobody can use is no reason to lose a message, and receivers have a lifetime of their
    own for it.
    """
    found = _DURATION.fullmatch(text or "")
    if not found or text is None or text[-1] in "PT":
        return None
    days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return total if 0 < total <= LONGEST_TTL else None


class Time(Wire):
    """A point in time, kept as the text that came. Without a zone it means Indian time."""

    timestamp: Text | None = None

    @property
    def at(self) -> datetime | None:
        """The moment, aware; None when the text is absent or no date and time (a year, for instance)."""
        try:
            return parse_time(self.timestamp or "")
        except ValueError:
            return None


class When(Wire):
    """Start or end of a fulfilment."""

    time: Time | None = None

    @property
    def at(self) -> datetime | None:
        """The moment, aware; None when it is absent or unreadable."""
        return self.time.at if self.time else None


def when(moment: datetime) -> When:
    """Write a start or an end in Indian time without a zone.

    Raises:
        ValueError: the datetime has no zone.
    """
    return When(time=Time(timestamp=wire_time(moment)))


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without zone cannot be written; attach its zone first")
    return moment

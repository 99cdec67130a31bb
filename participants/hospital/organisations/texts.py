"""The kinds of text that forms hold: each is read into its one spelling, or refused in our words.

Below: the library's wire values. Above: `forms`, the reader of imports. Source: NHA Physical Consultation v2.0 (HPR
addresses, HFR ids, positions).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

from uhi.messages.values import Location

_JOINERS = str.maketrans("", "", "\u200c\u200d")


def _plain(text: str) -> str:
    read = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    # The joiners of Indian scripts are letters here.
    if not read.translate(_JOINERS).isprintable():
        raise ValueError("is to be one line without control characters")
    return read


def _paragraphs(text: str) -> str:
    read = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    if not read.replace("\n", "").translate(_JOINERS).isprintable():
        raise ValueError("is to be text without control characters")
    return read


def _of_form(pattern: str, expected: str) -> Callable[[str], str]:
    form = re.compile(pattern)

    def read(text: str) -> str:
        if text and not form.fullmatch(text):
            raise ValueError(f"is to be {expected}")
        return text

    return read


def _lower(text: str) -> str:
    return text.strip().lower()


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("is required")
    return text


def _position(text: str) -> str:
    if text and Location(gps=text).point is None:
        raise ValueError("is to be a position: latitude,longitude such as 18.520430,73.856744")
    return text.replace(" ", "")


_HPR = _of_form(r"[a-z0-9][a-z0-9._-]{0,62}@hpr\.(ndhm|abdm)", "an HPR address such as asha.verma@hpr.ndhm")
_CODE = _of_form(r"[A-Z][A-Z0-9_]{0,63}", "capitals, digits and _, such as CARDIOLOGY")
_PLACE_CODE = _of_form(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "letters, digits, - . and _, such as main-building")

Line = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_plain), AfterValidator(_not_empty)]
Paragraphs = Annotated[str, Field(max_length=2_000), AfterValidator(_paragraphs)]
Code = Annotated[str, Field(max_length=64, examples=["CARDIOLOGY"]), AfterValidator(_CODE), AfterValidator(_not_empty)]
PlaceCode = Annotated[
    str, Field(max_length=64, examples=["main-building"]), AfterValidator(_PLACE_CODE), AfterValidator(_not_empty)
]
HprAddress = Annotated[
    str,
    Field(max_length=80, examples=["asha.verma@hpr.ndhm"]),
    AfterValidator(_lower),
    AfterValidator(_HPR),
    AfterValidator(_not_empty),
]
HprNumber = Annotated[
    str,
    Field(examples=["71-0000-0000-0101"]),
    AfterValidator(_of_form(r"[0-9]{2}(-?[0-9]{4}){3}", "14 digits, such as 71-0000-0000-0101")),
]
HfrId = Annotated[
    str,
    Field(examples=["IN2710000101"]),
    AfterValidator(_of_form(r"IN[0-9]{10}", "IN and ten digits, such as IN2710000101")),
]
HipId = Annotated[
    str,
    Field(max_length=64, examples=["IN2710000101"]),
    AfterValidator(_of_form(r"[A-Za-z0-9._-]+", "letters, digits, - . and _")),
]
Phone = Annotated[
    str,
    Field(examples=["1800 000 0101"]),
    AfterValidator(_of_form(r"\+?[0-9][0-9 -]{2,18}[0-9]", "a telephone number of 4 to 20 digits")),
]
Email = Annotated[
    str,
    Field(max_length=254, examples=["desk@clinic.example"]),
    AfterValidator(_of_form(r"[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "an e-mail address")),
]
Pincode = Annotated[
    str, Field(examples=["411005"]), AfterValidator(_of_form(r"[1-9][0-9]{5}", "six digits, such as 411005"))
]
Position = Annotated[str, Field(max_length=80, examples=["18.520430,73.856744"]), AfterValidator(_position)]
Gender = Annotated[str, Field(examples=["F"]), AfterValidator(_of_form("[MFOTU]", "M, F, O, T or U"))]
Years = Annotated[str, Field(examples=["8.5"]), AfterValidator(_of_form(r"[0-9]{1,2}(\.[0-9])?", "years, such as 8.5"))]
Registration = Annotated[
    str,
    Field(max_length=60, examples=["MMC/2011/04711"]),
    AfterValidator(_plain),
    AfterValidator(_of_form(r"[A-Za-z0-9][A-Za-z0-9 /.-]*", "letters, digits, / . and -")),
]
Amount = Annotated[
    str,
    Field(examples=["499.50"]),
    AfterValidator(_of_form(r"[0-9]{1,7}(\.[0-9]{1,2})?", "rupees, such as 500 or 499.50")),
]
Rupees = Annotated[Amount, AfterValidator(_not_empty)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""The version that was read; a record that has another one by now is not touched."""

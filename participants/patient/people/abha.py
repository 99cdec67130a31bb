"""ABHA numbers and addresses: how they are spelled, checked and shown.

Pure. A number has fourteen digits, the last of them a Verhoeff check digit; an address is a name and a realm.
Source: FHIR reference "identifiers" (HIN, ABHA). That the check digit is Verhoeff's is not in a public document, so an
application may leave it out.
"""

from __future__ import annotations

import re

_SPELLED = re.compile(r"[0-9]{2}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}")
_ADDRESS = re.compile(r"[a-z0-9](?:[a-z0-9._]{1,62}[a-z0-9])?@[a-z]{2,16}")
_DIHEDRAL = 5
_FIRST_SHUFFLE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def read_abha_number(text: str, *, has_check_digit: bool = True) -> str:
    """Return a number as it is written: `91-1234-5678-9012`.

    Raises: ValueError, without the number in its text.
    """
    if not _SPELLED.fullmatch(text.strip()):
        raise ValueError("is to have fourteen digits, as in 91-1234-5678-9012")
    digits = re.sub(r"[ -]", "", text.strip())
    if has_check_digit and check_digit(digits[:-1]) != digits[-1]:
        raise ValueError("has a digit that is mistyped: its check digit does not fit")
    return f"{digits[:2]}-{digits[2:6]}-{digits[6:10]}-{digits[10:]}"


def read_abha_address(text: str) -> str:
    """Return an address in lower case: `asha.verma@abdm`.

    Raises: ValueError, without the address in its text.
    """
    address = text.strip().lower()
    if not _ADDRESS.fullmatch(address) or ".." in address:
        raise ValueError("is to be an ABHA address, as in asha.verma@abdm")
    return address


def masked(text: str) -> str:
    """Return an identifier with all but its last four characters hidden; an empty one stays empty."""
    return f"{'*' * max(len(text) - 4, 4)}{text[-4:]}" if len(text) > 4 else "*" * len(text)


def check_digit(digits: str) -> str:
    """Return Verhoeff's check digit for a number without one."""
    check = 0
    for place, digit in enumerate(reversed(digits), start=1):
        check = _times(check, _shuffled(int(digit), place))
    return str(next(each for each in range(10) if _times(check, each) == 0))


def _times(one: int, other: int) -> int:
    """The product in the group of the ten symmetries of a pentagon: five turns, then five flips."""
    turn, flip = one % _DIHEDRAL, one // _DIHEDRAL
    turn_then, flip_then = other % _DIHEDRAL, other // _DIHEDRAL
    turned = (turn - turn_then if flip else turn + turn_then) % _DIHEDRAL
    return turned + _DIHEDRAL * (flip ^ flip_then)


def _shuffled(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = _FIRST_SHUFFLE[digit]
    return digit

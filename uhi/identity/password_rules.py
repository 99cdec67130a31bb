"""Which passwords are too easily guessed: short ones, one's own name, plain patterns, common ones, and known breaches.

Pure but for the file of breached ones. Above: `passwords`. Source: security rules "IAM" (passwords).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection
from hashlib import sha1
from pathlib import Path

from uhi.errors import Refusal
from uhi.faults import REQUEST_INVALID

SHORTEST = 12
SHORTEST_ALONE = 15
"""Where it is the only factor."""
LONGEST = 128

_ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiop", "azertyuiop")
_LONGEST_REPEATED = 4
_SHORTEST_OWN_WORD = 4
_PLAIN_LETTERS = str.maketrans("0134578@$!", "oleastbasi")
_COMMON = frozenset(
    {
        *("abhyanghar", "aadhaar", "admin", "administrator", "adminadmin", "adminpassword", "asdfghjkl"),
        *("ayushman", "bangalore", "bharat", "bharatmata", "changeme", "changemenow", "changepassword", "chennai"),
        *("chocolate", "computer", "correcthorsebatterystaple", "cricket", "default", "delhi", "doctor"),
        *("doctordoctor", "drowssap", "family", "football", "forgotpassword", "friends", "ganesha", "ganpati"),
        *("guest", "hanuman", "healthcare", "helloworld", "hospital", "hospitalhospital", "hyderabad", "iloveyou"),
        *("iloveyousomuch", "india", "indiaindia", "indian", "internet", "ithinkthereforeiam", "jaishreeram"),
        *("jaihind", "jaimatadi", "jesuschrist", "kolkata", "krishna", "krishnakrishna", "letmein", "letmeinnow"),
        *("letmeinplease", "login", "liverpool", "lovelove", "lovemyfamily", "loveyouforever", "manchesterunited"),
        *("master", "masterpassword", "medical", "mother", "motherfather", "mumbai", "mumbaiindians", "mypassword"),
        *("mypasswordis", "namaste", "newpassword", "nopassword", "nursenurse", "omnamahshivaya", "opensesame"),
        *("passphrase", "password", "passwordpassword", "passwordis", "passw", "patient", "pharmacy", "princess"),
        *("qwerty", "qwertyqwerty", "qwertyuiop", "radhakrishna", "radheradhe", "reception", "registry"),
        *("rememberme", "sachintendulkar", "saibaba", "secret", "secretpassword", "shivshakti", "srikrishna"),
        *("starwars", "startrek", "summer", "sunshine", "superman", "supersecret", "swordfish", "temporary"),
        *("temppassword", "test", "testpassword", "testing", "testtest", "thisisapassword", "thisismypassword"),
        *("trustno", "uhi", "unknown", "user", "username", "vandemataram", "viratkohli", "waheguru", "welcome"),
        *("welcomeback", "welcomehome", "welcometo", "whatever", "winter", "wordpass", "yourpassword"),
    }
)
"""Words that passwords are made of again and again, without the digits and signs around them."""


def normalised(password: str) -> str:
    """The one spelling of a password, NFKC: what is hashed."""
    return unicodedata.normalize("NFKC", password)


def as_bytes(text: str) -> bytes:
    """A secret as it is hashed, whatever characters it holds."""
    return text.encode("utf-8", "surrogatepass")


def check_guessable(password: str, *, about: Collection[str], is_only_factor: bool) -> None:
    """See that a new password, in its one spelling, is not too easily guessed. `about` is the person's e-mail address
    and name.

    Raises: Refusal(REQUEST_INVALID), which tells why and never the password.
    """
    shortest = SHORTEST_ALONE if is_only_factor else SHORTEST
    if not shortest <= len(password) <= LONGEST:
        raise _too_weak("its length", expected=f"{shortest} to {LONGEST} characters")
    plain = password.casefold()
    if any(word in plain for word in _own_words(about)):
        raise _too_weak("your own name or address in it")
    if _is_pattern(plain):
        raise _too_weak("a plain pattern")
    if _is_common(plain):
        raise _too_weak("one that many people use")


def check_breached(password: str, breached: Path) -> None:
    """See that a password is not in a file of breached ones: lines of SHA-1 (hex, upper case) and `:count`, sorted.

    Raises: Refusal(REQUEST_INVALID).
    """
    wanted = sha1(as_bytes(password), usedforsecurity=False).hexdigest().upper().encode()
    with breached.open("rb") as file:
        low, high = 0, file.seek(0, os.SEEK_END)
        while low < high:
            middle = (low + high) // 2
            file.seek(middle)
            if middle:
                file.seek(middle - 1)
                file.readline()
            begins = file.tell()
            line = file.readline()
            found = line[: len(wanted)].upper()
            if found == wanted:
                raise _too_weak("one that was in a breach elsewhere")
            if line and found < wanted:
                low = begins + len(line)
            else:
                high = middle


def _too_weak(got: str, *, expected: str = "") -> Refusal:
    # Who chooses a password is shown what is expected, and nothing else.
    wanted = expected or f"one that nobody guesses, and not {got}"
    return Refusal(REQUEST_INVALID, "the password cannot be used", path="password", got=got, expected=wanted)


def _own_words(about: Collection[str]) -> set[str]:
    words = {word for text in about for word in re.split(r"[\W_\d]+", text.partition("@")[0].casefold())}
    return {word for word in words if len(word) >= _SHORTEST_OWN_WORD}


def _is_pattern(plain: str) -> bool:
    """One short piece again and again, or a stretch of the alphabet, the digits or the keyboard."""
    if any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, _LONGEST_REPEATED + 1)):
        return True
    return any(plain in row * 12 or plain[::-1] in row * 12 for row in _ROWS)


def _is_common(plain: str) -> bool:
    cores = {re.sub(r"^[\W_\d]+|[\W_\d]+$", "", plain), plain.translate(_PLAIN_LETTERS)}
    cores |= {core.translate(_PLAIN_LETTERS) for core in cores}
    cores |= {re.sub(r"[\W_\d]+", "", core) for core in cores}
    halves = {core[: len(core) // 2] for core in cores if core and core[: len(core) // 2] * 2 == core}
    return bool(_COMMON & (cores | halves))

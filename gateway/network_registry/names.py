"""Subscriber ids and key ids: their alphabet, and which of them look like one another.

Pure. Above: `applications`, `joining`. Source: security rules "Registry and key rules" (look-alikes refused).
"""

from __future__ import annotations

import re

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.signing.authorization import KEY_ID_PART

_SUBSCRIBER_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_LONGEST_ID = 255
_ALIKE = str.maketrans({"0": "o", "1": "l", "-": ".", "_": "."})
_ALIKE_PAIRS = (("rn", "m"), ("vv", "w"))


def check_subscriber_id(text: str) -> str:
    """The id, if it is lower-case ASCII: letters and digits, single dots and hyphens between them.

    Raises: Refusal(MESSAGE_INVALID).
    """
    if len(text) > _LONGEST_ID or not _SUBSCRIBER_ID.fullmatch(text):
        raise Refusal(
            MESSAGE_INVALID,
            "the subscriber id cannot be registered",
            expected=f"lower-case letters, digits, single dots and hyphens, at most {_LONGEST_ID} in all",
            next_step="choose an id such as clinic.example.hspa",
            path="$.subscriber_id",
        )
    return text


def check_key_id(text: str) -> str:
    """The id, if signature headers can name it.

    Raises: Refusal(MESSAGE_INVALID).
    """
    if not KEY_ID_PART.fullmatch(text):
        raise Refusal(
            MESSAGE_INVALID,
            "the key id cannot be registered",
            expected="1 to 255 letters, digits and ._:-",
            path="$.keys",
        )
    return text


def look_of(subscriber_id: str) -> str:
    """What an id looks like at a glance: two ids with one look may be taken for each other."""
    look = subscriber_id.translate(_ALIKE)
    for pair, letter in _ALIKE_PAIRS:
        look = look.replace(pair, letter)
    return look

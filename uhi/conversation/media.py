"""What a document is by its content, against what it says it is.

Pure. Above: `contents`. Below: puremagic, which knows files by their first bytes.
"""

from __future__ import annotations

import puremagic

TAKEN = frozenset({"image/jpeg", "image/png", "application/pdf", "text/plain"})
"""The types that are taken unless a program says otherwise."""

_SPELLINGS = {"pdf/application": "application/pdf", "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg"}
# A shorter beginning than four bytes may be that of a sentence.
_IS_SURE = 0.4


def media_type_of(declared: str) -> str:
    """The one spelling of a type, without parameters: `pdf/application` is `application/pdf`."""
    plain = declared.partition(";")[0].strip().lower()
    return _SPELLINGS.get(plain, plain)


def check_media(content: bytes, media_type: str) -> None:
    """See that a content is what it says it is.

    Raises: ValueError for one that is not.
    """
    found = _found(content)
    if media_type == "text/plain":
        surely = any(match.confidence >= _IS_SURE for match in found)
        if surely or not _is_plain(content):
            raise ValueError("not plain text")
        return
    best = max((match.confidence for match in found), default=0.0)
    if media_type not in {media_type_of(match.mime_type) for match in found if match.confidence == best}:
        raise ValueError("content of another type")


def _found(content: bytes) -> list[puremagic.PureMagicWithConfidence]:
    try:
        return puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return []


def _is_plain(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return all(each >= " " or each in "\n\r\t\f" for each in text) and "\x7f" not in text

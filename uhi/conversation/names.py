"""Names of files: what is shown and saved is clean, whatever somebody called their file.

Pure. Above: `contents`, `routes`. Source: security rules "Files"; RFC 6266 (the name in a download's header).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 100
"""How many characters a file's name has at most, its ending included."""

_ENDINGS = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "text/plain": (".txt",),
}
_UNSAFE = re.compile(r'[<>:"/\\|?*%;]')
_NAMELESS = "document"


def clean_name(name: str, media_type: str) -> str:
    """A file's name without folders, signs that do not print or that a system might act on, and with the ending of its
    type; `document` where nothing is left."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    printed = "".join(each for each in last if each.isprintable() and unicodedata.category(each) != "Cf")
    stem = " ".join(_UNSAFE.sub("_", printed).split()).strip(". ")
    endings = _ENDINGS.get(media_type, ())
    ending = next((each for each in endings if stem.lower().endswith(each)), endings[0] if endings else "")
    if ending and stem.lower().endswith(ending):
        stem = stem[: -len(ending)].strip(". ")
    return (stem or _NAMELESS)[: LONGEST - len(ending)] + ending


def attachment(name: str) -> str:
    """The value of `Content-Disposition` by which a browser saves a file under its name, and does not show it."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in " ._-") else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

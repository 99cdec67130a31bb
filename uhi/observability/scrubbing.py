"""The second line of log redaction: what looks like a patient's number or address is masked in any text.

Pure. The first line is the allow-list in `logs`. Source: the network's rules on log redaction.
"""

from __future__ import annotations

import re

MASK = "***"

# Ids of our own come first and stay: a run of digits inside a UUID is nobody's telephone.
_PATTERN = re.compile(
    r"""
    (?P<id>
        (?<![0-9a-f]) [0-9a-f]{8} (?: -[0-9a-f]{4} ){3} -[0-9a-f]{12} (?![0-9a-f])
      | (?<![0-9a-f]) [0-9a-f]{32} (?![0-9a-f])
    )
    | [\w.%+-]{1,64} @ [\w-]{1,63} (?: \.[\w-]{1,63} ){0,8}              # e-mail, ABHA address, UPI address
    | (?<!\d) \d{2} (?: [-\ ]?\d{4} ){3} (?!\d)                          # ABHA number
    | (?<!\d) (?: \+?91[-\ ]? | 0 )? [6-9६-९]\d{4} [-\ ]?\d{5} (?!\d)    # Indian mobile number
    """,
    re.VERBOSE | re.IGNORECASE,
)


def scrub(text: str) -> str:
    """`text` with ABHA numbers and addresses, Indian mobile numbers, e-mail and UPI addresses masked.

    UUIDs stay as they are. Linear in the text.
    """
    return _PATTERN.sub(lambda found: found[0] if found["id"] else MASK, text)

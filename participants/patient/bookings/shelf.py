"""Where slots that a search found are kept until they are booked: the seam to the search.

Above: `desk`; implemented by `participants.patient.search`.
"""

from __future__ import annotations

from typing import Protocol

from uhi.booking.found import FoundSlot


class Shelf(Protocol):
    """What one account's searches found."""

    async def found_slot(self, account_id: str, ref: str) -> FoundSlot:
        """Return a slot by the reference that a search gave.

        Raises: Refusal(RECORD_MISSING) for one that is not kept (any more), or was found by another account.
        """

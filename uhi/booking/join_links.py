"""Links by which patient and doctors join a call: a port, and a maker of links to rooms of a Jitsi-like server.

A link is made from the order's room, which is random and tells nothing of the order. Nothing here is ever logged.
Above: `uhi.booking.desk`. Source: UHI reference, teleconsultation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from uhi.booking.states import OrderState
from uhi.errors import SetupError

_OPEN = frozenset({OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Call:
    """What links are made for: the room of one order, when it is, and who takes part by HPR address."""

    room: str = field(repr=False)
    start: datetime
    end: datetime
    doctors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Links:
    """The link of the patient, and those of the doctors by HPR address."""

    patient: str = field(repr=False)
    doctors: Mapping[str, str] = field(default_factory=dict, repr=False)


class JoinLinks(Protocol):
    """Makes links to calls. A service that keeps meetings knows them again by `Call.room`."""

    async def links(self, call: Call) -> Links:
        """Return everybody's link, the same for the same room: it is asked whenever an order is told.

        What it raises is logged by its name, and the order goes without a link; a status asks again.
        """


class RoomLinks:
    """Rooms of a server like Jitsi Meet: whoever knows the room's name may come in, so nobody can guess it.

    Raises: SetupError for an address that is not https (http on this machine only), or has a query.
    """

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        is_safe = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOCAL)
        if not is_safe or not url.hostname or url.query or url.fragment or url.username:
            raise SetupError(
                "links to calls cannot be made from this address",
                expected="https://meet.example.org or with a path, without a query",
                next_step="set UHI_MEETINGS_URL",
            )
        self._base = base_url.rstrip("/")

    async def links(self, call: Call) -> Links:
        """Return the one link that all of them have."""
        link = f"{self._base}/uhi-{call.room}"
        return Links(link, dict.fromkeys(call.doctors, link))


def is_open(state: OrderState) -> bool:
    """Whether there is a call to join: from the confirmation on, until the consultation is over or called off."""
    return state in _OPEN

"""Ambulances from a file, with a dispatch of one's own: it is told of a call before the quote goes out."""

from participants.ambulance.app import ambulance_app
from participants.ambulance.calls import WaitingCall
from participants.ambulance.fleet import LISTS
from uhi import Participant, Role
from uhi.listing import ListingSettings, origin_of


class Dispatch:
    """Implements `Calls`: somebody has to ring the caller up. A real one keeps them in its own system."""

    def __init__(self) -> None:
        self.order_ids: dict[str, str] = {}

    async def take(self, call: WaitingCall) -> str:
        """Take a call, and return the id of its order; who calls twice has called once."""
        return self.order_ids.setdefault(call.key, call.order.id or "")


def app() -> Participant:
    """What `uhi serve own_ambulance:app` runs."""
    participant = Participant.from_env(Role.PROVIDER)
    origin = origin_of(ListingSettings.read("AMBULANCE"), participant, lists=LISTS, heading="Ambulances")
    ambulance_app(participant, origin, calls=Dispatch())
    return participant

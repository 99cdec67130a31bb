"""A blood bank whose stock another system counts: the library does the protocol, `Counter` asks that system."""

from collections.abc import Collection, Sequence

from participants.blood_bank.app import add_blood_banks
from uhi import Participant, Role
from uhi.booking import Facility
from uhi.listing import Fixed
from uhi.listing.areas import Reached
from uhi.listing.blood import BloodBank, Units
from uhi.messages.values import Descriptor

BANK = BloodBank(
    facility=Facility(id="hill", name="Hill Blood Centre", short_desc="Govt.", pincode="411016"),
    reached=Reached("+91 9000000041", "blood@hill.example"),
)


class Counter:
    """Implements `Stock`: asked at every search, so that the count is of the moment."""

    async def units(self, bank_ids: Collection[str]) -> Sequence[Units]:
        """Return what is in the refrigerators: here 6 units of O+ (15), Whole Blood (11)."""
        return [Units("hill", "15", "11", 6, is_available=True)] if "hill" in bank_ids else []


def prepare(participant: Participant) -> None:
    """Give a participant the bank; `Fixed` is the simplest `Source`."""
    heading = Descriptor(name="Hill Blood Centre")
    add_blood_banks(participant, heading, banks=Fixed([BANK]), stock=Counter())


def app() -> Participant:
    """What `uhi serve own_blood_bank:app` runs."""
    participant = Participant.from_env(Role.PROVIDER)
    prepare(participant)
    return participant

"""Jan Aushadhi Kendras as a participant; start reading here.

`uhi.listing` does the protocol, `uhi.listing.medicines` the messages. Below: `kendras`. Above: `uhi serve`.
"""

from __future__ import annotations

from participants.pharmacy.kendras import KENDRAS, LISTS, MEDICINES, SHELVES, Kendras
from uhi.listing import ListingProvider, ListingSettings, Origin, demand_domain, origin_of
from uhi.listing.medicines import DOMAIN
from uhi.participant import Participant
from uhi.subscribers import Role


def app() -> Participant:
    """Return the Kendras of `UHI_PHARMACY_FILE` or `UHI_PHARMACY_DATABASE_URL`, as the participant that the `UHI_…`
    settings describe.

    Raises: SetupError naming what is missing or wrong in the settings or the file.
    """
    settings = ListingSettings.read("PHARMACY", package=__package__)
    participant = Participant.from_env(Role.PROVIDER)
    pharmacy_app(participant, origin_of(settings, participant, lists=LISTS, heading="Jan Aushadhi Kendras"))
    return participant


def pharmacy_app(participant: Participant, origin: Origin) -> None:
    """Give a participant its Kendras and medicines.

    Raises: SetupError for a mistake in a list, a participant of another domain, or one that answers searches already.
    """
    demand_domain(participant.identity.me.domains, DOMAIN)
    listing = Kendras(
        origin.heading,
        kendras=origin.source(KENDRAS),
        medicines=origin.source(MEDICINES),
        shelves=origin.source(SHELVES, is_of_the_moment=True),
    )
    participant.include(ListingProvider(listing).handlers)

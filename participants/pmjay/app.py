"""PM-JAY hospitals as a participant; start reading here.

`uhi.listing` does the protocol, `uhi.listing.pmjay` the messages. Below: `hospitals`. Above: `uhi serve`. On NHA's own
networks the role is NHA's alone; this one is for networks of one's own, and for whoever tests a consumer.
"""

from __future__ import annotations

from participants.pmjay.hospitals import HOSPITALS, EmpanelledHospitals
from uhi.listing import ListingProvider, ListingSettings, Origin, demand_domain, origin_of
from uhi.listing.pmjay import DOMAIN
from uhi.participant import Participant
from uhi.subscribers import Role


def app() -> Participant:
    """Return the hospitals of `UHI_PMJAY_FILE` or `UHI_PMJAY_DATABASE_URL`, as the participant that the `UHI_…`
    settings describe.

    Raises: SetupError naming what is missing or wrong in the settings or the file.
    """
    settings = ListingSettings.read("PMJAY", package=__package__)
    participant = Participant.from_env(Role.PROVIDER)
    pmjay_app(participant, origin_of(settings, participant, lists=(HOSPITALS.name,), heading="PM-JAY hospitals"))
    return participant


def pmjay_app(participant: Participant, origin: Origin) -> None:
    """Give a participant its hospitals.

    Raises: SetupError for a mistake in a list, a participant of another domain, or one that answers searches already.
    """
    demand_domain(participant.identity.me.domains, DOMAIN)
    listing = EmpanelledHospitals(origin.heading, hospitals=origin.source(HOSPITALS))
    participant.include(ListingProvider(listing).handlers)

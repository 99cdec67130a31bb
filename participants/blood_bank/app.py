"""Blood banks as a participant; start reading here.

`uhi.listing` does the protocol, `uhi.listing.blood` the messages. Below: `stock`. Above: `uhi serve`.
"""

from __future__ import annotations

from participants.blood_bank.stock import BANKS, STOCK, BloodStock, Stock, StockSource
from uhi.listing import ListingProvider, ListingSettings, Origin, Source, demand_domain, origin_of
from uhi.listing.blood import DOMAIN, BloodBank
from uhi.messages.values import Descriptor
from uhi.participant import Participant
from uhi.subscribers import Role


def app() -> Participant:
    """Return the blood banks of `UHI_BLOOD_BANK_FILE` or `UHI_BLOOD_BANK_DATABASE_URL`, as the participant that the
    `UHI_…` settings describe.

    Raises: SetupError naming what is missing or wrong in the settings or the file.
    """
    settings = ListingSettings.read("BLOOD_BANK", package=__package__)
    participant = Participant.from_env(Role.PROVIDER)
    blood_bank_app(participant, origin_of(settings, participant, lists=(BANKS.name, STOCK.name), heading="Blood banks"))
    return participant


def blood_bank_app(participant: Participant, origin: Origin, *, stock: Stock | None = None) -> None:
    """Give a participant its blood banks. `stock` is asked at every search; without one the list of stock is read.

    Raises: SetupError for a mistake in a list, or a participant of another domain.
    """
    counted = stock or StockSource(origin.source(STOCK, is_of_the_moment=True))
    add_blood_banks(participant, origin.heading, banks=origin.source(BANKS), stock=counted)


def add_blood_banks(participant: Participant, heading: Descriptor, *, banks: Source[BloodBank], stock: Stock) -> None:
    """The same from sources of one's own.

    Raises: SetupError for a participant of another domain, or one that answers searches already.
    """
    demand_domain(participant.identity.me.domains, DOMAIN)
    listing = BloodStock(heading, banks=banks, stock=stock, clock=participant.clock)
    participant.include(ListingProvider(listing).handlers)

"""A laboratory as a participant; start reading here.

Below: `provider` (what is asked of it), `desk` (what it offers), `labs` (its lists). Above: `uhi serve`.
"""

from __future__ import annotations

from participants.diagnostics.labs import DOMAIN, LISTS, Labs
from participants.diagnostics.provider import DiagnosticsProvider
from uhi.booking.store import BookingStore
from uhi.listing import ListingSettings, Origin, demand_domain, origin_of
from uhi.participant import Participant
from uhi.subscribers import Role


def app() -> Participant:
    """Return the laboratory of `UHI_DIAGNOSTICS_FILE` or `UHI_DIAGNOSTICS_DATABASE_URL`, as the participant that the
    `UHI_…` settings describe. `UHI_DIAGNOSTICS_DOMAIN` is for networks that give laboratories a domain of their own.

    Raises: SetupError naming what is missing or wrong in the settings or the file.
    """
    settings = ListingSettings.read("DIAGNOSTICS", package=__package__)
    participant = Participant.from_env(Role.PROVIDER)
    origin = origin_of(settings, participant, lists=LISTS, heading="Laboratory")
    diagnostics_app(participant, origin, domain=settings.domain or DOMAIN)
    return participant


def diagnostics_app(
    participant: Participant, origin: Origin, *, domain: str = DOMAIN, store: BookingStore | None = None
) -> DiagnosticsProvider:
    """Give a participant its laboratory. Returns the provider, to tell news by.

    Raises: SetupError for a mistake in a list, a participant of another domain, or one that answers searches already.
    """
    demand_domain(participant.identity.me.domains, domain)
    name = origin.heading.name or participant.subscriber_id
    provider = DiagnosticsProvider(Labs.of(origin), speaker=participant, name=name, domain=domain, store=store)
    participant.include(provider.handlers)
    participant.meanwhile(provider.bookings.watch_holds)
    return provider

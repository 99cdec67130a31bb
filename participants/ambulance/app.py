"""Ambulances as a participant; start reading here.

Phase 1 of NHA's service: search and init. confirm, status, cancel and tracking are not published, so they have no
handler and are refused as not handled. Below: `fleet` (lists, search), `quoting` (init), `calls`.
"""

from __future__ import annotations

from participants.ambulance.calls import Calls, RecentCalls, SqlCalls
from participants.ambulance.fleet import LISTS, OPERATORS, VEHICLES, Fleet, FleetListing
from participants.ambulance.quoting import Quoting
from uhi.actions import INIT, Decline
from uhi.listing import ListingProvider, ListingSettings, Origin, demand_domain, origin_of
from uhi.listing.ambulances import DOMAIN
from uhi.listing.origin import SqlOrigin
from uhi.messages import Init, OnInit
from uhi.participant import Participant
from uhi.subscribers import Role
from uhi.verified import Verified


def app() -> Participant:
    """Return the ambulances of `UHI_AMBULANCE_FILE` or `UHI_AMBULANCE_DATABASE_URL`, as the participant that the
    `UHI_…` settings describe.

    Raises: SetupError naming what is missing or wrong in the settings or the file.
    """
    settings = ListingSettings.read("AMBULANCE", package=__package__)
    participant = Participant.from_env(Role.PROVIDER)
    ambulance_app(participant, origin_of(settings, participant, lists=LISTS, heading="Ambulances"))
    return participant


def ambulance_app(participant: Participant, origin: Origin, *, calls: Calls | None = None) -> Calls:
    """Give a participant its ambulances. Returns where the calls are that an operator has to answer by telephone:
    `calls`, else the table `ambulance_call` of the database that the lists are in, or memory where they are a file.

    Raises: SetupError for a mistake in a list, a participant of another domain, or one that answers searches already.
    """
    demand_domain(participant.identity.me.domains, DOMAIN)
    fleet = Fleet(
        operators=origin.source(OPERATORS, is_of_the_moment=True),
        vehicles=origin.source(VEHICLES, is_of_the_moment=True),
    )
    calls = calls or _calls_of(origin)
    quoting = Quoting(fleet, calls=calls, clock=participant.clock)
    searches = ListingProvider(FleetListing(origin.heading, fleet=fleet, clock=participant.clock))
    participant.include(searches.handlers)

    @participant.on(INIT)
    async def quote(request: Verified[Init]) -> OnInit | Decline:
        return await quoting.quote(request.message.order, request.thread)

    return calls


def _calls_of(origin: Origin) -> Calls:
    if not isinstance(origin, SqlOrigin):
        return RecentCalls()
    calls = SqlCalls(origin.database)
    origin.check_at_start(calls.check)
    return calls

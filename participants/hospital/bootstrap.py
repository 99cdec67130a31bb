"""A hospital put together: its organisations and schedules, bookings above them, its staff's interface, background.

The composition root below `app`; `hospital_on` gives the same to a participant that is there already: inside a test
network, or a program of somebody else's. Source: issue "A hospital runs its appointments on it".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from participants.hospital.conversations.pages import CLINIC_MESSAGES, DESK_MESSAGES
from participants.hospital.conversations.talks import hospital_orders
from participants.hospital.desk.clinic_pages import ClinicPages
from participants.hospital.desk.counter import Counter
from participants.hospital.desk.desk_pages import DeskPages
from participants.hospital.desk.online_pages import OnlinePages
from participants.hospital.desk.places import Places
from participants.hospital.organisations.program import Organisations, inviting
from participants.hospital.schedules.facade import Schedules
from participants.hospital.schedules.hospital import DatabaseHospital
from participants.hospital.settings import HospitalSettings
from uhi.api.identity import identity_routes
from uhi.api.openapi import description_page
from uhi.api.routes import Routes
from uhi.booking.agenda import Agenda
from uhi.booking.holds import HoldLimits
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.sql_bookings import SqlBookings
from uhi.booking.terms import default_terms
from uhi.conversation import Conversations
from uhi.conversation.pages import FilePages, TalkPages
from uhi.messages.values import ONLINE, PHYSICAL
from uhi.network import Network
from uhi.participant import Participant
from uhi.people import People, people_of, storage_of, tidying
from uhi.subscribers import Role

TITLE = "UHI hospital"
VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalProgram:
    """A hospital's parts. Its participant serves it: the interface for people beside the network's paths."""

    participant: Participant
    people: People
    organisations: Organisations
    schedules: Schedules
    agenda: Agenda
    store: SqlBookings
    hospital: DatabaseHospital
    provider: ConsultationProvider
    places: Places
    conversations: Conversations

    def routes(self) -> Sequence[Routes]:
        """The interface for people, and the page that describes it."""
        counter = Counter(self.provider, self.hospital, self.agenda, self.store, self.places)
        pages = TalkPages(self.conversations)
        groups = (
            *identity_routes(self.people.parts, self.people.trail, for_patients=False),
            *self.organisations.routes(),
            *self.schedules.routes(),
            DeskPages(counter).routes(),
            ClinicPages(counter).routes(),
            *OnlinePages(counter).routes(),
            pages.routes(DESK_MESSAGES),
            pages.routes(CLINIC_MESSAGES),
            FilePages(self.conversations, self.people.trail).routes(),
        )
        return (*groups, description_page(groups, title=TITLE, version=VERSION, has_keys=True))

    def take_up(self) -> None:
        """Have the participant hear what a hospital hears, and do in the background what it does."""
        participant, directory = self.participant, self.organisations.directory
        participant.include(self.provider.handlers)
        participant.include(self.conversations.handlers)
        self.conversations.log_calls(self.provider)
        participant.serve_also(lambda app: self.people.serve(app, self.routes()))
        participant.at_start(self.look_up)
        for work in (self.provider.watch_holds, directory.follow, self.tidy):
            participant.meanwhile(work)

    async def look_up(self) -> None:
        """Know what can be booked, before the first message."""
        await self.organisations.directory.refresh()

    async def tidy(self) -> None:
        """Forget what is over of people's accounts and requests, every hour, until cancelled; then end the letters
        under way, and let go of the files."""

        try:
            await tidying(self.participant.clock, self.people.tidy, self.conversations.tidy)
        finally:
            await self.people.aclose()
            await self.conversations.aclose()


def hospital_program(settings: HospitalSettings) -> HospitalProgram:
    """A hospital as its settings describe it; nothing is opened yet.

    Raises: SetupError when a key, the database's address, or how letters leave cannot be used.
    """
    return hospital_on(Participant.from_settings(settings, Role.PROVIDER), settings)


def hospital_on(participant: Participant, settings: HospitalSettings) -> HospitalProgram:
    """Give a participant a hospital: handlers, staff's interface, background. Who it is and what surrounds it are its
    own; of the settings those count that a hospital and its people have besides.

    Raises: SetupError when it keeps nothing in a database, or handles bookings already.
    """
    world, storage = participant.world, storage_of(participant.world)
    database = storage.database
    people = people_of(settings, world, world.transport)
    organisations = Organisations(database, world.clock, invite=inviting(people.parts.joining))
    directory, provider_id = organisations.directory, participant.subscriber_id
    schedules = Schedules(database, clock=world.clock, directory=directory, provider_id=provider_id)
    hospital = DatabaseHospital(directory, schedules, storage, provider_id=provider_id, clock=world.clock)
    store, places = SqlBookings(storage, provider_id=provider_id), Places(directory)
    talks = hospital_orders(database, store, places, provider_id=provider_id)
    policy = policy_of(settings, participant.network)
    program = HospitalProgram(
        participant=participant,
        people=people,
        organisations=organisations,
        schedules=schedules,
        agenda=Agenda(storage, provider_id),
        store=store,
        hospital=hospital,
        provider=ConsultationProvider(hospital, speaker=participant, store=store, policy=policy),
        places=places,
        conversations=Conversations(participant, talks, side=Role.PROVIDER, shelf=settings.shelf),
    )
    program.take_up()
    return program


def policy_of(settings: HospitalSettings, network: Network) -> Policy:
    """What a hospital's settings say about its bookings, on this network."""
    return Policy(
        name=settings.name,
        fulfilments=(PHYSICAL, ONLINE) if network.offers_online else (PHYSICAL,),
        select=network.offers_select,
        hold=timedelta(minutes=settings.hold_minutes),
        holds=HoldLimits(day_share=settings.hold_share_percent / 100),
        offer_hold=timedelta(hours=settings.offer_hours),
        terms=partial(default_terms, notice_hours=settings.patient_notice_hours),
        patient_notice=timedelta(hours=settings.patient_notice_hours),
        facility_notice=timedelta(hours=settings.facility_notice_hours),
        messaging_support=settings.messaging_support,
        deep_link=settings.deep_link,
        chatbot_link=settings.chatbot_link,
        join_links=settings.join_links,
        grievance_contact=settings.grievance_contact,
        rescheduled_to_tag=network.rescheduled_to_tag,
        offered_slot_tag=network.offered_slot_tag,
    )

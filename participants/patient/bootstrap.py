"""A patient application put together: its people, bookings, searches and conversations, the interface, the background.

The composition root below `app`; `patient_on` gives the same to a participant that is there already: inside a test
network, or a program of somebody else's. Source: issue "A hospital runs its appointments on it".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from participants.patient.bookings.desk import Around, BookingDesk
from participants.patient.bookings.own_bookings import OwnBookings
from participants.patient.bookings.own_messages import OwnMessages
from participants.patient.bookings.routes import BookingRoutes
from participants.patient.bookings.rows import BookingRows
from participants.patient.bookings.talks import PatientTalks
from participants.patient.conversations.pages import BOOKING_MESSAGES
from participants.patient.people.consents import Consents
from participants.patient.people.data_keys import DataKeys
from participants.patient.people.key_folder import KeyFolder
from participants.patient.people.members import Members
from participants.patient.people.notices import Purpose
from participants.patient.people.own_data import Holder, OwnData
from participants.patient.people.routes import PeopleRoutes
from participants.patient.search.kept import KeptSearches
from participants.patient.search.own_searches import OwnSearches
from participants.patient.search.routes import SearchPages
from participants.patient.search.searches import Searches
from participants.patient.settings import PatientSettings
from uhi.api.identity import identity_routes
from uhi.api.openapi import description_page
from uhi.api.routes import Body, Call, Routes
from uhi.booking.consumer import Bookings
from uhi.booking.sql_diary import diary_of
from uhi.conversation.conversations import Conversations
from uhi.conversation.pages import FilePages, TalkPages
from uhi.keeping import sealing_of
from uhi.participant import Participant
from uhi.people import People, database_of, people_of, tidying
from uhi.subscribers import Role

TITLE = "UHI patient application"
VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientProgram:
    """An application's parts. Its participant serves it: the interface for people beside the network's paths."""

    participant: Participant
    people: People
    consents: Consents
    holder: Holder
    desk: BookingDesk
    searches: Searches
    conversations: Conversations
    settings: PatientSettings

    def routes(self) -> Sequence[Routes]:
        """The interface for people, and the page that describes it."""
        members = self.holder.members
        pages = TalkPages(self.conversations)
        people = PeopleRoutes(
            members=members,
            consents=self.consents,
            holder=self.holder,
            has_check_digit=self.settings.abha_check_digit,
        )
        host = urlsplit(self.settings.url).hostname or self.participant.subscriber_id
        groups = (
            *identity_routes(self.people.parts, self.people.trail),
            *people.routes(),
            SearchPages(self.searches, consented=self._may_search).routes(),
            *BookingRoutes(desk=self.desk, members=members, host=host).routes(),
            pages.routes(BOOKING_MESSAGES),
            FilePages(self.conversations, self.people.trail).routes(),
        )
        return (*groups, description_page(groups, title=TITLE, version=VERSION, has_keys=True))

    async def tidy(self) -> None:
        """Forget what is over of people's accounts and requests, every hour, until cancelled; then end the letters
        under way, and let go of the files."""

        try:
            await tidying(self.participant.clock, self.people.tidy, self.conversations.tidy, self.holder.clear)
        finally:
            await self.people.aclose()
            await self.conversations.aclose()

    async def _may_search(self, call: Call[Body]) -> None:
        await self.consents.check(call.principal.id, Purpose.DISCOVERY, acting=call.acting)


def patient_program(settings: PatientSettings) -> PatientProgram:
    """An application as its settings describe it; nothing is opened yet.

    Raises: SetupError when a key, the database's address, the place of files, or how letters leave cannot be used.
    """
    return patient_on(Participant.from_settings(settings, Role.CONSUMER), settings)


def patient_on(participant: Participant, settings: PatientSettings) -> PatientProgram:
    """Give a participant an application: handlers, the interface, background. Who it is and what surrounds it are its
    own; of the settings those count that an application and its people have besides.

    Raises: SetupError when it keeps nothing in a database, others may read the folder of accounts' keys, or it handles
    bookings already.
    """
    world, sealing = participant.world, sealing_of(settings)
    database = database_of(world)
    people = people_of(settings, world, world.transport)
    folder = KeyFolder(settings.account_keys_folder)
    folder.check()
    keys = DataKeys(sealing, folder)
    bookings = Bookings(
        participant,
        diary=diary_of(world, consumer_id=participant.subscriber_id, sealers=keys),
        free_text_tag=settings.free_text_tag,
        rescheduled_to_tag=participant.network.rescheduled_to_tag,
    )
    participant.include(bookings.handlers)
    consents, members = Consents(database), Members(database, keys)
    searches = Searches(participant, bookings, KeptSearches(database, sealing))
    desk = BookingDesk(
        database=database,
        bookings=bookings,
        rows=BookingRows(keys, participant.subscriber_id),
        consents=consents,
        shelf=searches,
        wait=settings.hospital_wait,
        around=Around(timedelta(minutes=settings.join_minutes_before), timedelta(minutes=settings.join_minutes_after)),
    )
    shelf = replace(settings.shelf, sealers=keys)
    conversations = Conversations(participant, PatientTalks(desk), side=Role.CONSUMER, shelf=shelf)
    participant.include(conversations.handlers)
    messages = OwnMessages(conversations, database, participant.subscriber_id)
    parts: tuple[OwnData, ...] = (messages, OwnBookings(desk), OwnSearches(searches.kept))
    holder = Holder(
        database=database, keys=keys, identity=people.parts, members=members, consents=consents, parts=parts
    )
    program = PatientProgram(
        participant=participant,
        people=people,
        consents=consents,
        holder=holder,
        desk=desk,
        searches=searches,
        conversations=conversations,
        settings=settings,
    )
    participant.serve_also(lambda app: people.serve(app, program.routes()))
    for work in (bookings.watch, program.tidy):
        participant.meanwhile(work)
    return program

"""A network with one list on it and somebody who searches; databases with the tables of a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import resources

from sqlalchemy import text

from uhi.actions import SEARCH
from uhi.booking.hospital import Patient
from uhi.booking.speaker import moment
from uhi.listing.origin import FileOrigin, SqlOrigin, file_origin
from uhi.listing.settings import demo_file
from uhi.messages import Intent, OnSearch, Search
from uhi.messages.values import Address, Circle, Place, Point
from uhi.network import CONSULTATION_DOMAIN
from uhi.participant import Participant
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock, Network
from uhi.verified import Declined, Verified

PUNE = Place(name="PUNE", code="490")
SHIVAJINAGAR = Point(18.53, 73.85)
FAR_AWAY = Point(28.6, 77.2)


def demo_origin(package: str, *lists: str) -> FileOrigin:
    """The lists of the demo file that ships with a participant's package, `demo/<package>.yaml`."""
    with resources.as_file(demo_file(package)) as path:
        return file_origin(path, *lists)


Answer = Verified[OnSearch] | Declined


@dataclass
class Scene:
    """A network, the participant with the list, and a consumer in the list's domain."""

    network: Network
    provider: Participant
    consumer: Participant
    answers: list[Answer] = field(default_factory=list)

    @property
    def now(self):
        """The network's time."""
        return moment(self.network.clock)

    async def search(self, intent: Intent) -> list[Answer]:
        """Search through the gateway and return every answer."""
        self.answers = [answer async for answer in self.consumer.ask(SEARCH, Search(intent=intent), wait=1)]
        return self.answers

    async def found(self, intent: Intent) -> OnSearch:
        """Search, and return the one catalogue that comes."""
        [answer] = await self.search(intent)
        assert isinstance(answer, Verified)
        return answer.message


async def stage(network: Network, domain: str, add: Callable[[Participant], object]) -> Scene:
    """A provider that `add` gives its handlers, and a consumer, both in a domain."""
    domains = (domain, CONSULTATION_DOMAIN)
    provider = await network.provider("list.example", domains=domains, prepare=lambda one: _put(one, domain, add))
    consumer = await network.consumer(domains=domains, prepare=lambda one: _put(one, domain, lambda _: None))
    return Scene(network, provider, consumer)


def _put(participant: Participant, domain: str, add: Callable[[Participant], object]) -> None:
    participant.identity = replace(participant.identity, domain=domain)
    add(participant)


def around(point: Point, kilometres: float) -> Circle:
    """A circle."""
    return Circle(point, kilometres)


def patient() -> Patient:
    """Somebody invented."""
    return Patient(
        id="ravi.kumar@sbx",
        name="Ravi Kumar",
        phone="9000000001",
        address=Address(locality="Example Nagar", city="PUNE", country="INDIA", area_code="411005"),
        gender="M",
        born=date(1990, 5, 15),
    )


@asynccontextmanager
async def tables(url: str, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> AsyncIterator[Database]:
    """A database with tables of these names and rows, every column text."""
    database = Database.open(url, clock=FakeClock())
    try:
        for name, entries in rows.items():
            columns = list(entries[0])
            await run(database, f"CREATE TABLE {name} ({', '.join(f'{column} TEXT' for column in columns)})")
            for entry in entries:
                await run(
                    database, f"INSERT INTO {name} VALUES ({', '.join(f':{column}' for column in columns)})", **entry
                )
        yield database
    finally:
        await database.aclose()


async def run(database: Database, statement: str, **values: object) -> None:
    """Run a statement."""
    await database.write(lambda connection: connection.execute(text(statement), values))


def sql_origin(url: str, host: Participant) -> SqlOrigin:
    """The tables of a database, on a clock that waits for it."""
    clock = host.clock
    assert isinstance(clock, FakeClock)
    return SqlOrigin(Database.open(url, clock=clock, during=clock.held), host, heading="Listed", refresh_seconds=60)

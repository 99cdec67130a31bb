"""What a list answers, whatever it holds."""

from __future__ import annotations

from tests.listing.scene import stage
from uhi.listing import ListingProvider, Subject
from uhi.listing.answering import MOST_ENTRIES
from uhi.listing.subjects import write_intent
from uhi.messages import Catalog
from uhi.messages.values import Descriptor, Provider
from uhi.testing import Network

DOMAIN = "nic2004:99999"
NAMED = Descriptor(name="Somebody")


class Long:
    """A list of which more fits a search than anybody takes."""

    subject = Subject(domain=DOMAIN, types=("ANYTHING",))

    async def find(self, _: object) -> Catalog:
        return Catalog(
            descriptor=NAMED,
            providers=[Provider(id=str(number), descriptor=NAMED) for number in range(MOST_ENTRIES + 1)],
        )


async def test_of_a_long_list_the_first_entries_are_told(caplog):
    """Ours: a catalogue that is too large would be refused at every door, and nobody would get anything."""
    async with Network() as network:
        scene = await stage(network, DOMAIN, lambda one: one.include(ListingProvider(Long()).handlers))

        found = await scene.found(write_intent("ANYTHING", now=scene.now))

    assert [entry.id for entry in found.catalog.readable] == [str(number) for number in range(MOST_ENTRIES)]
    assert f"{MOST_ENTRIES + 1} entries fit a search" in caplog.text

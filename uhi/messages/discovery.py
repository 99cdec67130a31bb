"""Finding doctors and their free slots: search through the gateway, second search straight to a provider.

One path carries both; they are told apart by the gateway's header, so they are two pairs of messages here.
Source: NHA Physical Consultation v2.0 and NHA gateway description v2.0.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import GetCoreSchemaHandler, ValidationError, WrapValidator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from uhi.messages.values import Address, Category, Descriptor, Fulfillment, Item, Location, Provider
from uhi.messages.wire import Many, Tags, Text, Unreadable, Wire, json_path

_MOST_UNREADABLE = 100


def _skip_unreadable(value: object, read: Callable[[object], Provider]) -> Provider | Unreadable:
    if isinstance(value, Unreadable):
        return value
    try:
        return read(value)
    except ValidationError as error:
        return Unreadable(value, json_path(error.errors(include_url=False, include_input=False)[0]["loc"]))


class _Skipping:
    """Annotation: read a provider, or keep what came. Pydantic's own union would also make Unreadable of JSON."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_skip_unreadable, handler.generate_schema(Provider))


ProviderOrUnreadable = Annotated[Provider | Unreadable, _Skipping()]


def _give_up_in_time(
    value: object, read: Callable[[object], list[Provider | Unreadable]]
) -> list[Provider | Unreadable]:
    """A list of providers read part by part, so that a hostile one costs a hundred errors and not thousands."""
    if not isinstance(value, list):
        return read(value)
    entries: list[Provider | Unreadable] = []
    unreadable = 0
    for first in range(0, len(value), _MOST_UNREADABLE):
        part = read(value[first : first + _MOST_UNREADABLE])
        unreadable += sum(isinstance(entry, Unreadable) for entry in part)
        if unreadable > _MOST_UNREADABLE:
            raise PydanticCustomError("unreadable", "at most 100 providers that cannot be read")
        entries += part
    return entries


Providers = Annotated[list[ProviderOrUnreadable], WrapValidator(_give_up_in_time)]


class Intent(Wire):
    """What a consumer looks for. Filters combine; an absent one does not restrict."""

    descriptor: Descriptor | None = None
    fulfillment: Fulfillment | None = None
    item: Item | None = None
    category: Category | None = None
    provider: Provider | None = None
    location: Location | None = None
    locations: Many[Location] | None = None
    address: Address | None = None
    tags: Tags | None = None


class Catalog(Wire):
    """What a provider offers. An entry that cannot be read does not spoil the others."""

    descriptor: Descriptor | None = None
    providers: Providers | None = None
    exp: Text | None = None

    @property
    def readable(self) -> list[Provider]:
        """The facilities that could be read, in their order."""
        return [entry for entry in self.providers or [] if isinstance(entry, Provider)]

    @property
    def unreadable(self) -> list[Unreadable]:
        """The entries that could not be read, for the operator's log."""
        return [entry for entry in self.providers or [] if isinstance(entry, Unreadable)]


class Search(Wire):
    """First search: a consumer asks every provider of the network, through the gateway."""

    intent: Intent


class OnSearch(Wire):
    """A provider's answer to a first search: facilities, doctors, fees."""

    catalog: Catalog


class Slots(Wire):
    """Second search: a consumer asks one provider for the free slots of a doctor."""

    intent: Intent


class SlotsFound(Wire):
    """A provider's answer to a second search: one fulfilment per free slot."""

    catalog: Catalog

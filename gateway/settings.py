"""Settings of a gateway, from `UHI_…` environment variables: those of every program, and what the network decides."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from gateway.matching import MatchRules
from gateway.search import SearchRules
from uhi.exchange.rates import RateRules
from uhi.settings import Settings


class GatewaySettings(Settings):
    """The settings of `uhi.settings`, and how searches are passed on.

    `match_city` and `match_fulfilment_type` turn these checks on beside domain and country; `fan_out_limit` is the most
    providers one search goes to; `open_seconds` is how long a search without a ttl may be answered;
    `searches_per_second` is how often one consumer may search, `answers_per_second` how many catalogues one provider
    may send. 0 is no limit.
    """

    match_city: bool = False
    match_fulfilment_type: bool = False
    fan_out_limit: int = Field(default=2_000, ge=1)
    open_seconds: float = Field(default=60.0, gt=0, le=3_600)

    searches_per_second: int = Field(default=10, ge=0)
    answers_per_second: int = Field(default=500, ge=0)

    @property
    def rates(self) -> RateRules:
        """How often somebody may come."""
        return replace(super().rates, searches=self.searches_per_second, answers=self.answers_per_second)

    @property
    def rules(self) -> SearchRules:
        """What the gateway goes by."""
        return SearchRules(
            match=MatchRules(city=self.match_city, fulfilment_type=self.match_fulfilment_type),
            fan_out_limit=self.fan_out_limit,
            open_seconds=self.open_seconds,
        )

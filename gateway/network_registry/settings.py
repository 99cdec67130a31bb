"""Settings of a registry, from `UHI_…` environment variables: those of every program that people use, and its own.

Above: `bootstrap`, the command line. Long-lived keys come from files.
"""

from __future__ import annotations

from pydantic import Field

from uhi.people import PeopleSettings


class RegistrySettings(PeopleSettings):
    """The settings of `uhi.people`; `url` is the registry's own base, `https://reg.example/api/v1/networkregistry`.

    `errands_per_minute` is how often one address may apply, or do another errand.
    """

    registry_url: str = ""
    name: str = "UHI registry"
    errands_per_minute: int = Field(default=10, ge=1)

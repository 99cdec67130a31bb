"""Settings of a participant that answers from a list, beyond those of every participant: where the list is."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from uhi.errors import SetupError


class ListingSettings(BaseSettings):
    """`UHI_<NAME>_FILE`, or `UHI_<NAME>_DATABASE_URL` with tables of the documented columns.

    `heading` stands over the answers from a database (a file has a name of its own). `refresh_seconds` is how old lists
    from a database may be; what must be of the moment, such as stock, is read at every search whatever it says.
    `domain` is for networks that give a service without a published one another than ours.
    """

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    file: Path | None = None
    database_url: str = ""
    heading: str = ""
    domain: str = ""
    refresh_seconds: float = Field(default=60.0, ge=0, le=86_400)

    @classmethod
    def read(cls, name: str, *, package: str = "") -> ListingSettings:
        """Read the environment, `UHI_<name>_…`; `package` is one that has a demo file to begin with.

        Raises: SetupError when not exactly one place is named, or a value cannot be read.
        """
        prefix = f"UHI_{name}_"
        try:
            settings = cls(_env_prefix=prefix)  # type: ignore[call-arg]  # pydantic's own name of it
        except ValidationError as error:
            wrong = ", ".join(f"{prefix}{str(each['loc'][0]).upper()}" for each in error.errors(include_input=False))
            raise SetupError(f"{wrong} cannot be read", next_step="correct it") from None
        if (settings.file is None) == (not settings.database_url):
            raise SetupError(
                f"{prefix}FILE or {prefix}DATABASE_URL is missing, or both are there",
                got="neither" if settings.file is None else "both",
                expected="one of the two: a YAML file, or a database",
                next_step=f"copy {demo_file(package) if package else 'a demo file'} and name the copy there, as "
                "docs/how-to/other-services.md shows",
            )
        return settings


def demo_file(package: str) -> Traversable:
    """Return the demo file that ships with a participant's package, `demo/<package>.yaml`."""
    return resources.files(package) / "demo" / f"{package.rpartition('.')[2]}.yaml"

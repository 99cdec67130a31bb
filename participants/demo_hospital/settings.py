"""Settings of the demo hospital beyond those of every participant; the only reader of the environment here."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from uhi.errors import SetupError


class HospitalSettings(BaseSettings):
    """`UHI_HOSPITAL_FILE`: the YAML file that describes the hospital."""

    model_config = SettingsConfigDict(env_prefix="UHI_HOSPITAL_", extra="ignore", hide_input_in_errors=True)

    file: Path

    @classmethod
    def read(cls) -> HospitalSettings:
        """Read the environment.

        Raises: SetupError when the file is not named.
        """
        try:
            return cls()  # type: ignore[call-arg]  # the fields come from the environment
        except ValidationError:
            pass
        raise SetupError(
            "UHI_HOSPITAL_FILE is missing",
            expected="the path of a YAML file",
            next_step="copy one of the files in participants/demo_hospital/demo and name it there",
        )

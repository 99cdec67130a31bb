"""Settings of a patient application, from `UHI_…` environment variables: those of every program that people use, and
its own.

Above: `bootstrap`, the command line. Long-lived keys come from files.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from uhi.people import PeopleSettings


class PatientSettings(PeopleSettings):
    """The settings of `uhi.people`; `name` is what people read in letters.

    `hospital_wait` is how many seconds somebody waits for a hospital's word, less than a request may take.
    `abha_check_digit` refuses ABHA numbers whose check digit does not fit. `free_text_tag` is the tag for a reason in
    the patient's words, `rescheduled_to_tag` the one that names the order which takes another's place; neither is
    published, where empty nothing is sent. `files_url` is where documents of conversations are kept: a folder
    (`file:///folder`; empty: `files` in the working directory) or a bucket (`s3://…`), the latter with
    `files_credentials_file` (0600).
    """

    name: str = "UHI patient application"
    hospital_wait: float = Field(default=4.0, gt=0, le=4.5)
    abha_check_digit: bool = True
    free_text_tag: str = ""
    rescheduled_to_tag: str = ""
    files_url: str = ""
    files_credentials_file: Path | None = None

    @property
    def files_place(self) -> str:
        """Where documents are kept."""
        return self.files_url or Path("files").absolute().as_uri()

"""Settings of a patient application, from `UHI_…` environment variables: those of every program that people use, and
its own.

Above: `bootstrap`, the command line. Long-lived keys come from files.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from uhi.conversation.settings import FilesSettings


class PatientSettings(FilesSettings):
    """The settings of `uhi.people` and `uhi.conversation`; `name` is what people read in letters.

    `hospital_wait` is how many seconds somebody waits for a hospital's word, less than a request may take.
    `abha_check_digit` refuses ABHA numbers whose last digit is not Verhoeff's check digit; no public document says that
    it is, so switch it off where a true number is refused. `free_text_tag` is the tag for a reason in the patient's
    words; none is published, where it is empty they are not sent. `account_keys_folder` holds each
    account's own key (0700; made at the first start, the same one for every process): without it nobody can read what
    is kept of an account, so that its backups are kept no longer than what was erased may live. The link to a
    consultation online is shown from `join_minutes_before` its start to `join_minutes_after` its end.
    """

    name: str = "UHI patient application"
    hospital_wait: float = Field(default=4.0, gt=0, le=4.5)
    abha_check_digit: bool = True
    free_text_tag: str = ""
    account_keys_folder: Path = Path("account-keys")
    join_minutes_before: int = Field(default=15, ge=0, le=1_440)
    join_minutes_after: int = Field(default=30, ge=0, le=1_440)

"""Settings of a program that keeps conversations, from `UHI_…` environment variables.

Above: the settings of hospital and patient application; below: `uhi.people`, `vault`.
"""

from __future__ import annotations

from pathlib import Path

from uhi.conversation.vault import Shelf, shelf_at
from uhi.people import PeopleSettings


class FilesSettings(PeopleSettings):
    """Where the documents of conversations go, beside the settings of `uhi.people`.

    `files_url` is where they are kept, encrypted: `file:///folder` (the folder `files` where the program runs, if
    not given) or `s3://bucket/prefix?endpoint=…`, with `files_credentials_file` (0600). `scanner_url` is a clamd that
    looks at them before (`tcp://host:port`, `unix:///path`); without one nobody does.
    """

    files_url: str = ""
    files_credentials_file: Path | None = None
    scanner_url: str = ""

    @property
    def shelf(self) -> Shelf:
        """Where documents go, and who looks at them before.

        Raises: SetupError when a place cannot be used.
        """
        place = self.files_url or Path("files").absolute().as_uri()
        return shelf_at(place, credentials_file=self.files_credentials_file, scanner_url=self.scanner_url)

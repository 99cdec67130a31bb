"""`uhi hospital`: looks after a hospital's database. Here is the table of commands."""

from __future__ import annotations

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "admin": Lazy("cli.hospital_admin:admin", "For the machine's operator: invite, list, close, unlock people."),
    "load": Lazy("cli.hospital_data:load", "Make an organisation with doctors and hours from a YAML file."),
    "import": Lazy("cli.hospital_data:import_rows", "Add an organisation's practitioners from a CSV file."),
    "list": Lazy("cli.hospital_data:list_there", "List organisations, or one's practitioners, with their ids."),
    "check": Lazy("cli.hospital_records:check", "See whether everything kept of appointments fits together."),
    "rebuild": Lazy("cli.hospital_records:rebuild", "Make lists and claims anew from what happened."),
}
"""Every command: loaded when it is called."""


@click.group(cls=LazyGroup, table=COMMANDS)
def hospital() -> None:
    """A hospital's appointment system: its people, its data, its records.

    The hospital itself runs with `uhi serve hospital`. All of these read the same environment, above all
    UHI_DATABASE_URL.
    """

"""`uhi patient`: looks after a patient application's people. Here is the table of commands."""

from __future__ import annotations

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "admin": Lazy("cli.patient_admin:admin", "For the machine's operator: invite, list, close, unlock people."),
}
"""Every command: loaded when it is called."""


@click.group(cls=LazyGroup, table=COMMANDS)
def patient() -> None:
    """A patient application: its people.

    The application itself runs with `uhi serve patient`. All of these read the same environment, above all
    UHI_DATABASE_URL.
    """

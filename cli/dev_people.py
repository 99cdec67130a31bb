"""What the programs of `uhi dev` that people use have alike: settings out of the home, an interface on a port of its
own, and letters that are shown where the network was started.

Above: `dev_hospitals`, `dev_patient`; below: `home`, the programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from cli.home import Home
from cli.people_admin import operator_acting
from uhi.api.routes import Routes
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN
from uhi.http.server import serve
from uhi.identity.joining import Invitation
from uhi.identity.sending import KeptLetters
from uhi.people import People


class Program(Protocol):
    """A program that people use."""

    @property
    def people(self) -> People:
        """Who they are."""

    def routes(self) -> Sequence[Routes]:
        """The interface for them."""


@dataclass(frozen=True, slots=True)
class Site:
    """One such program: the port of its interface for people, the home of what it keeps, and who gets its letters."""

    subscriber_id: str
    port: int
    home: Home
    letters: KeptLetters

    def settings(self) -> dict[str, object]:
        """What its settings say of this."""
        home, name = self.home, self.subscriber_id
        return {
            "subscriber_id": name,
            "key_id": "k1",
            "key_file": home.key_file(name),
            "url": f"http://127.0.0.1:{self.port}",
            "registry_url": "http://127.0.0.1",
            "database_url": home.database_url(name),
            "body_key_file": home.body_key_file,
            "token_key_folder": home.folder / f"{name}.token-keys",
            "files_url": (home.folder / f"{name}.files").absolute().as_uri(),
        }

    async def open(self, program: Program, stack: AsyncExitStack) -> str:
        """Serve the program's interface for people until the stack is left; returns its address.

        Raises: SetupError when its port is taken.
        """
        program.people.parts.notices.sender = self.letters
        pages = web.Application()
        program.people.serve(pages, program.routes())
        return (await stack.enter_async_context(serve(pages, port=self.port))).url


async def invited(people: People, wanted: Invitation) -> str:
    """A token with which somebody takes an account up; empty where they have done so."""
    try:
        made = await people.parts.joining.invite(wanted, acting=operator_acting())
    except Refusal as refusal:
        if refusal.fault is not ALREADY_TAKEN:
            raise
        return ""
    # The letter has left before letters are shown: whoever started the network is told the token anyway.
    await people.parts.notices.done()
    return made.token

"""The patient application of `uhi dev`: its database in the home, its interface for apps on a port of its own, and one
account to sign in with.

Nothing was agreed to in that account's name: the first steps are the developer's. Above: `dev_network`; below: the
application's program.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from cli.dev_people import Site, invited
from cli.patient_admin import A_PATIENT
from cli.people_admin import operator_acting
from participants.patient.bootstrap import PatientProgram, patient_on
from participants.patient.people.notices import Purpose, notice_of
from participants.patient.settings import PatientSettings
from uhi.identity.joining import Invitation
from uhi.participant import Participant
from uhi.testing import Network

BOOKER = "uhi-dev"
"""Whose the bookings of the story are that `uhi dev` begins with: nobody's who signs in."""

_RAVI = Invitation(email="ravi@patient.example", name="Ravi Kumar", grant=A_PATIENT)


@dataclass(frozen=True, slots=True)
class Backend:
    """What an app talks to: the interface's address, and an account to sign in with. `password` is the one it was made
    with."""

    subscriber_id: str
    url: str
    email: str
    password: str = field(repr=False)

    def first_steps(self) -> tuple[str, ...]:
        """Commands for a shell, one after the other: sign in, consent, search, hear the answers, read them."""
        sent, signed = '-H "$JSON" -d', '-H "$AS"'
        account = json.dumps({"email": self.email, "password": self.password}, separators=(",", ":"))
        consent = {"purpose": Purpose.DISCOVERY.value, "text_hash": notice_of(Purpose.DISCOVERY, "en").text_hash}
        agreed = json.dumps(consent, separators=(",", ":"))
        return (
            f"APP={self.url} JSON='Content-Type: application/json'",
            f"TOKEN=$(curl -s $APP/v1/sign-in {sent} '{account}' | {_member('access_token')})",
            'AS="Authorization: Bearer $TOKEN"',
            "curl $APP/v1/notices",
            f"curl $APP/v1/consents {signed} {sent} '{agreed}'",
            f"""SEARCH=$(curl -s $APP/v1/searches {signed} {sent} '{{"speciality":"CARDIOLOGY"}}' | {_member("id")})""",
            f"curl -N -m 12 $APP/v1/searches/$SEARCH/events {signed}",
            f"curl $APP/v1/searches/$SEARCH {signed}",
        )


async def open_patient(net: Network, site: Site, stack: AsyncExitStack) -> tuple[PatientProgram, Backend]:
    """Let the application take part until the stack is left.

    Raises: SetupError when its port is taken, or the home cannot be used.
    """
    made: list[PatientProgram] = []
    own = {"account_keys_folder": site.home.folder / f"{site.subscriber_id}.account-keys"}
    settings = PatientSettings.model_validate(site.settings() | own)

    def prepare(participant: Participant) -> None:
        made.append(patient_on(participant, settings))

    await net.consumer(site.subscriber_id, prepare=prepare)
    [program] = made
    url = await site.open(program, stack)
    keys, now = program.holder.keys, program.participant.clock.now()
    await program.holder.database.write(lambda connection: keys.made_for(connection, BOOKER, now=now))
    password, token = site.home.password(site.subscriber_id), await invited(program.people, _RAVI)
    if token:
        await program.people.parts.joining.accept(token, password, acting=operator_acting())
    return program, Backend(site.subscriber_id, url, _RAVI.email, password)


def _member(name: str) -> str:
    """What takes the text of one member out of an answer."""
    return f"""sed 's/.*"{name}":"\\([^"]*\\)".*/\\1/'"""

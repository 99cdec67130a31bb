"""The hospitals of `uhi dev`: each with its database in the home, and its staff's interface on a port of its own.

At the first start they are what the demo files describe. Above: `dev_network`; below: the hospital's program.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web

from cli.home import Home
from cli.people_admin import operator_acting
from participants.demo_hospital.data import demo_hospital
from participants.hospital.bootstrap import HospitalProgram, hospital_on
from participants.hospital.loading import load_hospital_of
from participants.hospital.organisations.loading import organisation_id_of
from participants.hospital.settings import HospitalSettings
from uhi.errors import ALREADY_TAKEN, Refusal
from uhi.http.server import serve
from uhi.identity.joining import Invitation
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.participant import Participant
from uhi.people import database_of
from uhi.testing import Network


@dataclass(frozen=True, slots=True)
class Staff:
    """A hospital's interface for its staff, and its administrator: `token` invites them, and is empty once somebody
    took it up."""

    subscriber_id: str
    url: str
    email: str
    token: str


@dataclass(frozen=True, slots=True)
class Ward:
    """One hospital to be opened: its subscriber id, the demo file it is, and the port of its staff's interface."""

    subscriber_id: str
    demo: str
    port: int


async def open_hospital(net: Network, ward: Ward, home: Home, stack: AsyncExitStack) -> tuple[Participant, Staff]:
    """Let a hospital take part until the stack is left.

    Raises: SetupError when its port is taken, or the home cannot be used.
    """
    made: list[HospitalProgram] = []
    settings = _settings(ward, home)

    def prepare(participant: Participant) -> None:
        made.append(hospital_on(participant, settings))

    participant = await net.provider(ward.subscriber_id, prepare=prepare)
    [program] = made
    organisation_id = await _load_once(program, ward)
    pages = web.Application()
    program.serve_people(pages)
    server = await stack.enter_async_context(serve(pages, port=ward.port))
    email = f"admin@{ward.subscriber_id}"
    return participant, Staff(ward.subscriber_id, server.url, email, await _invited(program, email, organisation_id))


def _settings(ward: Ward, home: Home) -> HospitalSettings:
    return HospitalSettings.model_validate(
        {
            "subscriber_id": ward.subscriber_id,
            "key_id": "k1",
            "key_file": home.key_file(ward.subscriber_id),
            "url": f"http://127.0.0.1:{ward.port}",
            "registry_url": "http://127.0.0.1",
            "database_url": home.database_url(ward.subscriber_id),
            "body_key_file": home.body_key_file,
            "token_key_folder": home.folder / f"{ward.subscriber_id}.token-keys",
            "files_url": (home.folder / f"{ward.subscriber_id}.files").absolute().as_uri(),
            "name": demo_hospital(ward.demo).name,
            # One application serves all who try it out.
            "hold_share_percent": 100,
        }
    )


async def _load_once(program: HospitalProgram, ward: Ward) -> str:
    """What the demo file describes, unless it is there: somebody may have changed it since."""
    data = demo_hospital(ward.demo)
    organisation_id = organisation_id_of(data)
    sites = (await program.organisations.directory.refresh()).sites.values()
    if all(site.organisation_id != organisation_id for site in sites):
        await load_hospital_of(database_of(program.participant.world), data, acting=operator_acting())
        await program.look_up()
    return organisation_id


async def _invited(program: HospitalProgram, email: str, organisation_id: str) -> str:
    wanted = Invitation(email=email, name="Administrator", grant=Grant(AccessRole.HOSPITAL_ADMIN, organisation_id))
    try:
        return (await program.people.parts.joining.invite(wanted, acting=operator_acting())).token
    except Refusal as refusal:
        if refusal.fault is not ALREADY_TAKEN:
            raise
        return ""

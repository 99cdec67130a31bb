"""The hospitals of `uhi dev`: each with its database in the home, and its staff's interface on a port of its own.

At the first start they are what the demo files describe. Above: `dev_network`; below: the hospital's program.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from cli.dev_people import Site, invited
from cli.people_admin import operator_acting
from participants.demo_hospital.data import HospitalData, demo_hospital
from participants.hospital.bootstrap import HospitalProgram, hospital_on
from participants.hospital.loading import load_hospital_of
from participants.hospital.organisations.loading import organisation_id_of
from participants.hospital.settings import HospitalSettings
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


async def open_hospital(net: Network, site: Site, demo: str, stack: AsyncExitStack) -> tuple[Participant, Staff]:
    """Let the hospital of a demo file take part until the stack is left.

    Raises: SetupError when its port is taken, or the home cannot be used.
    """
    made: list[HospitalProgram] = []
    data = demo_hospital(demo)
    # One application serves all who try it out.
    settings = HospitalSettings.model_validate(site.settings() | {"name": data.name, "hold_share_percent": 100})

    def prepare(participant: Participant) -> None:
        made.append(hospital_on(participant, settings))

    participant = await net.provider(site.subscriber_id, prepare=prepare)
    [program] = made
    organisation_id = await _load_once(program, data)
    url, email = await site.open(program, stack), f"admin@{site.subscriber_id}"
    wanted = Invitation(email=email, name="Administrator", grant=Grant(AccessRole.HOSPITAL_ADMIN, organisation_id))
    return participant, Staff(site.subscriber_id, url, email, await invited(program.people, wanted))


async def _load_once(program: HospitalProgram, data: HospitalData) -> str:
    """What the demo file describes, unless it is there: somebody may have changed it since."""
    organisation_id = organisation_id_of(data)
    sites = (await program.organisations.directory.refresh()).sites.values()
    if all(site.organisation_id != organisation_id for site in sites):
        await load_hospital_of(database_of(program.participant.world), data, acting=operator_acting())
        await program.look_up()
    return organisation_id

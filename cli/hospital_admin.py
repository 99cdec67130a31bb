"""`uhi hospital admin`: what only the operator of the machine may do, on the hospital's database itself. Audited."""

from __future__ import annotations

import click

from cli.output import json_option
from cli.people_admin import Whose, admin_group, invite_and_show, settings_at, ways_of
from cli.stored import database_option
from participants.hospital.settings import HospitalSettings
from uhi.errors import SetupError
from uhi.identity.joining import Invitation
from uhi.identity.people import Ties
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

_OF_THE_PROGRAM = frozenset({AccessRole.HOSPITAL_OPERATOR})
_ROLES = (
    *(AccessRole.HOSPITAL_OPERATOR, AccessRole.HOSPITAL_ADMIN, AccessRole.HOSPITAL_FRONTDESK),
    *(AccessRole.CLINICIAN, AccessRole.AUDITOR),
)
_HELP = """What the operator of the machine does on the database itself: invite the first people, see who is there,
close, reopen and unlock accounts.

Reads the same environment as `uhi serve hospital`, above all UHI_DATABASE_URL. Works while the hospital runs;
every change is put into the audit trail."""

admin = admin_group(
    Whose(
        settings=HospitalSettings,
        help=_HELP,
        first="uhi hospital admin invite EMAIL --role hospital.operator",
    )
)


@admin.command(short_help="Invite somebody; prints a one-time token.")
@click.argument("email", metavar="EMAIL")
@click.option("--role", type=click.Choice([role.value for role in _ROLES]), required=True, help="What they may do.")
@click.option(
    "--organisation", default="", metavar="ID", help="Where; `uhi hospital list` shows them. None: operators."
)
@click.option("--practitioner", default="", metavar="ID", help="For a clinician: the id of their own record.")
@click.option("--name", default="", metavar="NAME", help="Their name.")
@database_option
@json_option
def invite(email: str, role: str, url: str, as_json: bool, **given: str) -> None:
    """Invite somebody. An operator takes organisations in; an administrator of one invites the rest of its staff.

    The token is shown once and is good for 7 days; inviting again makes a new one. Works before the hospital was ever
    started, too.
    """
    settings = settings_at(HospitalSettings, url)
    chosen, organisation = AccessRole(role), given["organisation"]
    _check_place(chosen, organisation)
    wanted = Invitation(
        email=email,
        name=given["name"] or email.partition("@")[0],
        grant=Grant(chosen, organisation),
        ties=Ties(practitioner_id=given["practitioner"]),
    )
    then = "Next, they choose a password with it:"
    invite_and_show(settings, wanted, then=then, ways=ways_of(settings, email), as_json=as_json)


def _check_place(role: AccessRole, organisation: str) -> None:
    if role in _OF_THE_PROGRAM and organisation:
        raise SetupError(
            f"{role.value} belongs to the whole program", got="--organisation", next_step="leave --organisation out"
        )
    if role not in _OF_THE_PROGRAM and role is not AccessRole.AUDITOR and not organisation:
        raise SetupError(
            f"{role.value} belongs to an organisation",
            expected="--organisation ID",
            next_step="uhi hospital list shows the organisations with their ids",
        )

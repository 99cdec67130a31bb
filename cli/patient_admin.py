"""`uhi patient admin`: what only the operator of the machine may do, on the application's database itself. Audited."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.output import json_option
from cli.people_admin import Whose, admin_group, invite_and_show, settings_at, ways_of
from cli.stored import database_option
from participants.patient.settings import PatientSettings
from uhi.identity.joining import Invitation, Invited
from uhi.identity.parts import PATIENTS
from uhi.identity.people import needs_second_factor
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

A_PATIENT = Grant(AccessRole.PATIENT, PATIENTS)
"""The role, and the tenant, of whoever makes an account by themselves."""

_GRANTS = {grant.role.value: grant for grant in (A_PATIENT, Grant(AccessRole.AUDITOR))}
_HELP = """What the operator of the machine does on the database itself: invite people, see who is there, close, reopen
and unlock accounts.

Reads the same environment as `uhi serve patient`, above all UHI_DATABASE_URL. Works while the application runs; every
change is put into the audit trail."""

admin = admin_group(Whose(settings=PatientSettings, help=_HELP, first="uhi patient admin invite EMAIL"))


@admin.command(short_help="Invite somebody; prints a one-time token.")
@click.argument("email", metavar="EMAIL")
@click.option(
    "--role",
    type=click.Choice(list(_GRANTS)),
    default=A_PATIENT.role.value,
    show_default=True,
    help="What they may do.",
)
@click.option("--name", default="", metavar="NAME", help="Their name.")
@database_option
@json_option
def invite(email: str, role: str, name: str, url: str, *, as_json: bool) -> None:
    """Invite a patient where no letter reaches them, for else they make an account by themselves; or an auditor, who
    reads the audit trail.

    The token is shown once and is good for 7 days; inviting again makes a new one. Works before the application was
    ever started, too.
    """
    settings = settings_at(PatientSettings, url)
    wanted = Invitation(email=email, name=name or email.partition("@")[0], grant=_GRANTS[role])
    ways = ways_of(settings, email)

    def own_ways(invited: Invited) -> Sequence[str]:
        return ways(invited) if needs_second_factor(invited.account) else ways(invited)[:2]

    invite_and_show(settings, wanted, then="They choose a password with it:", ways=own_ways, as_json=as_json)

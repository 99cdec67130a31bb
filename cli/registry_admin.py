"""`uhi registry admin`: what only the operator of the machine may do, on the registry's database itself. Audited."""

from __future__ import annotations

import click

from cli.output import json_option, plain
from cli.people_admin import Whose, admin_group, invite_and_show, settings_at
from cli.stored import database_option
from gateway.network_registry.settings import RegistrySettings
from uhi.identity.joining import Invitation
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

_ROLES = [role.value for role in AccessRole if role.value.startswith("registry.")] + [AccessRole.AUDITOR.value]
_HELP = """What the operator of the machine does on the database itself: invite the first administrators, see who is
there, close, reopen and unlock accounts.

Reads the same environment as `uhi registry serve`, above all UHI_DATABASE_URL. Works while the registry runs;
every change is put into the audit trail."""

admin = admin_group(
    Whose(
        settings=RegistrySettings,
        help=_HELP,
        first="uhi registry admin invite EMAIL --role registry.admin",
    )
)


@admin.command(short_help="Invite somebody; prints a one-time token.")
@click.argument("email", metavar="EMAIL")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What they may do.")
@click.option("--name", default="", metavar="NAME", help="Their name.")
@database_option
@json_option
def invite(email: str, role: str, name: str, url: str, as_json: bool) -> None:
    """Invite somebody to the registry. Two administrators are needed before anybody can be approved.

    The token is shown once and is good for 7 days; inviting again makes a new one. Works before the registry was ever
    started, too.
    """
    settings = settings_at(RegistrySettings, url)
    wanted = Invitation(email=email, name=name or email.partition("@")[0], grant=Grant(AccessRole(role)))
    login = f"uhi registry login --registry {settings.origin} --invitation --email {plain(email)}"
    then = "Next, on their own machine:"
    invite_and_show(settings, wanted, then=then, ways=lambda invited: (login,), as_json=as_json)

"""`uhi registry`: runs a network's registry, decides who takes part, and takes part. Here is the table of commands."""

from __future__ import annotations

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "serve": Lazy("cli.registry_serve:serve", "Run the registry."),
    "admin": Lazy("cli.registry_admin:admin", "For the machine's operator: invite, list, close, unlock people."),
    "login": Lazy("cli.registry_login:login", "Sign in as an administrator."),
    "logout": Lazy("cli.registry_login:logout", "Sign out again."),
    "list": Lazy("cli.registry_decide:list_subscribers", "List who takes part, and who wants to."),
    "show": Lazy("cli.registry_decide:show_subscriber", "Show one subscriber, and what is missing."),
    "review": Lazy("cli.registry_decide:review", "Say that an application was looked at."),
    "approve": Lazy("cli.registry_decide:approve", "Approve an application or a change; two must."),
    "decline": Lazy("cli.registry_decide:decline", "Turn an application or a change down."),
    "suspend": Lazy("cli.registry_decide:suspend", "Keep a subscriber from taking part for a while."),
    "resume": Lazy("cli.registry_decide:resume", "Let it take part again."),
    "revoke": Lazy("cli.registry_decide:revoke", "End a subscriber, or one of its keys, for good."),
    "export": Lazy("cli.registry_decide:export", "Write the whole register as JSON."),
    "apply": Lazy("cli.registry_join:apply", "For participants: apply, or ask for a change."),
    "status": Lazy("cli.registry_join:status", "For participants: how do I stand, what is missing?"),
    "rotate": Lazy("cli.registry_rotate:rotate", "For participants: change to a new key, end an old one."),
}
"""Every command: loaded when it is called."""


@click.group(cls=LazyGroup, table=COMMANDS)
def registry() -> None:
    """A network's registry: who takes part, with which address and keys."""

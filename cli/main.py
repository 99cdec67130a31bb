"""The command `uhi`. Here are the table of its commands and the one place that turns an error into a message."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

import click

from cli.lazy import SELDOM, Lazy, LazyGroup
from cli.output import show_problem, wants_json
from cli.problems import USAGE, problem_of

COMMANDS = {
    "dev": Lazy("cli.dev:dev", "Run a whole network on this machine, with demo data."),
    "demo": Lazy("cli.demo:demo", "Search and book on such a network, and print the timeline."),
    "search": Lazy("cli.search:search", "Search for doctors as a patient would."),
    "serve": Lazy("cli.serve:serve", "Run a participant of yours."),
    "gateway": Lazy("cli.gateway:gateway", "Run a network's gateway."),
    "registry": Lazy("cli.registry:registry", "Run a network's registry."),
    "hospital": Lazy("cli.hospital:hospital", "Look after a hospital's people, data and records."),
    "patient": Lazy("cli.patient:patient", "Look after a patient application's people."),
    "db": Lazy("cli.db:db", "Bring the database's schema up to date, and make the key for bodies."),
    "calls": Lazy("cli.calls:calls", "Show what the call log has of a transaction."),
    "outbox": Lazy("cli.outbox:outbox", "See what waits to be delivered; send it again or give it up."),
    "audit": Lazy("cli.audit:audit", "Verify and read the audit trail; sign and export it."),
    "keys": Lazy("cli.keys:keys", "Make, show and convert signing keys."),
    "sign": Lazy("cli.sign:sign", "Make the signature header for a body."),
    "verify": Lazy("cli.verify:verify", "Check a signature header against a body, and explain."),
}
"""Every command: loaded when it is called."""


class Root(LazyGroup):
    """The group `uhi`: runs a command and ends the process with its exit code, whatever happens."""

    def main(  # type: ignore[override]  # click overloads it by whether it ends the process; this one always does
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **options: Any
    ) -> NoReturn:
        """Run a command line (that of the process by default). No traceback leaves this function.

        Exit codes: 0 done, 1 failed, 2 called or set up wrongly, 70 unforeseen, 130 interrupted.
        """
        gc.set_threshold(*SELDOM)
        arguments = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(arguments, prog_name, **{**options, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(USAGE)
        except (Exception, KeyboardInterrupt) as error:
            problem = problem_of(error)
            show_problem(problem, as_json=wants_json(arguments))
            sys.exit(problem.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    try:
        number = version("uhi-network")
    except PackageNotFoundError:
        number = "(not installed)"
    click.echo(f"uhi-network {number}")
    ctx.exit()


@click.group(
    cls=Root,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Print the version."
)
def main() -> None:
    """Sign, verify, run and try out UHI, India's Unified Health Interface.

    New here? Type: uhi demo
    """

"""`uhi demo`: a search and a booking across a whole network, and the timeline of every message."""

from __future__ import annotations

import click

from cli.dev_network import running
from cli.loop import run, settle_memory
from cli.output import json_option, say, show
from cli.story import Story, book, show_outcome
from cli.timeline import line
from uhi.observability.logs import configure_logging


@click.command()
@json_option
def demo(*, as_json: bool) -> None:
    """Run a whole network, find a doctor, book an appointment and cancel it, over HTTP; print the timeline.

    Exit code 0 only if every step held.
    """
    configure_logging(json=as_json)
    story = run(_tell())
    value = {
        "ok": story.ok,
        "steps": [step.as_json() for step in story.steps],
        "appointment": {"id": story.ended.order_id, "state": story.ended.state.value},
    }
    show(value, lambda: _print(story), as_json=as_json)
    if not story.ok:
        raise click.exceptions.Exit(1)


async def _tell() -> Story:
    async with running() as network:
        settle_memory()
        return await book(network)


def _print(story: Story) -> None:
    say("A search and a booking across a whole UHI network, over HTTP, every message signed and verified", style="bold")
    say()
    for step in story.steps:
        say(line(step), style="" if step.ok else "red")
    show_outcome(story)

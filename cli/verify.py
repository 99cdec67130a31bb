"""`uhi verify`: checks a signature header against a body, and explains where and why it fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, Unpack

import click

from cli.explain import Case, Explanation, Step, explain
from cli.inputs import read_body, read_public_key, seconds, unix_now
from cli.output import json_option, say, say_rows, show_json, show_problem
from cli.problems import FAILED, problem_of
from uhi.errors import UhiError
from uhi.signing import PROFILES, Window

_NEXT = "add --explain to see each step, and what to do"
_STYLES = {"ok": "green", "computed": "", "FAILED": "bold red", "not reached": "dim"}


class VerifyOptions(TypedDict):
    """What `uhi verify` was called with."""

    body: str
    header: str
    public_key: str
    profile: str
    now: int | None
    explain: bool
    as_json: bool


@click.command("verify")
@click.argument("body", metavar="BODY")
@click.option("--header", metavar="TEXT", required=True, help="The header's value, in single quotes.")
@click.option(
    "--public-key", metavar="B64", required=True, help="The signer's public key: base64 (SPKI or raw), or a file."
)
@click.option(
    "--profile", type=click.Choice(tuple(PROFILES)), default="uhi", show_default=True, help="The way of signing."
)
@click.option("--now", type=seconds, metavar="N", help="The time to check it at, in Unix seconds; now, if not given.")
@click.option("--explain", is_flag=True, help="Show each step and what it computed, and what to do.")
@json_option
def verify(**options: Unpack[VerifyOptions]) -> None:
    """Check that a signature header fits a body, and its times the clock.

    BODY is a file, or - for standard input, taken byte for byte. Exits with 0 when it is verified, else with 1.

    \b
    Example:
      uhi verify body.json --header "$HEADER" --public-key MCowBQYDK2VwAyEA… --explain
    """
    explanation = explain(_case(options))
    problem = explanation.problem
    if options["as_json"]:
        show_json(_as_json(explanation, with_steps=options["explain"]))
    elif options["explain"]:
        _say_explanation(explanation)
    elif problem is None:
        say(_verdict(explanation), style="green")
    else:
        show_problem(replace(problem_of(problem), next_step=_NEXT), as_json=False)
    click.get_current_context().exit(FAILED if problem else 0)


def _case(options: VerifyOptions) -> Case:
    return Case(
        body=read_body(options["body"]),
        header=options["header"],
        key=lambda: read_public_key(options["public_key"]),
        profile=PROFILES[options["profile"]],
        now=unix_now() if options["now"] is None else options["now"],
        window=Window(),
    )


def _verdict(explanation: Explanation) -> str:
    header = explanation.header
    if explanation.problem is not None or header is None:
        return "not verified"
    return f"verified: signed by {header.subscriber_id} with key {header.key_id}"


def _as_json(explanation: Explanation, *, with_steps: bool) -> dict[str, object]:
    problem, header = explanation.problem, explanation.header
    value: dict[str, object] = {"ok": problem is None}
    if header is not None:
        value |= {"subscriber_id": header.subscriber_id, "key_id": header.key_id}
        value |= {"created": header.created, "expires": header.expires}
    if problem is not None:
        value["error"] = problem_of(problem).as_json()
    if with_steps:
        value["steps"] = [_step_as_json(step) for step in explanation.steps]
        value["advice"] = list(explanation.advice)
    return value


def _step_as_json(step: Step) -> dict[str, object]:
    value: dict[str, object] = {"step": step.name, "verdict": step.verdict.lower(), "facts": dict(step.facts)}
    return value | ({"error": problem_of(step.problem).as_json()} if step.problem else {})


def _say_explanation(explanation: Explanation) -> None:
    for number, step in enumerate(explanation.steps, start=1):
        say(f"{number} {step.name}: {step.verdict}", style=_STYLES[step.verdict])
        say_rows((*step.facts, *_problem_rows(step.problem)), indent=4)
    say()
    say(_verdict(explanation), style="bold red" if explanation.problem else "bold green")
    for advice in explanation.advice:
        say(f"what to do: {advice}")


def _problem_rows(problem: UhiError | None) -> list[tuple[str, str]]:
    if problem is None:
        return []
    rows = [("wrong", problem.what), ("got", problem.got), ("expected", problem.expected)]
    return [(label, text) for label, text in rows if text]

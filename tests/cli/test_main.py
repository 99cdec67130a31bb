"""The command as a whole: its table, its exit codes, and that a traceback never reaches the user."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import click
import pytest

from cli.lazy import Lazy
from cli.main import COMMANDS, main
from uhi.errors import DeliveryError, SetupError

CANARY = "Priya Sharma 9876543210"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Gives the command one more subcommand, `fail`, that raises."""

    def with_error(error: BaseException) -> None:
        @click.command("fail")
        @click.option("--json", "as_json", is_flag=True)
        def fail(as_json: bool) -> None:
            raise error

        monkeypatch.setitem(sys.modules, "cli.fail", SimpleNamespace(fail=fail))
        monkeypatch.setattr(main, "table", {**COMMANDS, "fail": Lazy("cli.fail:fail", "")})

    return with_error


def test_error_of_ours_tells_what_got_expected_and_next(uhi, failing):
    """Issue section 4: errors say what, got, expected, next step."""
    failing(DeliveryError("nobody answered", got="a timeout", expected="an ACK", next_step="try later"))

    done = uhi("fail")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == "error: nobody answered\n  got       a timeout\n  expected  an ACK\n  next      try later\n"


def test_mistake_in_the_setup_exits_with_2(uhi, failing):
    """Ours: scripts tell the caller's own mistakes from failures."""
    failing(SetupError("the key is missing"))

    assert uhi("fail").exit_code == 2


def test_error_under_json_is_an_object_on_standard_output(uhi, failing):
    """Issue section 4: `--json` everywhere."""
    failing(DeliveryError("nobody answered", got="a timeout"))

    done = uhi("fail", "--json")

    error = {"kind": "DeliveryError", "what": "nobody answered", "got": "a timeout"}
    assert (done.exit_code, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {"ok": False, "error": error}


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_unforeseen_error_tells_type_and_place_and_no_more(uhi, failing, options):
    """Issue section 4: no traceback reaches the user; an error's text can quote a patient's data."""
    failing(ValueError(CANARY))

    done = uhi("fail", *options)

    assert done.exit_code == 70
    assert "unforeseen ValueError at cli/test_main.py:" in done.output
    assert "Traceback" not in done.output
    assert "Priya" not in done.output
    assert "9876543210" not in done.output


def test_interruption_exits_with_130(uhi, failing):
    """The shell's convention for Ctrl-C."""
    failing(KeyboardInterrupt())

    done = uhi("fail")

    assert done.exit_code == 130
    assert done.stderr.strip() == "error: interrupted"


def test_wrong_command_is_answered_with_the_one_that_was_meant(uhi):
    """Ours: the next step of a typing mistake is the right word."""
    done = uhi("sing", "--json")

    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["what"] == "no such command: sing; did you mean sign?"


@pytest.mark.parametrize("arguments", [("--bogus",), ("sign", "--bogus"), ("sign",), ("verify", "b", "--now", "soon")])
def test_wrong_call_exits_with_2_and_points_to_help(uhi, arguments):
    """Ours: usage errors look like all others."""
    done = uhi(*arguments)

    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "--help shows how to call it" in done.stderr


def test_command_alone_shows_the_commands(uhi):
    """Ours: a newcomer types the name first."""
    done = uhi()

    assert done.exit_code == 2
    assert all(name in done.stderr for name in COMMANDS)


def test_command_whose_module_is_missing_spoils_only_itself(uhi, monkeypatch):
    """Ours: help and every other command still work."""
    monkeypatch.setattr(main, "table", {**COMMANDS, "gone": Lazy("cli.gone:gone", "Not there.")})

    done = uhi("gone")

    assert uhi("--help").exit_code == 0
    assert done.exit_code == 2
    assert "no module cli.gone" in done.stderr


def test_version_is_printed(uhi):
    """Ours: the first question of every bug report."""
    done = uhi("--version")

    assert done.exit_code == 0
    assert done.stdout.startswith("uhi-network ")


CALLS = [(), ("keys",), ("keys", "new"), ("keys", "show"), ("keys", "convert"), ("sign",), ("verify",), ("serve",)]
CALLS += [("gateway",), ("gateway", "serve"), ("registry",), ("registry", "serve")]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_every_command_explains_itself(uhi, call):
    """Ours: `--help` names the command, says in a sentence what it does, and explains each option."""
    done = uhi(*call, "--help")

    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: {' '.join(('uhi', *call))} ")
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines() if line.lstrip().startswith("--"))


def test_signing_does_not_load_an_http_server():
    """Ours: commands are loaded when they are called."""
    program = (
        "import sys\nfrom cli.main import main\n"
        "try: main(['sign', '--help'], 'uhi')\n"
        "except SystemExit: print(*sorted({'aiohttp', 'structlog', 'pydantic'} & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr.split() == []

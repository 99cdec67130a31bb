"""Doors that only a few may open: the environment, the clock, the proof of a verified message, every exception."""

from __future__ import annotations

import ast

CATCHES_EVERYTHING = {
    "cli/main.py",  # the command's own end: no traceback reaches a person
    "gateway/network_registry/entrance.py",  # the registry's door
    "uhi/api/serving.py",  # the door of REST interfaces, and the middleware around it
    "uhi/exchange/background.py",  # the worker loops: one bad round does not end them
    "uhi/exchange/posting.py",  # a letter that we fail on is put off, the others go on
    "uhi/exchange/entrance.py",  # every other door
    "uhi/handlers.py",  # the handler runner
    "uhi/http/server.py",  # the outer middleware: whatever fails around a door is a NACK too
    "uhi/registry/callbacks.py",  # the door for the registry alone
    "uhi/storage/sql/groups.py",  # the one writer: a write that fails is told to whoever waits for it
}
MAKES_THE_PROOF = {"uhi/exchange/receive.py", "uhi/verified.py"}
READS_THE_CLOCK = {"uhi/clock.py"}
PRINTS = {"schemas/generate.py"}


def test_only_settings_read_the_environment(product):
    """Ours: a program's whole configuration stands in its `settings.py`."""
    others = [source for source in product if not source.path.endswith("/settings.py")]

    readers = [use for source in others for use in source.uses(r"os\.(environb?|getenv)|(.*\.)?BaseSettings")]

    assert readers == []


def test_only_the_clock_tells_the_time(product):
    """Ours: time is an argument or a `Clock`, so that a test can move it."""
    others = [source for source in product if source.path not in READS_THE_CLOCK]
    clock = r"(.*\.)?(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|gmtime|localtime))"

    assert [use for source in others for use in source.uses(clock)] == []


def test_only_the_doors_make_a_verified_message(product):
    """Decision on the doors: forging a verified message is a type error; the proof is theirs and the test network's."""
    others = [
        source
        for source in product
        if source.path not in MAKES_THE_PROOF and not source.path.startswith("uhi/testing/")
    ]

    assert [use for source in others for use in source.uses(r"(.*\.)?_Proof")] == []


def test_every_exception_is_caught_at_few_places_only(product):
    """Decision on errors: the two doors, the handler runner and the worker loop; all else names what it expects."""
    others = [source for source in product if source.path not in CATCHES_EVERYTHING]

    caught = [f"{source.path}:{node.lineno}" for source in others for node in ast.walk(source.tree) if _is_broad(node)]

    assert caught == []


def test_only_the_command_prints(product):
    """Ours: a library logs; the command and the generators speak to a terminal."""
    others = [source for source in product if not source.path.startswith("cli/") and source.path not in PRINTS]

    assert [use for source in others for use in source.uses("print")] == []


def _is_broad(node: ast.AST) -> bool:
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=caught) if caught is not None:
            return _names_everything(caught)
        case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
            return any(_names_everything(argument) for argument in args)
    return False


def _names_everything(caught: ast.expr) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(kind) in {"Exception", "BaseException"} for kind in kinds)

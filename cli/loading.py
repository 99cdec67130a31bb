"""From a name on the command line to a participant: `module:object`, or the short name of an installed one."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from uhi.errors import SetupError
from uhi.participant import Participant

GROUP = "uhi.participants"
"""The entry-point group in which installed packages name their participants."""

_EXPECTED = "MODULE:APP, such as clinic.app:app, or the name of an installed participant"


def load_participant(target: str) -> Participant:
    """The participant that `target` names: the object itself, or what the function there returns without arguments.

    Modules are looked for in the current folder too. Raises: SetupError when there is none.
    """
    found = _from_module(target) if ":" in target else _from_entry_point(target)
    if isinstance(found, Participant):
        return found
    if callable(found):
        return _made_by(found, target)
    raise SetupError(
        f"{target} is no participant",
        got=f"an object of type {type(found).__name__}",
        expected="a uhi.Participant, or a function that returns one",
    )


def _from_module(target: str) -> object:
    module, _, path = target.partition(":")
    if not module or not path:
        raise SetupError(f"{target} names nothing to serve", expected=_EXPECTED)
    if "/" in module or module.endswith(".py"):
        dotted = module.removesuffix(".py").strip("./").replace("/", ".")
        raise SetupError(f"{module} is a path", expected=_EXPECTED, next_step=f"write {dotted}:{path}")
    found: object = _import(module)
    for name in path.split("."):
        if not hasattr(found, name):
            raise SetupError(
                f"module {module} has no {path}", got=_offered(found), expected="the name of a participant in it"
            )
        found = getattr(found, name)
    return found


def _import(module: str) -> object:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
    except SyntaxError as error:
        raise SetupError(
            f"module {module} cannot be read", got=f"a syntax error in {error.filename}, line {error.lineno}"
        ) from None
    if module == missing or module.startswith(f"{missing}."):
        raise SetupError(
            f"there is no module {missing}",
            expected="a module of this folder or an installed one, written with dots and without .py",
            next_step=f"start it in the folder that holds {missing.partition('.')[0]}, or install its package",
        )
    raise SetupError(
        f"module {module} needs {missing}, which is not installed",
        next_step=f"install the package that holds {missing}",
    )


def _from_entry_point(name: str) -> object:
    known = {point.name: point for point in entry_points(group=GROUP)}
    if name not in known:
        raise SetupError(
            f"there is no participant called {name}",
            got=f"installed are: {', '.join(sorted(known))}" if known else "none is installed",
            expected=_EXPECTED,
        )
    return _from_module(known[name].value)


def _made_by(function: Callable[..., object], target: str) -> Participant:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        raise SetupError(
            f"{target} cannot be called",
            got="a function or class that needs arguments",
            expected="one without, that returns a uhi.Participant",
            next_step="write a function that makes the participant, and name that",
        ) from None
    made = function()
    if isinstance(made, Participant):
        return made
    if inspect.iscoroutine(made):
        made.close()
    raise SetupError(
        f"{target} returned no participant", got=f"a value of type {type(made).__name__}", expected="a uhi.Participant"
    )


def _offered(holder: object) -> str:
    names = [name for name, value in getattr(holder, "__dict__", {}).items() if isinstance(value, Participant)]
    return f"participants called {', '.join(names)}" if names else "no participant by any other name"

"""The steps that make the schema, of the library and of whoever adds some, and how far a database is along them.

Above: `uhi.storage.migrating`. Below: Alembic's reading of the folders `versions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from uhi.errors import SetupError
from uhi.storage import migrations
from uhi.storage.migrations import VERSION_TABLE

GROUP = "uhi.migrations"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far a database is: its newest step of each branch, what is still to be applied (oldest first), and `ahead`,
    the newest steps of branches that a newer release has brought further than this program knows."""

    applied: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether this program can work on it: it has every step known here, and perhaps more."""
        return not self.pending


class Steps:
    """All steps known here. `folders` hold one Python file for each."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        script = ScriptDirectory.from_config(self.config())
        self._by_name = {each.revision: each for each in script.walk_revisions()}
        # Alembic takes branches in any order, here they have one; within a branch a step stays behind the one before.
        oldest_first = list(reversed(self._by_name))
        oldest_first.sort(key=branch_of)
        self._oldest_first = tuple(oldest_first)

    def config(self, connection: Connection | None = None) -> Config:
        """What Alembic's commands are called with."""
        config = Config(attributes={"connection": connection})
        for name, value in (
            ("script_location", str(Path(migrations.__file__).parent)),
            ("path_separator", "newline"),
            ("version_locations", "\n".join(map(str, self._folders))),
        ):
            config.set_main_option(name, value.replace("%", "%%"))
        return config

    def state(self, heads: Sequence[str]) -> SchemaState:
        """What the rows of the version table mean."""
        ahead = tuple(head for head in heads if head not in self._by_name)
        done = set(self._down_from(head for head in heads if head in self._by_name))
        beyond = {branch_of(head) for head in ahead}
        pending = (name for name in self._oldest_first if name not in done and branch_of(name) not in beyond)
        return SchemaState(tuple(sorted(heads)), tuple(pending), ahead)

    def state_on(self, connection: Connection) -> SchemaState:
        """How far the database behind a connection is."""
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return self.state(context.get_current_heads())

    def _down_from(self, heads: Iterable[str]) -> Iterator[str]:
        left = list(heads)
        while left:
            name = left.pop()
            yield name
            left.extend(_before(self._by_name[name]))


@cache
def steps(further: tuple[Path, ...] = ()) -> Steps:
    """The steps of everything that is installed, and those in `further` folders.

    Raises: SetupError when an installed package names a folder that is not there.
    """
    return Steps(dict.fromkeys([*_installed(), *further]))


def _installed() -> Iterator[Path]:
    yield Path(migrations.__file__).parent / "versions"
    for entry in entry_points(group=GROUP):
        spec = find_spec(entry.module)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places:
            raise SetupError(
                f"the migrations of {entry.name} are not found",
                got=f"no package {entry.module}",
                expected=f"a package with a folder versions, as the entry point in {GROUP} says",
                next_step=f"install the package that brings {entry.name} again",
            )
        yield Path(places[0]) / "versions"


def _before(script: Script) -> tuple[str, ...]:
    match script.down_revision:
        case None:
            return ()
        case str(name):
            return (name,)
        case names:
            return tuple(names)


def branch_of(revision: str) -> str:
    """The branch that a step belongs to, which its name begins with."""
    return revision.rpartition("_")[0]

"""`uhi hospital load`, `import`, `list`: what a hospital is made of, out of files at the operator's word, and by id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from sqlalchemy import Connection

from cli.loop import run
from cli.output import json_option, plain, say, say_rows, show
from cli.people_admin import operator_acting, place_of, settings_at
from cli.stored import check_there, database_option
from participants.hospital.loading import LoadedHospital, load_hospital_file
from participants.hospital.organisations.belonging import check_organisation
from participants.hospital.organisations.importing import Imported, import_practitioners
from participants.hospital.organisations.people import in_sight
from participants.hospital.organisations.shelf import ORGANISATIONS, PRACTITIONERS
from participants.hospital.settings import HospitalSettings
from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.storage.migrating import check_current, current, upgrade
from uhi.storage.sql.database import Database

MISTAKEN = 1
_MOST = 4 * 1024 * 1024


@click.command(short_help="Make an organisation with doctors and hours from a YAML file.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@database_option
@json_option
def load(file: Path, url: str, as_json: bool) -> None:
    """Take in the hospital that FILE describes: one verified organisation with its locations, doctors, fees and hours.

    The form of FILE is that of the demo hospitals (participants/demo_hospital/demo). Loading it again changes what FILE
    has changed. A running hospital knows of it within a second. Audited.
    """
    settings = settings_at(HospitalSettings, url)
    loaded = run(_load(settings, file))
    told = {"organisation": loaded.organisation_id, "practices": loaded.practices}

    def human() -> None:
        say(f"{plain(loaded.name)} is there, with {loaded.practices} practices.", style="bold green")
        say_rows([("organisation", loaded.organisation_id), *place_of(settings).items()])
        for address in loaded.without_registration:
            say(f"{plain(address)} is not offered online: FILE names no registration with a medical council.")
        say("Next, invite an administrator:")
        say(f"  uhi hospital admin invite EMAIL --role hospital.admin --organisation {loaded.organisation_id}")

    show({"ok": True, **place_of(settings), **told}, human, as_json=as_json)


@click.command("import", short_help="Add an organisation's practitioners from a CSV file.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--organisation", required=True, metavar="ID", help="The id that uhi hospital list shows.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@database_option
@json_option
def import_rows(file: Path, organisation: str, dry_run: bool, url: str, as_json: bool) -> int:
    """Add practitioners with their practices and fees from the CSV file FILE: all of it, or nothing and every mistake.

    Practitioners are known by HPR address, practices by practitioner and location: importing again changes what FILE
    has changed. The exit code is 1 where FILE has mistakes. Audited.
    """
    settings = settings_at(HospitalSettings, url)
    text = _text(file)
    done = run(_import(settings, organisation, text, dry_run=True))
    if not done.mistakes and not dry_run:
        done = run(_import(settings, organisation, text, dry_run=False))
    _show_imported(done, file, dry_run=dry_run, settings=settings, as_json=as_json)
    return MISTAKEN if done.mistakes else 0


def _show_imported(done: Imported, file: Path, *, dry_run: bool, settings: HospitalSettings, as_json: bool) -> None:
    counts = {"created": done.created, "changed": done.changed, "unchanged": done.unchanged}
    mistakes = [{"line": each.line, "column": each.column, "message": each.message} for each in done.mistakes]

    def human() -> None:
        for each in done.mistakes:
            where = f"{each.line}, {each.column}" if each.column else f"{each.line}"
            say(f"{file}, line {where}: {plain(each.message)}", style="red")
        if done.mistakes:
            say(f"{file}: nothing was written. Correct these mistakes and import it again.")
            return
        say("This is what would be done." if dry_run else "Imported.", style="bold green")
        say_rows([*((name, str(number)) for name, number in counts.items()), *place_of(settings).items()])

    told = {**counts, "dry_run": dry_run, "mistakes": mistakes}
    show({"ok": not done.mistakes, **place_of(settings), **told}, human, as_json=as_json)


async def _load(settings: HospitalSettings, file: Path) -> LoadedHospital:
    url = settings.storage_url
    if url.startswith("sqlite") and not (await current(url)).is_current:
        await upgrade(url)
    async with _database(settings) as database:
        return await load_hospital_file(database, file, acting=operator_acting())


async def _import(settings: HospitalSettings, organisation: str, text: str, *, dry_run: bool) -> Imported:
    async with _database(settings) as database:
        return await import_practitioners(database, organisation, text, acting=operator_acting(), dry_run=dry_run)


@click.command("list", short_help="List organisations, or one's practitioners, with their ids.")
@click.option("--organisation", default="", metavar="ID", help="List the practitioners of this one instead.")
@database_option
@json_option
def list_there(organisation: str, url: str, as_json: bool) -> None:
    """List the organisations that are here; with --organisation the practitioners whom that one knows.

    Only reads, also while the hospital runs. The ids are what `invite` and `import` take.
    """
    settings = settings_at(HospitalSettings, url)
    kind = "practitioners" if organisation else "organisations"
    found = run(_listed(settings, organisation))

    def human() -> None:
        say_rows(place_of(settings).items(), indent=0)
        for each in found:
            which, name, more = each.values()
            say(f"{which}  {plain(name)}  ({more})")
        if not found:
            say(f"No {kind} are here yet. `uhi hospital load` makes some from a file.")

    show({"ok": True, **place_of(settings), kind: found}, human, as_json=as_json)


async def _listed(settings: HospitalSettings, organisation: str) -> list[dict[str, str]]:
    def organisations(connection: Connection) -> list[dict[str, str]]:
        return [{"id": e.id, "name": e.name, "state": e.state} for e in ORGANISATIONS.all(connection)]

    def practitioners(connection: Connection) -> list[dict[str, str]]:
        check_organisation(connection, organisation, path="organisation")
        known = PRACTITIONERS.all(connection, *in_sight(frozenset({organisation})))
        return [{"id": e.id, "name": e.name, "hpr_address": e.hpr_address} for e in known]

    async with _database(settings) as database:
        return await database.read(practitioners if organisation else organisations)


@asynccontextmanager
async def _database(settings: HospitalSettings) -> AsyncIterator[Database]:
    check_there(settings.storage_url)
    await check_current(settings.storage_url)
    database = Database.open(settings.storage_url, clock=SystemClock())
    try:
        yield database
    finally:
        await database.aclose()


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
        if len(raw) > _MOST:
            raise SetupError(f"the file {file} is too large", expected=f"at most {_MOST:,} bytes")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise SetupError(
            f"the file {file} cannot be read", got=error.strerror or type(error).__name__, next_step="check the path"
        ) from None
    except UnicodeDecodeError:
        raise SetupError(f"the file {file} is not UTF-8", next_step="save it as UTF-8") from None

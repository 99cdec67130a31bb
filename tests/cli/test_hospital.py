"""`uhi hospital`: loads and imports what a hospital is made of, checks its records and makes them anew."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from participants.hospital.organisations.csv_rows import COLUMNS
from tests.cli.test_hospital_admin import environment  # noqa: F401  # the same settings
from tests.participants.hospital.house import ASHA, House
from tests.participants.hospital.premises import settings_in
from tests.participants.hospital.towns import CITY
from uhi.clock import SystemClock
from uhi.storage.sql.database import Database


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The file of a hospital."""
    file = tmp_path / "city.yaml"
    file.write_text(CITY, "utf-8")
    return file


def loaded(uhi, city: Path) -> dict[str, object]:
    """What loading a file tells."""
    return json.loads(uhi("hospital", "load", str(city), "--json").stdout)


def run_sql(url: str, *statements: str) -> None:
    """Somebody changes the database behind everybody's back."""

    async def run() -> None:
        database = Database.open(url, clock=SystemClock())
        for each in statements:
            await database.write(lambda connection, each=each: connection.execute(text(each)).rowcount)
        await database.aclose()

    asyncio.run(run())


def take_a_booking(url: str, folder: Path) -> str:
    """A hospital runs, and takes one booking; returns the id of the order."""

    async def book() -> str:
        async with House.open(url, folder) as house:
            await house.settle_in()
            return (await house.book(ASHA)).order_id

    return asyncio.run(book())


def test_file_becomes_an_organisation(uhi, environment, city):  # noqa: F811
    """Issue 5: organisation, practitioners, schedules; doing it again is harmless."""
    first, again = loaded(uhi, city), loaded(uhi, city)
    human = uhi("hospital", "load", str(city))

    assert (first["ok"], first["practices"], again) == (True, 2, first)
    assert f"--role hospital.admin --organisation {first['organisation']}" in human.stdout


def test_mistake_in_a_file_is_named(uhi, environment, tmp_path):  # noqa: F811
    """Ours: what, got, expected, next step, with file and line; nothing is taken in."""
    (tmp_path / "bad.yaml").write_text(CITY.replace("fee: 500.00", "fee: free"), "utf-8")

    done = uhi("hospital", "load", str(tmp_path / "bad.yaml"))

    assert (done.exit_code, "bad.yaml" in done.stderr, "rupees" in done.stderr) == (2, True, True)


def test_practitioners_are_imported(uhi, environment, city, tmp_path):  # noqa: F811
    """Issue 5: import from CSV; a dry run writes nothing, importing again changes nothing."""
    organisation = str(loaded(uhi, city)["organisation"])
    row = {"hpr_address": "new.doctor@hpr.ndhm", "name": "Dr. New Doctor", "location": "city-main"}
    row |= {"speciality": "CARDIOLOGY", "physical_fee": "300"}
    file = tmp_path / "doctors.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{','.join(row.get(name, '') for name in COLUMNS)}\n", "utf-8")
    given = ("hospital", "import", str(file), "--organisation", organisation, "--json")

    dry, done, again = (json.loads(uhi(*given, *more).stdout) for more in (("--dry-run",), (), ()))

    assert [(each["created"], each["unchanged"]) for each in (dry, done, again)] == [(1, 0), (1, 0), (0, 1)]


def test_ids_are_listed(uhi, environment, city):  # noqa: F811
    """Ours: whoever is asked for an id can see which there are."""
    organisation = str(loaded(uhi, city)["organisation"])

    human = uhi("hospital", "list").stdout
    people = json.loads(uhi("hospital", "list", "--organisation", organisation, "--json").stdout)["practitioners"]
    nowhere = uhi("hospital", "list", "--organisation", "nowhere")

    assert f"{organisation}  City Hospital  (VERIFIED)" in human
    assert {each["hpr_address"] for each in people} == {"asha.verma@hpr.ndhm", "ravi.nair@hpr.ndhm"}
    assert (nowhere.exit_code, "no organisation with this id" in nowhere.stderr) == (1, True)


def test_every_mistake_of_an_import_is_told(uhi, environment, city, tmp_path):  # noqa: F811
    """Ours: line and column of each, and nothing is written; the exit code is 1."""
    organisation = str(loaded(uhi, city)["organisation"])
    (tmp_path / "bad.csv").write_text("hpr_address,name\nnobody,\n", "utf-8")

    done = uhi("hospital", "import", str(tmp_path / "bad.csv"), "--organisation", organisation)

    assert (done.exit_code, "bad.csv, line " in done.stdout, "nothing was written" in done.stdout) == (1, True, True)


def test_import_needs_a_file_and_an_organisation(uhi, environment, city, tmp_path):  # noqa: F811
    """Ours: what is not there is named."""
    loaded(uhi, city)

    missing = uhi("hospital", "import", str(tmp_path / "none.csv"), "--organisation", "x")
    unsaid = uhi("hospital", "import", str(city))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe")

    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)
    assert (unsaid.exit_code, "--organisation" in unsaid.stderr) == (2, True)
    assert "not UTF-8" in uhi("hospital", "import", str(binary), "--organisation", "x").stderr


def test_sound_records_pass(uhi, environment, tmp_path):  # noqa: F811
    """Issue 5: `uhi hospital check`; nothing of a patient is printed."""
    take_a_booking(environment, tmp_path)

    done = uhi("hospital", "check")
    told = json.loads(uhi("hospital", "check", "--json").stdout)

    assert (done.exit_code, told["ok"], told["faults"]) == (0, True, [])
    assert "Everything fits together" in done.stdout
    assert "Ravi" not in done.stdout


def test_faults_are_named_and_put_right(uhi, environment, tmp_path):  # noqa: F811
    """Issue 5: checked against the streams, exit code 1; rebuilt from them."""
    take_a_booking(environment, tmp_path)
    run_sql(environment, "UPDATE orders SET state = 'FAILED'")

    found = uhi("hospital", "check", "--json")
    done = json.loads(uhi("hospital", "rebuild", "--json").stdout)
    after = uhi("hospital", "check")

    assert (found.exit_code, [fault[0] for fault in json.loads(found.stdout)["faults"]]) == (1, ["j", "r"])
    assert (done["ok"], done["orders"], after.exit_code) == (True, 1, 0)
    assert done["orders_put_right"] or done["claims_put_right"]


def test_operator_reads_what_is_wrong_and_what_to_do(uhi, environment, tmp_path):  # noqa: F811
    """Ours: no letters of rules; what helps against one thing is not told for another."""
    order_id = take_a_booking(environment, tmp_path)
    run_sql(environment, "DELETE FROM hold", "DROP TRIGGER order_event_no_delete")
    claimless = uhi("hospital", "check").stdout
    run_sql(environment, "DELETE FROM order_event WHERE version = 2")

    gone, rebuilt = uhi("hospital", "check").stdout, uhi("hospital", "rebuild")

    assert f"order {order_id}: is booked, and has no claim of its slot" in claimless
    assert ("uhi hospital rebuild" in claimless, "backup" in claimless) == (True, False)
    assert (f"order {order_id}: lacks some of its events" in gone, "backup" in gone) == (True, True)
    assert (rebuilt.exit_code, order_id in rebuilt.stdout, "backup" in rebuilt.stdout) == (1, True, True)


def test_another_hospital_is_not_sound(uhi, environment, tmp_path, monkeypatch):  # noqa: F811
    """Ours: whoever names another subscriber by mistake is not told that all is well."""
    take_a_booking(environment, tmp_path)
    monkeypatch.setenv("UHI_SUBSCRIBER_ID", "other.example")

    told = uhi("hospital", "check").stdout

    assert ("UHI_SUBSCRIBER_ID" in told, "Everything fits" in told) == (True, False)


def test_rebuild_waits_for_the_hospital_to_stop(uhi, environment, tmp_path):  # noqa: F811
    """Ours: nobody makes the lists anew of a hospital that serves from the same file."""
    take_a_booking(environment, tmp_path)

    async def rebuild_meanwhile() -> tuple[int, str]:
        async with House.open(environment, tmp_path):
            done = await asyncio.to_thread(uhi, "hospital", "rebuild")
            return done.exit_code, done.stderr

    code, told = asyncio.run(rebuild_meanwhile())

    assert (code, "another process serves" in told) == (2, True)


def test_rebuild_is_audited(uhi, environment, tmp_path):  # noqa: F811
    """Issue 5: every change is audited, as the operator's doing."""
    take_a_booking(environment, tmp_path)
    uhi("hospital", "rebuild")

    told = uhi("audit", "list", "--json").stdout

    assert "appointments.rebuild" in told
    assert settings_in(tmp_path, environment).subscriber_id in told


def test_group_says_how_the_hospital_is_run(uhi):
    """Decision 41: servers are `uhi serve`."""
    assert "uhi serve hospital" in uhi("hospital", "--help").stdout

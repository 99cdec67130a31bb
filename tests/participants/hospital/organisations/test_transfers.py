"""Practitioners in and out as CSV: all or nothing, again without effect, no formula in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from participants.hospital.organisations.csv_rows import COLUMNS, MOST_ROWS, read_rows, write_rows
from participants.hospital.organisations.importing import MOST_MISTAKES, import_practitioners
from tests.participants.hospital.organisations.scene import MACHINE, record
from uhi.errors import Refusal

HEADER = "hpr_address,name,registration_number,council,location,department,speciality,physical_fee,online_fee"
ASHA = "asha.verma@hpr.ndhm,Dr. Asha Verma,MMC/1,Maharashtra Medical Council,main,,CARDIOLOGY,800,499.50"
IMRAN = "imran.shaikh@hpr.ndhm,Dr. Imran Shaikh,,,main,,UROLOGY,650,"
IMPORT, EXPORT = "/v1/imports/practitioners", "/v1/exports/practitioners"


def text(*rows: str) -> str:
    """A file with these rows."""
    return "\n".join([HEADER, *rows, ""])


async def test_a_file_makes_practitioners_practices_and_services(ward, clinic):
    """Issue 5: import from CSV."""
    got = record(await ward.post(clinic.admin, IMPORT, csv=text(ASHA, IMRAN)))

    booked = ward.organisations.directory.snapshot.by_doctor
    assert (got["created"], got["changed"], got["unchanged"], got["mistakes"]) == (2, 0, 0, [])
    assert {kind: str(q.total) for kind, q in booked["asha.verma@hpr.ndhm"][0].quotes.items()} == {
        "Physical": "800.00",
        "Online": "499.50",
    }
    assert booked["imran.shaikh@hpr.ndhm"][0].doctor.speciality.code == "UROLOGY"


async def test_a_file_again_changes_nothing(ward, clinic):
    """Issue 5: idempotent by HPR address and location."""
    await ward.post(clinic.admin, IMPORT, csv=text(ASHA, IMRAN))
    changed = record(await ward.post(clinic.admin, IMPORT, csv=text(ASHA.replace("800", "900"), IMRAN)))

    again = record(await ward.post(clinic.admin, IMPORT, csv=text(ASHA.replace("800", "900"), IMRAN)))

    assert (changed["created"], changed["changed"], changed["unchanged"]) == (0, 1, 1)
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)


async def test_an_empty_fee_ends_an_offer(ward, clinic):
    """Ours: an empty fee says that this kind is not offered."""
    await ward.post(clinic.admin, IMPORT, csv=text(ASHA))

    await ward.post(clinic.admin, IMPORT, csv=text(ASHA.replace("499.50", "")))

    (practice,) = ward.organisations.directory.snapshot.practices.values()
    assert set(practice.quotes) == {"Physical"}


async def test_every_mistake_is_told_and_nothing_is_written(ward, clinic):
    """Issue 5: all rows are checked first, every mistake by line and column."""
    rows = text(
        ASHA,
        "no address,Dr. B,,,main,,CARDIOLOGY,1,",
        "c@hpr.ndhm,Dr. C,,,elsewhere,Heart,NOTHING,1,",
        "d@hpr.ndhm,Dr. D,,,main,,CARDIOLOGY,a lot,",
        "e@hpr.ndhm,Dr. E,,,main,,CARDIOLOGY,1,1",
        ASHA.replace("Dr. Asha Verma", "Dr. A. Verma"),
        "f@hpr.ndhm,too,few",
    )

    got = await ward.post(clinic.admin, IMPORT, csv=rows)

    assert got.status == 400
    assert [each["path"] for each in got.json["errors"]] == [
        *("line 3, hpr_address", "line 4, department", "line 4, location", "line 4, speciality"),
        *("line 5, physical_fee", "line 6, online_fee", "line 7, location", "line 7, name", "line 8"),
    ]
    assert record(await ward.get(clinic.admin, "/v1/practitioners"))["practitioners"] == []


async def test_what_stands_elsewhere_in_a_line_with_a_mistake_is_checked_too(ward, clinic):
    """Ours: all that can be known is told at once, so that nobody corrects a file round after round."""
    rows = text(
        "no address,Dr. B,,,elsewhere,,NOTHING,much,",
        "e@hpr.ndhm,Dr. E,,,elsewhere,,CARDIOLOGY,1,1",
        "f@hpr.ndhm,,,,main,,CARDIOLOGY,1,",
        "f@hpr.ndhm,Dr. F,,,main,,CARDIOLOGY,1,",
        'g@hpr.ndhm,Dr. G,,,main,,"open',
    )

    got = await ward.post(clinic.admin, IMPORT, csv=rows)

    assert [each["path"] for each in got.json["errors"]] == [
        *("line 2, hpr_address", "line 2, location", "line 2, physical_fee", "line 2, speciality"),
        *("line 3, location", "line 3, online_fee", "line 4, name", "line 5, location", "line 6"),
    ]


async def test_the_other_columns_are_checked_where_the_header_has_a_mistake(ward, clinic):
    """Ours: a misspelled column is a mistake of the header, and of no line below it."""
    file = text(ASHA, IMRAN.replace("main", "elsewhere")).replace("registration_number", "registration no")

    got = await ward.post(clinic.admin, IMPORT, csv=file)

    assert [each["path"] for each in got.json["errors"]] == ["line 1, 3", "line 3, location"]


async def test_so_many_mistakes_are_told_at_once(ward, clinic):
    """Ours: an answer has an end; how many more there are is said."""
    rows = text(*(f"d{number}@hpr.ndhm,Dr. D,,,elsewhere,,NOTHING,1," for number in range(MOST_MISTAKES)))

    got = await ward.post(clinic.admin, IMPORT, csv=rows)

    told = [each["message"] for each in got.json["errors"]]
    assert (len(told), f"{MOST_MISTAKES} further mistakes" in told[-1]) == (MOST_MISTAKES + 1, True)


async def test_a_dry_run_says_the_same_and_writes_nothing(ward, clinic):
    """Issue 5: dry_run."""
    before = await ward.trail()
    fine = record(await ward.post(clinic.admin, IMPORT, csv=text(ASHA), dry_run=True))
    wrong = record(await ward.post(clinic.admin, IMPORT, csv=text("x,Dr. X,,,main,,CARDIOLOGY,1,"), dry_run=True))

    assert (fine["created"], fine["mistakes"]) == (1, [])
    assert [(each["line"], each["column"]) for each in wrong["mistakes"]] == [(2, "hpr_address")]
    assert await ward.trail() == before


async def test_the_command_line_imports_as_well(ward, clinic, database):
    """Issue 5: a function used by the command line."""
    done = await import_practitioners(database, clinic.id, text(ASHA), acting=MACHINE)

    assert done.created == 1
    assert ("practitioner.import", "operator") in await ward.trail()
    with pytest.raises(Refusal):
        await import_practitioners(database, "nobody", text(ASHA), acting=MACHINE)


async def test_a_practitioner_kept_elsewhere_is_only_named(ward, clinic):
    """Ours: an import changes nothing that another organisation keeps."""
    other = await ward.hospital("IN2710000202", name="Lakeside")
    await clinic.doctor("imran.shaikh@hpr.ndhm", name="Dr. Imran Shaikh")

    wrong = await ward.post(other.admin, IMPORT, csv=text(IMRAN.replace("Dr. Imran", "Dr. I.")))
    fine = record(await ward.post(other.admin, IMPORT, csv=text(IMRAN)))

    assert [each["path"] for each in wrong.json["errors"]] == ["line 2, name"]
    assert fine["created"] == 1


async def test_what_is_exported_can_be_imported(ward, clinic):
    """Issue 5: an export to the same CSV."""
    await ward.post(clinic.admin, IMPORT, csv=text(ASHA, IMRAN))

    file = record(await ward.get(clinic.admin, EXPORT))
    again = record(await ward.post(clinic.admin, IMPORT, csv=file["csv"]))

    assert file["rows"] == 2
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)


async def test_an_export_holds_nothing_foreign(ward, clinic):
    """Acceptance IAM-03: exports too."""
    other = await ward.hospital("IN2710000202", name="Lakeside")
    await ward.post(other.admin, IMPORT, csv=text(IMRAN))

    own = record(await ward.get(clinic.admin, EXPORT))
    foreign = await ward.get(clinic.admin, EXPORT, organisation_id=other.id)

    assert (own["rows"], foreign.status) == (0, 404)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted'", "\t=1"])
def test_no_cell_is_a_formula(name):
    """OWASP, CSV injection: a spreadsheet runs what begins so; reading gives the name back."""
    written = write_rows([{"hpr_address": "a@hpr.ndhm", "name": name, "location": "main", "speciality": "UROLOGY"}])

    cells = next(csv.DictReader(io.StringIO(written)))

    assert cells["name"].startswith("'")
    assert [each.row.name for each in read_rows(written).rows] == [name.strip()]


@pytest.mark.parametrize(
    ("file", "places"),
    [
        ("", [(1, each) for each in ("hpr_address", "name", "location", "speciality")]),
        ("hpr_address,name,location,speciality,tenant\n", [(1, "5")]),
        ("hpr_address,name,name,location,speciality\n", [(1, "name")]),
        (f'{HEADER}\n"open', [(2, "")]),
        (f"{HEADER}\n{'x' * 200_000}\n", [(2, "")]),
    ],
)
def test_a_file_of_another_form_is_refused(file, places):
    """Ours: the header names the columns."""
    reading = read_rows(file)

    assert [(each.line, each.column) for each in reading.mistakes] == places


def test_lines_are_counted_as_an_editor_shows_them():
    """Ours: empty lines count, and a cell may have several."""
    rows = '\ufeffhpr_address,name,location,speciality\n\n"a@hpr.ndhm",A,"ma\nin",UROLOGY\nb,B,main,UROLOGY\n'

    assert [(each.line, each.column) for each in read_rows(rows).mistakes] == [(3, "location"), (5, "hpr_address")]


def test_a_file_has_an_end():
    """Ours: so many rows at once, so that nobody waits for long."""
    rows = "\n".join(f"d{number}@hpr.ndhm,D,main,UROLOGY" for number in range(MOST_ROWS + 1))

    (mistake,) = read_rows(f"hpr_address,name,location,speciality\n{rows}").mistakes

    assert mistake.line == MOST_ROWS + 2


def test_the_columns_are_these():
    """Ours: files that people keep go on working."""
    assert COLUMNS[:2] == ("hpr_address", "name")
    assert len(COLUMNS) == 19

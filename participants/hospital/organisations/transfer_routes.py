"""Practitioners in and out as CSV, over HTTP.

Above: `program`; below: `importing`, `exporting`.
"""

from __future__ import annotations

from participants.hospital.organisations.answers import ExportAnswer, ImportAnswer, MistakeAnswer
from participants.hospital.organisations.csv_rows import MOST_CSV
from participants.hospital.organisations.directory import Directory
from participants.hospital.organisations.exporting import export_practitioners
from participants.hospital.organisations.forms import ImportBody
from participants.hospital.organisations.importing import import_practitioners
from participants.hospital.organisations.queries import ExportQuery
from participants.hospital.organisations.reaching import MANAGES, READS, own
from uhi.api.routes import KIB, Call, Routes
from uhi.faults import RECORD_MISSING
from uhi.storage.sql.database import Database


class TransferPages:
    """Imports and exports."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("transfers", explains=True)
        # In JSON every line end and quote takes two bytes.
        size = 2 * MOST_CSV + KIB
        group.route(
            "POST",
            "/v1/imports/practitioners",
            MANAGES,
            body=ImportBody,
            answer=ImportAnswer,
            size=size,
            refuses=(RECORD_MISSING,),
        )(self.import_practitioners)
        group.route(
            "GET",
            "/v1/exports/practitioners",
            READS,
            body=ExportQuery,
            answer=ExportAnswer,
            refuses=(RECORD_MISSING,),
        )(self.export_practitioners)
        return group

    async def import_practitioners(self, call: Call[ImportBody]) -> ImportAnswer:
        """Take practitioners, practices and fees in from CSV: all of it, or nothing and every mistake."""
        asked = call.body
        owner = own(call, asked.organisation_id)
        done = await import_practitioners(self._database, owner, asked.csv, acting=call.acting, dry_run=asked.dry_run)
        await self._directory.catch_up()
        return ImportAnswer(
            created=done.created,
            changed=done.changed,
            unchanged=done.unchanged,
            mistakes=tuple(
                MistakeAnswer(line=each.line, column=each.column, message=each.message) for each in done.mistakes
            ),
        )

    async def export_practitioners(self, call: Call[ExportQuery]) -> ExportAnswer:
        """The active practices of one's organisation as CSV, as an import takes it."""
        owner = own(call, call.body.organisation_id)
        text, rows = await self._database.read(lambda connection: export_practitioners(connection, owner))
        return ExportAnswer(csv=text, rows=rows)

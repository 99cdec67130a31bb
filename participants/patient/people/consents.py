"""Consents: given to a notice, in force until withdrawn, asked for before each use; the evidence is never deleted.

Above: routes of people, search and bookings; below: the table. Source: cases IAM-15; privacy rules R3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, select, update

from participants.patient.people.notices import CURRENT, Notice, Purpose
from participants.patient.people.tables import patient_consent
from uhi.audit import Acting, Outcome
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import CONSENT_REQUIRED, STATE_REFUSED
from uhi.storage.sql.database import Database
from uhi.storage.sql.upserts import insert_on

_T = patient_consent.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent, and what it was given to. `withdrawn_at` is None while it is in force."""

    id: str
    account_id: str
    purpose: Purpose
    notice_version: int
    language: str
    text_hash: str
    given_at: float
    withdrawn_at: float | None


class Consents:
    """Who consented to what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(self, account_id: str, notice: Notice, *, acting: Acting) -> Consent:
        """Keep that somebody consents to a notice; the same again is the same consent.

        A consent to an earlier version ends with it.
        """

        def work(connection: Connection) -> Consent:
            known = _in_force(connection, account_id, notice.purpose)
            if known is not None and known.text_hash == notice.text_hash:
                return known
            now = self._database.clock.now()
            if known is not None:
                _end(connection, known.id, now)
            given = _row(account_id, notice, now)
            # Of two at once the first one's is in force.
            if connection.execute(
                insert_on(connection, patient_consent).values(given).on_conflict_do_nothing()
            ).rowcount:
                append(connection, acting.entry("consent.give", f"consent {given['id']}", at=now))
            return _needed(_in_force(connection, account_id, notice.purpose))

        return await self._database.write(work)

    async def withdraw(self, account_id: str, purpose: Purpose, *, acting: Acting) -> Consent:
        """End a consent, at once and for every process.

        Raises: Refusal(STATE_REFUSED) when none is in force.
        """

        def work(connection: Connection) -> Consent:
            known = _in_force(connection, account_id, purpose)
            if known is None:
                raise Refusal(STATE_REFUSED, "no consent is in force", next_step="there is nothing to withdraw")
            now = self._database.clock.now()
            _end(connection, known.id, now)
            append(connection, acting.entry("consent.withdraw", f"consent {known.id}", at=now))
            return replace(known, withdrawn_at=now)

        return await self._database.write(work)

    def end_all(self, connection: Connection, account_id: str, *, acting: Acting) -> None:
        """End every consent of an account, in the caller's transaction."""
        now = self._database.clock.now()
        for purpose in Purpose:
            known = _in_force(connection, account_id, purpose)
            if known is not None:
                _end(connection, known.id, now)
                append(connection, acting.entry("consent.withdraw", f"consent {known.id}", at=now))

    async def of(self, account_id: str) -> Sequence[Consent]:
        """All of an account's, the newest first."""
        query = select(patient_consent).where(_T.account_id == account_id).order_by(_T.given_at.desc(), _T.id.desc())
        return await self._database.read(lambda on: [_consent(row) for row in on.execute(query).mappings()])

    async def check(self, account_id: str, purpose: Purpose, *, acting: Acting) -> Consent:
        """The consent that a use stands on; a use without one is audited, with the consent that there was.

        Raises: Refusal(CONSENT_REQUIRED).
        """
        known = await self._database.read(lambda connection: _in_force(connection, account_id, purpose))
        current = {notice.text_hash for notice in CURRENT if notice.purpose is purpose}
        if known is not None and known.text_hash in current:
            return known
        last = next((each for each in await self.of(account_id) if each.purpose is purpose), None)
        about = f"consent {last.id}" if last else f"consent none {purpose.value}"

        def put_down(connection: Connection) -> None:
            entry = acting.entry(
                "consent.use",
                about,
                at=self._database.clock.now(),
                outcome=Outcome.REFUSED,
                reason=CONSENT_REQUIRED.type,
            )
            append(connection, entry)

        await self._database.write(put_down)
        refusal = Refusal(CONSENT_REQUIRED, next_step=f"show the notice and POST /v1/consents for {purpose.value}")
        refusal.mistakes = ((purpose.value, "show GET /v1/notices, then POST /v1/consents with its purpose"),)
        raise refusal


def _row(account_id: str, notice: Notice, now: float) -> dict[str, object]:
    return {
        "id": new_row_id(now),
        "account_id": account_id,
        "purpose": notice.purpose.value,
        "notice_version": notice.version,
        "language": notice.language,
        "text_hash": notice.text_hash,
        "given_at": now,
        "withdrawn_at": None,
    }


def _in_force(connection: Connection, account_id: str, purpose: Purpose) -> Consent | None:
    query = select(patient_consent).where(
        _T.account_id == account_id, _T.purpose == purpose.value, _T.withdrawn_at.is_(None)
    )
    row = connection.execute(query).mappings().one_or_none()
    return _consent(row) if row is not None else None


def _needed(consent: Consent | None) -> Consent:
    if consent is None:
        raise Refusal(STATE_REFUSED, "the consent was withdrawn meanwhile", next_step="give it again")
    return consent


def _end(connection: Connection, consent_id: str, now: float) -> None:
    connection.execute(update(patient_consent).where(_T.id == consent_id).values(withdrawn_at=now))


def _consent(row: RowMapping) -> Consent:
    return Consent(**{**row, "purpose": Purpose(str(row["purpose"]))})

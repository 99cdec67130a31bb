"""The rows of bookings: whose they are, what was agreed, what somebody thought of them.

Sync functions on a connection. Above: `desk`, `own_bookings`; below: `tables`, `data_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, or_, select, update

from participants.patient.bookings.answers import Standing
from participants.patient.bookings.tables import patient_agreement, patient_booking, patient_rating
from participants.patient.people.data_keys import DataKeys
from uhi.booking.booking_json import read_offer_json, write_offer
from uhi.booking.diary import Key
from uhi.booking.offers import Offer
from uhi.booking.states import OrderState
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.messages.values import Term
from uhi.storage.sealing import Sealing
from uhi.storage.sql.consumer_tables import consumer_booking
from uhi.storage.sql.upserts import insert_on
from uhi.verified import Thread

CONFIRM, CANCEL = "confirm", "cancel"

_B, _C = patient_booking.c, consumer_booking.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What the application keeps of a booking. `waits_for` is what the hospital was asked last and did not answer."""

    id: str
    account_id: str
    member_id: str
    consent_id: str
    key: Key
    offer: Offer = field(repr=False)
    replaces_id: str = ""
    waits_for: str = ""
    made_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Rating:
    """What somebody thought of an appointment, in one to five stars and their own words."""

    stars: int
    text: str = field(repr=False)
    rated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which bookings of an account: those that end after `since`, or before `until`, that stand in one of these ways
    `now` (empty: any); after the place `after` in the order, the latest first with `newest`."""

    account_id: str
    since: float | None = None
    until: float | None = None
    standings: frozenset[Standing] = frozenset()
    now: float = 0.0
    after: tuple[float, str] | None = None
    newest: bool = False
    most: int = 20


@dataclass(frozen=True, slots=True)
class BookingRows:
    """Reads and writes, with the keys of accounts."""

    keys: DataKeys
    consumer_id: str

    def insert(self, connection: Connection, ours: Ours) -> Ours:
        """Keep a booking; the one that is there, if the order has one already.

        Raises: Refusal(ALREADY_TAKEN) when that is another account's.
        """
        sealing = self.keys.made_for(connection, ours.account_id, now=ours.made_at)
        row = {
            "id": ours.id,
            "account_id": ours.account_id,
            "member_id": ours.member_id,
            "consent_id": ours.consent_id,
            "provider_id": ours.key.provider_id,
            "order_id": ours.key.order_id,
            "made_at": ours.made_at,
            "held_until": ours.offer.until.timestamp(),
            "sealed": sealing.seal(write_offer(ours.offer), about=_about(ours.id)),
        }
        connection.execute(insert_on(connection, patient_booking).values(row).on_conflict_do_nothing())
        found = select(patient_booking).where(_B.provider_id == ours.key.provider_id, _B.order_id == ours.key.order_id)
        kept = connection.execute(found).mappings().one()
        if kept["account_id"] != ours.account_id:
            raise Refusal(ALREADY_TAKEN, "another account has this order", next_step="choose another slot")
        return _ours(kept, sealing)

    def get(self, connection: Connection, booking_id: str) -> Ours:
        """One booking, whosesoever.

        Raises: Refusal(RECORD_MISSING).
        """
        row = connection.execute(select(patient_booking).where(_B.id == booking_id)).mappings().one_or_none()
        if row is None:
            raise Refusal(RECORD_MISSING)
        return self._open(connection, row)

    def page(self, connection: Connection, wish: Wish) -> Sequence[tuple[float, Ours]]:
        """Bookings by when they begin, each with that time."""
        order = (_C.starts_at.desc(), _B.id.desc()) if wish.newest else (_C.starts_at, _B.id)
        found = (
            select(patient_booking, _C.starts_at)
            .join(consumer_booking, and_(_C.provider_id == _B.provider_id, _C.order_id == _B.order_id))
            .where(_C.consumer_id == self.consumer_id, *_wanted(wish))
            .order_by(*order)
            .limit(wish.most)
        )
        rows = connection.execute(found).mappings().all()
        sealing = self.keys.of(connection, wish.account_id) if rows else None
        return [(row["starts_at"], _ours(row, sealing)) for row in rows if sealing]

    def of_transaction(self, connection: Connection, thread: Thread) -> Sequence[Ours]:
        """The bookings of a conversation with a provider, the newest first."""
        found = (
            select(patient_booking)
            .join(consumer_booking, and_(_C.provider_id == _B.provider_id, _C.order_id == _B.order_id))
            .where(_C.consumer_id == self.consumer_id, _C.transaction_id == thread.transaction_id)
            .where(_B.provider_id == thread.provider_id)
            .order_by(_B.id.desc())
        )
        return [self._open(connection, row) for row in connection.execute(found).mappings()]

    def check_stays(self, connection: Connection, old: Ours, new: Ours) -> None:
        """See that nothing else takes a booking's place already, or may do so; until the transaction ends nothing does.

        Raises: Refusal(STATE_REFUSED).
        """
        connection.execute(select(_B.id).where(_B.id == old.id).with_for_update())
        has_taken = _C.state.in_([OrderState.CONFIRMED.value, OrderState.APPOINTMENT_STARTED.value])
        found = (
            select(_B.id)
            .join(consumer_booking, and_(_C.provider_id == _B.provider_id, _C.order_id == _B.order_id))
            .where(_C.consumer_id == self.consumer_id, _B.replaces_id == old.id, _B.id != new.id)
            .where(has_taken | ((_C.state == OrderState.HELD.value) & (_B.waits_for != "")))
        )
        if connection.execute(found).first() is not None:
            raise Refusal(STATE_REFUSED, "the booking is being moved already", next_step="ask for the other's status")

    def ahead(self, connection: Connection, account_id: str, *, now: float) -> int:
        """How many of an account's bookings are confirmed and not over, or wait for a hospital's word."""
        states = ("CONFIRMED", "APPOINTMENT_STARTED")
        found = (
            select(_B.id)
            .join(consumer_booking, and_(_C.provider_id == _B.provider_id, _C.order_id == _B.order_id))
            .where(_B.account_id == account_id, _C.consumer_id == self.consumer_id, _C.ends_at > now)
            .where(or_(_C.state.in_(states), and_(_B.waits_for != "", _C.state == "HELD")))
        )
        return len(connection.execute(found).all())

    def rate(self, connection: Connection, ours: Ours, rating: Rating) -> None:
        """Keep what somebody thinks, in the place of what they thought before."""
        sealing = self.keys.of(connection, ours.account_id, seals=True)
        told = {
            "stars": rating.stars,
            "rated_at": rating.rated_at,
            "sealed": sealing.seal(rating.text.encode(), about=_about_rating(ours.id)),
        }
        new = insert_on(connection, patient_rating).values(
            {"booking_id": ours.id, "account_id": ours.account_id, **told}
        )
        connection.execute(new.on_conflict_do_update(index_elements=["booking_id"], set_=told))

    def ratings(self, connection: Connection, account_id: str, ids: Sequence[str]) -> dict[str, Rating]:
        """What somebody thought of these bookings of theirs, where they said, by their ids."""
        own = patient_rating.c.account_id == account_id
        found = select(patient_rating).where(own, patient_rating.c.booking_id.in_(ids))
        rows = connection.execute(found).mappings().all()
        sealing = self.keys.of(connection, account_id) if rows else None
        return {row["booking_id"]: _rating(row, sealing) for row in rows if sealing}

    def _open(self, connection: Connection, row: RowMapping) -> Ours:
        return _ours(row, self.keys.of(connection, row["account_id"]))


def wait_for(connection: Connection, booking_id: str, what: str, *, now: float, replaces_id: str | None = None) -> None:
    """Keep what a hospital is being asked, and in whose place with `replaces_id`; an empty `what`: it has answered."""
    values: dict[str, object] = {"waits_for": what, "waits_since": now if what else None}
    if replaces_id is not None:
        values["replaces_id"] = replaces_id
    connection.execute(update(patient_booking).where(_B.id == booking_id).values(values))


def agree(connection: Connection, ours: Ours, *, now: float) -> None:
    """Keep that somebody agreed to each term of an offer; the first time counts."""
    for term in ours.offer.terms:
        row = {
            "booking_id": ours.id,
            "term": term.type or "",
            "account_id": ours.account_id,
            "text_hash": text_hash(term),
            "agreed_at": now,
        }
        connection.execute(insert_on(connection, patient_agreement).values(row).on_conflict_do_nothing())


def agreements(connection: Connection, account_id: str) -> Sequence[Mapping[str, object]]:
    """All that an account agreed to."""
    found = select(patient_agreement).where(patient_agreement.c.account_id == account_id)
    rows = connection.execute(found.order_by(patient_agreement.c.agreed_at)).mappings()
    return [{name: value for name, value in row.items() if name != "account_id"} for row in rows]


def erase_bookings(connection: Connection, account_id: str, consumer_id: str) -> int:
    """Delete all of an account's, the library's rows with them; returns how many there were."""
    connection.execute(delete(consumer_booking).where(_C.consumer_id == consumer_id, _C.account_id == account_id))
    connection.execute(delete(patient_rating).where(patient_rating.c.account_id == account_id))
    return connection.execute(delete(patient_booking).where(_B.account_id == account_id)).rowcount


def text_hash(term: Term) -> str:
    """SHA-256 (hex) of a term's texts, as they are shown."""
    told = term.descriptor
    shown = [term.type, told and told.name, told and told.short_desc, told and told.long_desc]
    return sha256("\n".join(text or "" for text in shown).encode()).hexdigest()


def _ours(row: RowMapping, sealing: Sealing) -> Ours:
    return Ours(
        id=row["id"],
        account_id=row["account_id"],
        member_id=row["member_id"],
        consent_id=row["consent_id"],
        key=Key(row["provider_id"], row["order_id"]),
        offer=read_offer_json(sealing.open(row["sealed"], about=_about(row["id"]))),
        replaces_id=row["replaces_id"],
        waits_for=row["waits_for"],
        made_at=row["made_at"],
    )


def _rating(row: RowMapping, sealing: Sealing) -> Rating:
    text = sealing.open(row["sealed"], about=_about_rating(row["booking_id"])).decode()
    return Rating(row["stars"], text, row["rated_at"])


def _standing(standing: Standing, now: float) -> ColumnElement[bool]:
    """As `showing.state_of` tells it of one booking."""
    is_held, is_pending, is_over = _C.state == OrderState.HELD.value, _B.waits_for == CONFIRM, _B.held_until <= now
    match standing:
        case Standing.PENDING:
            return is_held & is_pending
        case Standing.HELD:
            return is_held & ~is_pending & ~is_over
        case Standing.EXPIRED:
            return (is_held & ~is_pending & is_over) | (_C.state == OrderState.EXPIRED.value)
    return _C.state == standing.value


def _wanted(wish: Wish) -> list[ColumnElement[bool]]:
    wanted = [_B.account_id == wish.account_id]
    if wish.since is not None:
        wanted.append(_C.ends_at > wish.since)
    if wish.until is not None:
        wanted.append(_C.ends_at <= wish.until)
    if wish.standings:
        wanted.append(or_(*(_standing(each, wish.now) for each in sorted(wish.standings))))
    if wish.after is not None:
        start, booking_id = wish.after
        if wish.newest:
            wanted.append(or_(_C.starts_at < start, and_(_C.starts_at == start, _B.id < booking_id)))
        else:
            wanted.append(or_(_C.starts_at > start, and_(_C.starts_at == start, _B.id > booking_id)))
    return wanted


def _about(booking_id: str) -> str:
    return f"offer {booking_id}"


def _about_rating(booking_id: str) -> str:
    return f"rating {booking_id}"

"""Sessions in the database: opened, found, used, closed; and the refresh tokens of an app, each exchanged once.

A token's successor is an HMAC under the token itself, with a salt from its row: who comes again with the same token
gets the same successor, and neither our keys nor a copy of the database is enough to make it.
Sync functions on a `Connection`. Above: `sessions`; below: `standing`, the tables. Source: security rules "IAM".
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from uhi.audit import Acting, ActorKind, Outcome
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.identity.principals import Principal, PrincipalKind
from uhi.identity.standing import Standing, standing_of
from uhi.identity.store import digest_of_token
from uhi.identity.tokens import has_second_factor
from uhi.storage.sql.identity_tables import refresh_token, session

AGAIN_SECONDS = 10.0
"""For so long the client that exchanged a token may exchange it again, because it did not get the answer."""

_DERIVED = b"uhi refresh token successor\x00"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Client:
    """From where somebody comes: the peer's address, and what the program calls itself."""

    address: str = ""
    user_agent: str = ""

    def __post_init__(self) -> None:
        for name in ("address", "user_agent"):
            plain = "".join(each for each in getattr(self, name) if each.isprintable())
            object.__setattr__(self, name, plain[:_LONGEST])


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session; times are Unix seconds. `client` is the one of its last use."""

    id: str
    account_id: str
    is_browser: bool
    methods: tuple[str, ...]
    client: Client
    signed_in_at: float
    created_at: float
    last_used_at: float
    expires_at: float
    closed_at: float | None = None
    csrf_secret: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Live:
    """A session, and how its account stands."""

    session: Session
    standing: Standing

    @property
    def ends_at(self) -> float:
        """When it ends, however much it is used; in Unix seconds."""
        return min(self.session.expires_at, self.session.created_at + self.standing.limits.absolute)

    def is_open(self, now: float) -> bool:
        """Whether it was not closed, has not ended, and was used lately enough."""
        is_used = now < self.session.last_used_at + self.standing.limits.idle
        return self.session.closed_at is None and now < self.ends_at and is_used

    @property
    def principal(self) -> Principal:
        """Who has it."""
        return Principal(
            kind=PrincipalKind.PERSON,
            id=self.standing.account_id,
            grants=self.standing.grants,
            tenant=self.standing.tenant,
            session_id=self.session.id,
            signed_in_at=self.session.signed_in_at,
            has_second_factor=has_second_factor(self.session.methods),
            facility_id=self.standing.facility_id,
            practitioner_id=self.standing.practitioner_id,
            patient_id=self.standing.patient_id,
        )

    def acting(self, client: Client) -> Acting:
        """The person, for the audit trail."""
        return Acting(
            actor=self.standing.account_id,
            kind=ActorKind.PERSON,
            tenant=self.standing.tenant,
            address=client.address,
        )


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A refresh token was exchanged for this one."""

    live: Live
    successor: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reused:
    """An older token came again, so somebody else has it too: the session is closed."""

    account_id: str
    session_id: str


def invalid(what: str = "the session is not open any more, or never was") -> Refusal:
    """The one refusal of whoever comes with a token, cookie or session that does not count."""
    return Refusal(TOKEN_INVALID, what, next_step="sign in again")


def live(connection: Connection, which: ColumnElement[bool], *, now: float, locked: bool = False) -> Live:
    """The open session that is meant; `locked` keeps everybody else from changing it until this transaction ends.

    Raises: Refusal(TOKEN_INVALID) when there is none, it is closed or over, or its account is not in use.
    """
    query = select(session).where(which)
    row = connection.execute(query.with_for_update() if locked else query).one_or_none()
    standing = standing_of(connection, row.account_id) if row is not None else None
    if row is None or standing is None:
        raise invalid()
    there = Live(_session(row), standing)
    if not there.is_open(now):
        raise invalid()
    return there


def open_sessions(connection: Connection, account_id: str, *, now: float) -> list[Session]:
    """The open sessions of an account, the newest first."""
    standing = standing_of(connection, account_id)
    if standing is None:
        return []
    mine = select(session).where(session.c.account_id == account_id, session.c.closed_at.is_(None))
    found = (Live(_session(row), standing) for row in connection.execute(mine.order_by(session.c.id.desc())))
    return [each.session for each in found if each.is_open(now)]


def add_session(connection: Connection, made: Session, *, cookie: str = "", refresh: str = "") -> None:
    """A new session, either of a browser with its cookie, or of an app with its first refresh token."""
    row = {
        "id": made.id,
        "account_id": made.account_id,
        "digest": digest_of_token(cookie) if cookie else None,
        "csrf_secret": made.csrf_secret or None,
        "methods": " ".join(made.methods),
        "address": made.client.address,
        "user_agent": made.client.user_agent,
        "signed_in_at": made.signed_in_at,
        "created_at": made.created_at,
        "last_used_at": made.last_used_at,
        "expires_at": made.expires_at,
    }
    connection.execute(insert(session), row)
    if refresh:
        _add_token(connection, made.id, refresh, made.created_at)


def exchange(connection: Connection, token: str, *, client: Client, now: float) -> Exchanged | Reused:
    """Exchange a refresh token for its successor, or close the session when it was exchanged before.

    Raises: Refusal(TOKEN_INVALID) when it is none, or its session is not open.
    """
    mine = refresh_token.c.digest == digest_of_token(token)
    owner = connection.execute(select(refresh_token.c.session_id).where(mine)).scalar_one_or_none()
    if owner is None:
        raise invalid("the refresh token is none of ours")
    there = live(connection, session.c.id == owner, now=now, locked=True)
    # Read under the session's lock: before it, another process may just have exchanged this very token.
    used_at, salt = connection.execute(select(refresh_token.c.used_at, refresh_token.c.salt).where(mine)).one()
    if used_at is None:
        return Exchanged(there, _rotate(connection, there, token, client=client, now=now))
    if salt is not None and now - used_at <= AGAIN_SECONDS and client == there.session.client:
        return Exchanged(there, _successor(token, bytes(salt)))
    close(connection, session.c.id == owner, at=now, because="reuse")
    reason = "an older refresh token was used again"
    append(
        connection,
        there.acting(client).entry("session.reuse", f"session {owner}", at=now, outcome=Outcome.REFUSED, reason=reason),
    )
    return Reused(there.standing.account_id, str(owner))


def renew(connection: Connection, renewed: Session, *, cookie: str = "") -> None:
    """The same session after another sign-in; a browser's gets another cookie."""
    values: dict[str, object] = {
        "methods": " ".join(renewed.methods),
        "signed_in_at": renewed.signed_in_at,
        "last_used_at": renewed.last_used_at,
    }
    if cookie:
        values |= {"digest": digest_of_token(cookie), "csrf_secret": renewed.csrf_secret}
    connection.execute(update(session).where(session.c.id == renewed.id).values(values))


def close(connection: Connection, which: ColumnElement[bool], *, at: float, because: str) -> list[tuple[str, str]]:
    """Close open sessions; returns the id and the account's id of each that was."""
    query = select(session.c.id, session.c.account_id).where(which, session.c.closed_at.is_(None))
    found = [
        (str(row.id), str(row.account_id)) for row in connection.execute(query.order_by(session.c.id).with_for_update())
    ]
    if found:
        change = update(session).where(session.c.id.in_([each for each, _ in found]))
        connection.execute(change.values(closed_at=at, closed_because=because))
    return found


def touch(connection: Connection, used: Sequence[tuple[str, float]]) -> Sequence[None]:
    """Remember when sessions were used last; see `Database.later`."""
    for session_id, at in sorted(used):
        older = (session.c.id == session_id, session.c.last_used_at < at, session.c.closed_at.is_(None))
        connection.execute(update(session).where(*older).values(last_used_at=at))
    return [None] * len(used)


def forget(connection: Connection, *, now: float) -> int:
    """Delete sessions that are over, with their tokens; returns how many."""
    over = select(session.c.id).where(session.c.expires_at <= now)
    connection.execute(delete(refresh_token).where(refresh_token.c.session_id.in_(over)))
    return connection.execute(delete(session).where(session.c.expires_at <= now)).rowcount


def _rotate(connection: Connection, there: Live, token: str, *, client: Client, now: float) -> str:
    salt = secrets.token_bytes(32)
    successor = _successor(token, salt)
    of_session = refresh_token.c.session_id == there.session.id
    connection.execute(update(refresh_token).where(of_session, refresh_token.c.salt.is_not(None)).values(salt=None))
    mine = refresh_token.c.digest == digest_of_token(token)
    connection.execute(update(refresh_token).where(mine).values(used_at=now, salt=salt))
    _add_token(connection, there.session.id, successor, now)
    used = {"last_used_at": now, "address": client.address, "user_agent": client.user_agent}
    connection.execute(update(session).where(session.c.id == there.session.id).values(used))
    return successor


def _add_token(connection: Connection, session_id: str, token: str, at: float) -> None:
    row = {"digest": digest_of_token(token), "session_id": session_id, "created_at": at}
    connection.execute(insert(refresh_token), row)


def _successor(token: str, salt: bytes) -> str:
    made = hmac.new(token.encode("ascii"), _DERIVED + salt, sha256).digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        id=row.id,
        account_id=row.account_id,
        is_browser=row.digest is not None,
        methods=tuple(row.methods.split()),
        client=Client(row.address, row.user_agent),
        signed_in_at=row.signed_in_at,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
        csrf_secret=bytes(row.csrf_secret or b""),
    )

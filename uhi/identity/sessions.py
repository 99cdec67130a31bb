"""Sessions of people: opened by a sign-in, carried by an app's refresh tokens or by a browser's cookie.

What somebody may do is read anew at each use. An older refresh token that comes again closes its session.
Above: `uhi.api`; below: `session_rows`, `tokens`. Source: security rules "IAM", refresh tokens and browsers.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection

from uhi.audit import Acting, ActorKind
from uhi.audit.trail import append
from uhi.errors import Refusal, UhiError
from uhi.exchange.row_ids import new_row_id
from uhi.faults import ORIGIN_REFUSED
from uhi.identity import session_rows as rows
from uhi.identity.principals import Principal
from uhi.identity.recent import Recent
from uhi.identity.session_rows import Client, Live, Reused, Session, invalid
from uhi.identity.sign_in import SignedIn
from uhi.identity.standing import standing_of
from uhi.identity.store import digest_of_token, new_token
from uhi.identity.tokens import TOKEN_SECONDS, AccessTokens
from uhi.storage.sql.database import Database
from uhi.storage.sql.identity_tables import session

TOUCH_SECONDS = 60.0
OPEN_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a client gets: an app its tokens, a browser its cookie and CSRF token; the others are empty.

    `expires_in` is the life of the access token in seconds, `ends_at` (Unix seconds) when the session ends at the
    latest.
    """

    session_id: str
    principal: Principal
    ends_at: float
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    cookie: str = field(default="", repr=False)
    csrf: str = field(default="", repr=False)
    expires_in: int = 0


@dataclass(frozen=True, slots=True)
class Browsing:
    """A browser's session, and the CSRF token that its unsafe requests have to bring."""

    principal: Principal
    csrf: str = field(repr=False)

    def check_csrf(self, given: str) -> None:
        """See that an unsafe request of a browser brings the CSRF token of its session.

        Raises: Refusal(ORIGIN_REFUSED).
        """
        if not hmac.compare_digest(self.csrf.encode(), given.encode("utf-8", "surrogatepass")):
            raise Refusal(
                ORIGIN_REFUSED, "the CSRF token is not that of the session", expected="the one of the sign-in"
            )


async def _nobody_told(account_id: str, session_id: str) -> None:
    _log.warning("nobody is told that session %s of %s was closed: a refresh token came twice", session_id, account_id)


class Sessions:
    """The sessions in one database. `on_reuse` gets account and session whose refresh token came twice."""

    def __init__(
        self,
        database: Database,
        tokens: AccessTokens,
        *,
        on_reuse: Callable[[str, str], Awaitable[None]] = _nobody_told,
    ) -> None:
        self._database = database
        self._clock = database.clock
        self._tokens = tokens
        self._on_reuse = on_reuse
        self._open: Recent[str] = Recent(self._clock, seconds=OPEN_SECONDS)

    async def open(self, signed_in: SignedIn, *, client: Client, is_browser: bool = False) -> Opened:
        """A session for who has just signed in.

        Raises: Refusal(TOKEN_INVALID) when the account is not in use any more, or its password changed meanwhile.
        """
        now = self._clock.now()
        secret = new_token()
        session_id, csrf_secret = new_row_id(now), secrets.token_bytes(32) if is_browser else b""

        def work(connection: Connection) -> Live:
            # Another process that changes the password now would not see this session, and not close it.
            standing = standing_of(connection, signed_in.account.id, locked=True)
            if standing is None or signed_in.at < standing.credentials_at:
                raise invalid("the account is not in use, or its password or factors changed meanwhile")
            made = Session(
                id=session_id,
                account_id=standing.account_id,
                is_browser=is_browser,
                methods=signed_in.methods,
                client=client,
                signed_in_at=signed_in.at,
                created_at=now,
                last_used_at=now,
                expires_at=now + standing.limits.absolute,
                csrf_secret=csrf_secret,
            )
            rows.add_session(connection, made, **{"cookie" if is_browser else "refresh": secret})
            opened = Live(made, standing)
            append(connection, opened.acting(client).entry("session.open", _named(session_id), at=now))
            return opened

        return self._handed_over(await self._database.write(work), secret)

    async def refresh(self, token: str, client: Client) -> Opened:
        """Exchange an app's refresh token for another one, and an access token that says what it may do now.

        Raises: Refusal(TOKEN_INVALID) when it is not the session's latest, or the session is not open. An older one
        closes the session.
        """
        now = self._clock.now()
        outcome = await self._database.write(
            lambda connection: rows.exchange(connection, token, client=client, now=now)
        )
        if isinstance(outcome, Reused):
            self._open.drop_where(lambda owner: owner == outcome.account_id)
            await self._tell(outcome)
            raise invalid("an older refresh token was used again: its session is closed")
        return self._handed_over(outcome.live, outcome.successor)

    async def principal_of_cookie(self, cookie: str) -> Browsing:
        """Whose browser this is, with the CSRF token of its session.

        Raises: Refusal(TOKEN_INVALID).
        """
        now = self._clock.now()
        mine = session.c.digest == digest_of_token(cookie)
        there = await self._database.read(lambda connection: rows.live(connection, mine, now=now))
        if now - there.session.last_used_at >= TOUCH_SECONDS:
            self._database.later(rows.touch, (there.session.id, now))
        return Browsing(there.principal, _csrf(cookie, there.session.csrf_secret))

    async def check_open(self, session_id: str) -> None:
        """See that a session is open, for what an access token of a closed one must not do. A closing counts within a
        second.

        Raises: Refusal(TOKEN_INVALID).
        """
        if self._open.get(session_id) is not None:
            return
        now = self._clock.now()
        mine = session.c.id == session_id
        there = await self._database.read(lambda connection: rows.live(connection, mine, now=now))
        self._open.keep(session_id, there.session.account_id, asked_at=now)

    async def confirm(self, session_id: str, signed_in: SignedIn) -> Opened:
        """The same session after its person signed in again: with a fresh time and these methods. An app gets an access
        token, a browser another cookie.

        Raises: Refusal(TOKEN_INVALID) when the session is not open or somebody else signed in.
        """
        now = self._clock.now()
        cookie, csrf_secret = new_token(), secrets.token_bytes(32)

        def work(connection: Connection) -> Live:
            there = rows.live(connection, session.c.id == session_id, now=now, locked=True)
            if there.standing.account_id != signed_in.account.id or signed_in.at < there.standing.credentials_at:
                raise invalid("somebody else signed in, or the password or factors changed meanwhile")
            fresh = replace(there.session, methods=signed_in.methods, signed_in_at=signed_in.at, last_used_at=now)
            if fresh.is_browser:
                fresh = replace(fresh, csrf_secret=csrf_secret)
            rows.renew(connection, fresh, cookie=cookie if fresh.is_browser else "")
            confirmed = Live(fresh, there.standing)
            append(connection, confirmed.acting(fresh.client).entry("session.confirm", _named(session_id), at=now))
            return confirmed

        there = await self._database.write(work)
        return self._handed_over(there, cookie if there.session.is_browser else "")

    async def close(self, session_id: str, *, acting: Acting | None = None) -> None:
        """Close a session, if it is open. `acting` is who does it, where that is not the person whose it is."""
        await self._close(session.c.id == session_id, acting)

    async def close_all(self, account_id: str, *, keep: str = "", acting: Acting | None = None) -> None:
        """Close every session of an account but the one to `keep`."""
        await self._close((session.c.account_id == account_id) & (session.c.id != keep), acting)
        # Those that ended together with the account, or with its password, count no longer here either.
        self._open.drop_where(lambda owner: owner == account_id)

    async def of_account(self, account_id: str) -> Sequence[Session]:
        """The open sessions of an account, the newest first."""
        now = self._clock.now()
        return await self._database.read(lambda connection: rows.open_sessions(connection, account_id, now=now))

    async def forget(self) -> int:
        """Delete the sessions that are over, with their tokens; returns how many. To be called once in a while."""
        now = self._clock.now()
        return await self._database.write(lambda connection: rows.forget(connection, now=now))

    async def _close(self, which: ColumnElement[bool], acting: Acting | None) -> None:
        now = self._clock.now()

        def work(connection: Connection) -> set[str]:
            closed = rows.close(connection, which, at=now, because="sign-out")
            themselves = (acting or Acting(actor=owner, kind=ActorKind.PERSON) for _, owner in closed)
            entries = zip(closed, themselves, strict=True)
            append(connection, *(who.entry("session.close", _named(each), at=now) for (each, _), who in entries))
            return {owner for _, owner in closed}

        owners = await self._database.write(work)
        self._open.drop_where(lambda owner: owner in owners)

    async def _tell(self, reused: Reused) -> None:
        try:
            await self._on_reuse(reused.account_id, reused.session_id)
        except (UhiError, OSError) as error:
            _log.error(
                "a person could not be told that session %s was closed: %s", reused.session_id, type(error).__name__
            )

    def _handed_over(self, there: Live, secret: str) -> Opened:
        """What the client gets; `secret` is a browser's cookie or an app's refresh token."""
        opened = Opened(session_id=there.session.id, principal=there.principal, ends_at=there.ends_at)
        if there.session.is_browser:
            return replace(opened, cookie=secret, csrf=_csrf(secret, there.session.csrf_secret))
        methods, now = there.session.methods, self._clock.now()
        access = self._tokens.issue(there.principal, methods=methods, now=now)
        return replace(opened, access_token=access, refresh_token=secret, expires_in=TOKEN_SECONDS)


def _csrf(cookie: str, secret: bytes) -> str:
    return hmac.new(secret, cookie.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _named(session_id: str) -> str:
    return f"session {session_id}"

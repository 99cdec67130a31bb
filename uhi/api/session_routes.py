"""Sessions over HTTP: tokens exchanged, sessions listed and ended, and the keys that tokens are verified with.

Above: programs; below: `uhi.identity.sessions`, `uhi.identity.tokens`. Source: security rules "IAM"; RFC 7517.
"""

from __future__ import annotations

from uhi.api.fields import SecretText
from uhi.api.routes import FORGOTTEN, Answer, Body, Call, Nothing, Routes, Sent, SessionCookie
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING, TOKEN_INVALID
from uhi.identity.roles import Permission
from uhi.identity.rules import PUBLIC, Relation, Rule, Target
from uhi.identity.session_rows import Client, Session
from uhi.identity.sessions import Opened, Sessions
from uhi.identity.tokens import AccessTokens

OWN = Rule(Permission.ACCOUNT_OWN, Relation.OWN_ACCOUNT)


class RefreshBody(Body):
    """The refresh token that came last."""

    refresh_token: SecretText


class SessionOpened(Answer):
    """What a sign-in gives. An app gets tokens; a browser a cookie, and the token its unsafe requests have to bring
    (`X-CSRF-Token`). What is not theirs is empty. `ends_at` is Unix seconds, `expires_in` seconds.
    """

    session_id: str
    ends_at: float
    access_token: str
    refresh_token: str
    expires_in: int
    csrf_token: str


class SessionAnswer(Answer):
    """One open session; times are Unix seconds."""

    id: str
    is_current: bool
    is_browser: bool
    methods: tuple[str, ...]
    address: str
    user_agent: str
    signed_in_at: float
    last_used_at: float
    expires_at: float


class SessionList(Answer):
    """One's own open sessions, the newest first."""

    sessions: tuple[SessionAnswer, ...]


class CsrfAnswer(Answer):
    """The token that a browser's unsafe requests have to bring."""

    csrf_token: str


class PublicKeySet(Answer):
    """A JSON Web Key Set."""

    keys: tuple[dict[str, str], ...]


class SessionPages:
    """What people do with their sessions."""

    def __init__(self, sessions: Sessions, tokens: AccessTokens) -> None:
        self._sessions = sessions
        self._tokens = tokens

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("sessions")
        group.route(
            "POST", "/v1/token/refresh", PUBLIC, body=RefreshBody, answer=SessionOpened, refuses=(TOKEN_INVALID,)
        )(self.refresh_token)
        group.route("POST", "/v1/sign-out", OWN, body=Nothing, answer=None)(self.sign_out)
        group.route("POST", "/v1/sign-out/everywhere", OWN, body=Nothing, answer=None)(self.sign_out_everywhere)
        group.route("GET", "/v1/sessions", OWN, body=Nothing, answer=SessionList)(self.list_sessions)
        group.route("DELETE", "/v1/sessions/{id}", OWN, body=Nothing, answer=None)(self.end_session)
        group.route("GET", "/v1/csrf-token", OWN, body=Nothing, answer=CsrfAnswer, refuses=(RECORD_MISSING,))(
            self.get_csrf_token
        )
        group.route("GET", "/.well-known/jwks.json", PUBLIC, body=Nothing, answer=PublicKeySet, kept_seconds=300)(
            self.get_public_keys
        )
        return group

    async def refresh_token(self, call: Call[RefreshBody]) -> SessionOpened:
        """Exchange a refresh token for another one and an access token."""
        return shown(await self._sessions.refresh(call.body.refresh_token, client_of(call)))

    async def sign_out(self, call: Call[Nothing]) -> Sent[None]:
        """End this session."""
        await self._sessions.close(call.principal.session_id, acting=call.acting)
        return Sent(None, FORGOTTEN)

    async def sign_out_everywhere(self, call: Call[Nothing]) -> Sent[None]:
        """End all of one's own sessions, this one too."""
        await self._sessions.close_all(call.principal.id, acting=call.acting)
        return Sent(None, FORGOTTEN)

    async def list_sessions(self, call: Call[Nothing]) -> SessionList:
        """One's own open sessions."""
        found = await self._sessions.of_account(call.principal.id)
        return SessionList(sessions=tuple(_session(each, call.principal.session_id) for each in found))

    async def end_session(self, call: Call[Nothing]) -> None:
        """End one of one's own sessions."""
        found = await self._sessions.of_account(call.principal.id)
        mine = next((each for each in found if each.id == call.path["id"]), None)
        if mine is None:
            raise Refusal(RECORD_MISSING, "no such session of theirs is open")
        call.permit(Target(account_id=mine.account_id))
        await self._sessions.close(mine.id, acting=call.acting)

    async def get_csrf_token(self, call: Call[Nothing]) -> CsrfAnswer:
        """The CSRF token of a browser's session, for a page that was loaded anew."""
        if not call.cookie:
            raise Refusal(RECORD_MISSING, "only a browser's session has one")
        return CsrfAnswer(csrf_token=(await self._sessions.principal_of_cookie(call.cookie)).csrf)

    async def get_public_keys(self, _: Call[Nothing]) -> PublicKeySet:
        """The keys that access tokens are verified with."""
        return PublicKeySet.model_validate(self._tokens.jwks())


def client_of(call: Call[Body]) -> Client:
    """From where somebody asks."""
    return Client(address=call.address, user_agent=call.user_agent)


def shown(opened: Opened) -> SessionOpened:
    """What the body says of a session that was opened: never its cookie."""
    return SessionOpened(
        session_id=opened.session_id,
        ends_at=opened.ends_at,
        access_token=opened.access_token,
        refresh_token=opened.refresh_token,
        expires_in=opened.expires_in,
        csrf_token=opened.csrf,
    )


def cookie_of(opened: Opened, *, now: float) -> SessionCookie:
    """The cookie of a browser's session."""
    return SessionCookie(opened.cookie, max(1, int(opened.ends_at - now)))


def _session(each: Session, current: str) -> SessionAnswer:
    return SessionAnswer(
        id=each.id,
        is_current=each.id == current,
        is_browser=each.is_browser,
        methods=each.methods,
        address=each.client.address,
        user_agent=each.client.user_agent,
        signed_in_at=each.signed_in_at,
        last_used_at=each.last_used_at,
        expires_at=each.expires_at,
    )

"""A registry's interface for people, as the command line uses it: calls with an access token, which is kept in a file.

The file is for its owner only, and so is its folder. Above: `registry_login`, `registry_decide`.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import click

from cli.output import plain
from uhi.errors import RegistryError, SetupError

_SECONDS = 30.0
_LONGEST = 32 * 1024 * 1024
_SIGN_IN = "uhi registry login"
_HERE = {"localhost", "127.0.0.1", "::1"}

_ADVICE = {
    "IAM_SIGN_IN_REQUIRED": _SIGN_IN,
    "IAM_SIGN_IN_FAILED": "check the e-mail address, the password and the code, then try again",
    "IAM_TOKEN_INVALID": _SIGN_IN,
    "IAM_SECOND_FACTOR_REQUIRED": f"set up a second factor: {_SIGN_IN} asks for it",
    "IAM_FRESH_SIGN_IN_REQUIRED": f"{_SIGN_IN}, then do it again within five minutes",
    "IAM_ACCESS_DENIED": "ask an administrator of the registry for the role",
    "IAM_ANOTHER_PERSON_REQUIRED": "ask another administrator, who has had no part in it yet",
    "IAM_TOO_MANY_TRIES": "wait, then try again",
    "IAM_CODE_INVALID": "use the newest code or invitation, or ask for another one",
    "API_RECORD_MISSING": "uhi registry list shows who is there",
    "API_STATE_REFUSED": "uhi registry show ID tells the state and what is missing",
    "API_ALREADY_TAKEN": "read it again, then decide again",
    "UHI-1407": "try again in a moment",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in at one registry, by its origin (`https://reg.example`)."""

    registry: str
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    email: str = ""


def session_file() -> Path:
    """Where the sign-in is kept: in the user's folder for settings."""
    return Path(click.get_app_dir("uhi")) / "registry-session.json"


def read_session() -> Session:
    """The sign-in that is kept.

    Raises: SetupError when there is none, or somebody else can read it.
    """
    path = session_file()
    try:
        state = path.stat()
        value = json.loads(path.read_text(encoding="utf-8"))
        session = Session(**{name: str(value[name]) for name in Session.__slots__ if name in value})
    except (OSError, ValueError, TypeError):
        raise SetupError("you are not signed in to a registry", next_step=f"{_SIGN_IN} --registry https://…") from None
    if state.st_mode & 0o077:
        raise SetupError(
            f"others can read your sign-in in {path}",
            got=f"mode {state.st_mode & 0o777:04o}",
            expected="0600",
            next_step=f"{_SIGN_IN} anew; the old sign-in counts as known to others",
        )
    return session


def write_session(session: Session) -> None:
    """Keep a sign-in, for its owner only.

    Raises: SetupError when it cannot be written.
    """
    path = session_file()
    text = json.dumps(asdict(session))
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise SetupError(
            f"the sign-in cannot be kept in {path}",
            got=error.strerror or "an error",
            next_step="see that you may write",
        ) from None


def forget_session() -> None:
    """Forget the sign-in."""
    session_file().unlink(missing_ok=True)


def origin_of(url: str) -> str:
    """The origin of a registry's address, whatever path is behind it.

    Raises: SetupError for another address than https (or http on this machine).
    """
    parts = urlsplit(url)
    is_here = parts.hostname in _HERE
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
        raise SetupError(
            "the registry's address cannot be used",
            got=plain(url)[:100] or "none",
            expected="https://reg.example (http only on this machine)",
            next_step="--registry https://…",
        )
    return f"{parts.scheme}://{parts.netloc}"


class RegistryDesk:
    """The interface of one registry. `async with RegistryDesk(session) as desk`; a token that is over is renewed once,
    and the sign-in kept anew."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, object]:
        """Read something.

        Raises: RegistryError.
        """
        return await self._signed_in("GET", path, {"params": dict(query or {})})

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Mapping[str, object]:
        """Do something.

        Raises: RegistryError.
        """
        return await self._signed_in("POST", path, {"json": dict(body or {})})

    async def post_openly(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Do what nobody has to be signed in for.

        Raises: RegistryError.
        """
        return _value(*await self._send("POST", path, {"json": dict(body)}))

    async def _signed_in(self, method: str, path: str, given: Mapping[str, object]) -> Mapping[str, object]:
        status, value = await self._send(method, path, self._with_token(given))
        if status == 401 and value.get("code") == "IAM_TOKEN_INVALID" and self.session.refresh_token:
            await self._renew()
            status, value = await self._send(method, path, self._with_token(given))
        return _value(status, value)

    def _with_token(self, given: Mapping[str, object]) -> dict[str, object]:
        return {**given, "headers": {"Authorization": f"Bearer {self.session.access_token}"}}

    async def _renew(self) -> None:
        value = await self.post_openly("/v1/token/refresh", {"refresh_token": self.session.refresh_token})
        self.session = replace(
            self.session, access_token=str(value["access_token"]), refresh_token=str(value["refresh_token"])
        )
        write_session(self.session)

    async def _send(self, method: str, path: str, given: Mapping[str, object]) -> tuple[int, Mapping[str, object]]:
        if self._http is None:
            raise SetupError("the registry's desk is not open")
        try:
            async with self._http.request(
                method,
                f"{self.session.registry}{path}",
                allow_redirects=False,
                **given,  # type: ignore[arg-type]
            ) as response:
                raw = await response.content.read(_LONGEST)
                return response.status, _object(raw)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RegistryError(
                f"the registry at {self.session.registry} does not answer",
                got=type(error).__name__,
                next_step="check the address, and that the registry runs",
            ) from None


def _object(raw: bytes) -> Mapping[str, object]:
    if not raw:
        return {}
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"items": value}


def _value(status: int, value: Mapping[str, object]) -> Mapping[str, object]:
    if status < 300:
        return value
    code = plain(str(value.get("code", "")))[:100]
    title = plain(str(value.get("title", "an answer that is none of a registry's interface")))[:300]
    errors = value.get("errors")
    mistakes = [_mistake(each) for each in (errors if isinstance(errors, list) else [])[:10]]
    raise RegistryError(
        f"the registry refused: {title.removesuffix('.')}",
        got="; ".join([f"HTTP {status} {code}".strip(), *mistakes]),
        next_step=_ADVICE.get(code, "") or ("correct that, then do it again" if mistakes else "check the address"),
    )


def _mistake(each: object) -> str:
    parts: Mapping[str, object] = each if isinstance(each, dict) else {}
    return plain(f"{parts.get('path', '')} {parts.get('message', '')}".strip())[:200]

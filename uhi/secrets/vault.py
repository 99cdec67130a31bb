"""HashiCorp Vault, as far as keys at the start of a program need it: the engines KV version 2 and transit.

Two calls of its HTTP interface, made before the first request, so a plain blocking client serves. Certificates are
verified; redirects are not followed; what Vault answers is never quoted. Source: Vault's HTTP API, `secret/data` and
`transit/decrypt`.
"""

from __future__ import annotations

import base64
import re
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from uhi import strict_json
from uhi.errors import Refusal, SetupError
from uhi.signing.key_files import read_private_bytes

_SECONDS = 5.0
_LONGEST = 65_536
_VISIBLE = re.compile("[!-~]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WHY = {
    400: "the request is not one that this engine takes",
    403: "the token may not do this, or has expired",
    404: "there is nothing at this place",
    429: "Vault is a standby, or limits this client",
    473: "Vault is a performance standby",
    503: "Vault is sealed",
}


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """The way to a Vault: its URL, the file with a token (0600, as an agent writes it), a namespace where there are
    some, and a PEM file of certificate authorities to trust in place of the system's."""

    url: str
    token_file: Path
    namespace: str = ""
    authorities: Path | None = None


class Vault:
    """Reads secrets. Makes a connection for each call, since there are one or two in a program's life.

    Raises: SetupError for an address that is neither https nor on this machine, or more than scheme, host and port.
    """

    def __init__(self, access: VaultAccess) -> None:
        self._access = access
        self._parts = _address(access.url)
        if access.namespace and not _VISIBLE.fullmatch(access.namespace):
            raise SetupError("UHI_VAULT_NAMESPACE is no namespace of Vault", expected="visible characters of ASCII")

    def field(self, mount: str, path: str, name: str) -> bytes:
        """One field of a secret of the key-value engine, version 2; a text, given as UTF-8.

        Raises: SetupError.
        """
        where = f"{mount}/{path}"
        answer = self._ask("GET", f"/v1/{_quoted(mount)}/data/{_quoted(path)}", None, where)
        value = _at(answer, "data", "data", name)
        if not isinstance(value, str) or not value:
            raise SetupError(f"Vault's secret {where} has no field {name}", expected="a field with a text in it")
        return value.encode()

    def decrypted(self, mount: str, key: str, ciphertext: bytes) -> bytes:
        """What the transit engine's key encrypted.

        Raises: SetupError.
        """
        where = f"{mount}/{key}"
        body = strict_json.write({"ciphertext": ciphertext.decode("ascii", "replace").strip()})
        answer = self._ask("POST", f"/v1/{_quoted(mount)}/decrypt/{_quoted(key)}", body, where)
        plain = _at(answer, "data", "plaintext")
        try:
            return base64.b64decode(plain if isinstance(plain, str) else "?", validate=True)
        except ValueError:
            raise _unusable(where) from None

    def _ask(self, method: str, path: str, body: bytes | None, where: str) -> object:
        headers = {"X-Vault-Request": "true", "X-Vault-Token": self._token(), "Content-Type": "application/json"}
        if self._access.namespace:
            headers["X-Vault-Namespace"] = self._access.namespace
        connection = self._connection()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            status, raw = response.status, response.read(_LONGEST + 1)
        except (OSError, HTTPException) as error:
            raise SetupError(
                f"Vault at {self._parts.hostname} does not answer",
                got=type(error).__name__,
                next_step="see that it runs, that UHI_VAULT_URL is right and its certificate trusted",
            ) from None
        finally:
            connection.close()
        if status != 200:
            raise SetupError(
                f"Vault does not give {where}", got=f"HTTP {status}: {_WHY.get(status, 'an error of its own')}"
            )
        if len(raw) > _LONGEST:
            raise _unusable(where)
        try:
            return strict_json.parse(raw)
        except Refusal:
            raise _unusable(where) from None

    def _connection(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return HTTPConnection(host, port, timeout=_SECONDS)
        authorities = self._access.authorities
        try:
            context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
        except OSError as error:
            raise SetupError(
                f"the certificate authorities in {authorities} cannot be read", got=error.strerror or "no PEM"
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return HTTPSConnection(host, port, timeout=_SECONDS, context=context)

    def _token(self) -> str:
        token = read_private_bytes(self._access.token_file).decode("utf-8", "replace").strip()
        # The client of HTTP would quote what no header can hold.
        if not _VISIBLE.fullmatch(token):
            raise SetupError(f"the file {self._access.token_file} holds no token of Vault", expected="one line")
        return token


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_plain = bool(_VISIBLE.fullmatch(url)) and not (parts.username or parts.path.strip("/") or parts.query)
        is_plain = is_plain and parts.port != 0
    except ValueError:
        parts, is_plain = SplitResult("", "", "", "", ""), False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (parts.hostname and is_plain and is_safe):
        raise SetupError(
            "UHI_VAULT_URL is not an address of Vault", expected="https://host:8200, or http on this machine"
        )
    return parts


def _quoted(path: str) -> str:
    return quote(path, safe="/")


def _at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _unusable(where: str) -> SetupError:
    return SetupError(f"Vault's answer about {where} cannot be read", next_step="check that UHI_VAULT_URL is a Vault")

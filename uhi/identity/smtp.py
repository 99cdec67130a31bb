"""E-mail over SMTP, never without verified TLS: implicit (port 465) or STARTTLS (port 587).

Implements `sending.EmailSender`. Below: aiosmtplib.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from pathlib import Path

import aiosmtplib

from uhi.errors import DeliveryError, SetupError
from uhi.signing.key_files import read_private_bytes

_IMPLICIT_TLS_PORT = 465


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where e-mail is handed over. `is_tls_first`: TLS from the start, else by STARTTLS, without which nothing is sent;
    None: as the port has it, first on 465. `credentials_file` (mode 0600) holds the user's name and password on a line
    each; None: neither is asked for. `authorities` is a PEM file of certificate authorities in place of the system's.
    """

    host: str
    sender: str
    port: int = 587
    is_tls_first: bool | None = None
    credentials_file: Path | None = None
    authorities: Path | None = None
    timeout: float = 20.0


class SmtpSender:
    """One connection for each letter: a code is wanted at once and seldom.

    Raises: SetupError when the credentials cannot be read, or the sender's address cannot be used.
    """

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._user, self._password = _credentials(server.credentials_file)
        port_says = server.port == _IMPLICIT_TLS_PORT
        self._is_tls_first = port_says if server.is_tls_first is None else server.is_tls_first
        self._tls = ssl.create_default_context(cafile=server.authorities)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._domain = Address(addr_spec=server.sender).domain
        except (ValueError, IndexError):
            raise SetupError("the sender's e-mail address cannot be used", expected="no-reply@example.org") from None

    def __repr__(self) -> str:
        return f"SmtpSender({self._server.host}:{self._server.port})"

    async def email(self, to: str, *, subject: str, text: str) -> None:
        """See `sending.EmailSender`."""
        try:
            await aiosmtplib.send(
                self._letter(to, subject, text),
                sender=self._server.sender,
                recipients=[to],
                hostname=self._server.host,
                port=self._server.port,
                username=self._user,
                password=self._password,
                use_tls=self._is_tls_first,
                start_tls=not self._is_tls_first,
                tls_context=self._tls,
                timeout=self._server.timeout,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # A server's answer may quote the address or the letter, so only the kind of the error is told.
            raise DeliveryError(
                f"the mail server {self._server.host} did not take a letter",
                status=getattr(error, "code", None),
                got=type(error).__name__,
                next_step="check its address, certificate and credentials",
            ) from None

    def _letter(self, to: str, subject: str, text: str) -> EmailMessage:
        letter = EmailMessage(policy=SMTP)
        letter["From"] = self._server.sender
        letter["To"] = to
        letter["Subject"] = subject
        letter["Message-ID"] = make_msgid(domain=self._domain)
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        return letter


def _credentials(path: Path | None) -> tuple[str | None, str | None]:
    if path is None:
        return None, None
    lines = read_private_bytes(path).decode("utf-8", "replace").splitlines()
    if len(lines) < 2 or not all(lines[:2]):
        raise SetupError(f"{path} holds no mail credentials", expected="the user's name and password on a line each")
    return lines[0], lines[1]

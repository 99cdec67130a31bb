"""TLS as the client wants it: whoever cannot show who it is, or speaks an old version, is told nothing."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from uhi.errors import DeliveryError
from uhi.http import HttpTransport, any_address, public_only
from uhi.http.client import _tls

SOURCES = Path(__file__).parents[2]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECRET = b'{"name":"Kanari Patientsson"}'
TODAY = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The one that the client trusts."""
    return trustme.CA()


@pytest.fixture
def authorities(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


class Heard:
    """What a peer was told: in clear by TLS, and on the wire."""

    def __init__(self) -> None:
        self.clear = bytearray()
        self.version: str | None = None


@asynccontextmanager
async def listening(certificate: trustme.LeafCert, change: Callable[[ssl.SSLContext], None]) -> AsyncIterator:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    change(context)
    heard = Heard()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.version = writer.get_extra_info("ssl_object").version()
        try:
            heard.clear += await reader.readuntil(b"}")
            writer.write(OK)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            heard.clear += getattr(error, "partial", b"")
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}/search", heard


async def post(url: str, authorities: str) -> int:
    transport = HttpTransport(addresses=any_address, authorities=authorities)
    try:
        return (await transport.post(url, body=SECRET, headers={}, timeout=5)).status
    finally:
        await transport.aclose()


def as_it_is(context: ssl.SSLContext) -> None:
    """A peer of today."""


def only(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version

    return change


@pytest.mark.case("SSRF-05")
@pytest.mark.parametrize("spoiled", ["self-signed", "expired", "not yet valid", "wrong host"])
async def test_certificate_that_proves_nothing_ends_the_connection(authority, authorities, spoiled):
    """Outbound rules: chain, dates and host name are verified, for a local network too; nothing is sent in clear."""
    year = timedelta(days=365)
    certificate = {
        "self-signed": lambda: trustme.CA().issue_cert("localhost"),
        "expired": lambda: authority.issue_cert("localhost", not_before=TODAY - 2 * year, not_after=TODAY - year),
        "not yet valid": lambda: authority.issue_cert("localhost", not_before=TODAY + year, not_after=TODAY + 2 * year),
        "wrong host": lambda: authority.issue_cert("clinic.example"),
    }[spoiled]()

    async with listening(certificate, as_it_is) as (url, heard):
        with pytest.raises(DeliveryError, match="no trusted connection"):
            await post(url, authorities)

    assert heard.clear == b""


@pytest.mark.case("SSRF-05")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_peer_with_an_old_version_is_told_nothing(authority, authorities, version):
    """Outbound rules: TLS 1.2 is the floor."""
    async with listening(authority.issue_cert("localhost"), only(version)) as (url, heard):
        with pytest.raises(DeliveryError, match=r"no (trusted )?connection"):
            await post(url, authorities)
        told = bytes(heard.clear), heard.version
        await _old_client(url, authorities, version)

    assert told == (b"", None)
    assert heard.version == version.name.replace("v1_1", "v1.1")  # the peer does speak it, with others


async def _old_client(url: str, authorities: str, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=authorities)
    only(version)(context)
    reader, writer = await asyncio.open_connection("localhost", int(url.split(":")[2].partition("/")[0]), ssl=context)
    writer.write(b"}")
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("change", "version"), [(as_it_is, "TLSv1.3"), (only(ssl.TLSVersion.TLSv1_2), "TLSv1.2")], ids=["new", "old"]
)
async def test_newest_version_that_both_speak_is_used(authority, authorities, change, version):
    """Outbound rules: TLS 1.3 is preferred, 1.2 is taken."""
    async with listening(authority.issue_cert("localhost"), change) as (url, heard):
        status = await post(url, authorities)

    assert (status, heard.version) == (200, version)
    assert heard.clear.endswith(SECRET)


@pytest.mark.case("SSRF-05")
async def test_peer_that_speaks_no_tls_at_all_is_told_nothing(authorities):
    """Outbound rules: there is no way from https back to http."""
    received = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(65_536))
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        with pytest.raises(DeliveryError):
            await post(f"https://localhost:{server.sockets[0].getsockname()[1]}/search", authorities)

    assert received[:1] == b"\x16"
    assert b"Kanari" not in received


@pytest.mark.parametrize("policy", [any_address, public_only], ids=["local", "open"])
def test_verification_is_on_whatever_the_network(authorities, policy):
    """Outbound rules: no switch turns it off, and the client has none to turn."""
    context = _tls(authorities)

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert not hasattr(policy, "verify")


def test_no_source_turns_verification_off():
    """Outbound rules: verification is never off, in no program of this project."""
    off = re.compile(r"CERT_NONE|check_hostname\s*=\s*False|_create_unverified|ssl\s*=\s*False|verify\s*=\s*False")
    files = [path for folder in ("uhi", "gateway", "participants", "cli") for path in (SOURCES / folder).rglob("*.py")]

    found = [str(path) for path in files if off.search(path.read_text())]

    assert files
    assert found == []

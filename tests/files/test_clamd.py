"""The virus scanner beside us: what it says, and what is done when it says nothing."""

from __future__ import annotations

import asyncio

import pytest

from tests.files.scanner_server import EICAR, ScannerServer
from tests.server_process import free_port
from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED
from uhi.files import Clamd, NoScanner, Verdict


async def test_a_clean_file_is_scanned_whole_and_called_clean():
    """clamd(8), INSTREAM: chunks with their length, ended by one of none."""
    content = bytes(200_000)

    async with ScannerServer().running() as server:
        verdict = await Clamd(server.url).scan(content)

    assert (verdict, server.scanned) == (Verdict.CLEAN, [content])


async def test_the_test_file_of_eicar_is_infected(tmp_path):
    """EICAR: the file that every scanner knows; here over a socket of this machine."""
    async with ScannerServer().running(tmp_path / "clamd.sock") as server:
        assert await Clamd(server.url).scan(b"before " + EICAR) is Verdict.INFECTED


async def test_a_file_that_is_too_large_for_the_scanner_is_not_called_clean():
    """clamd(8): StreamMaxLength; what nobody looked at is not taken for looked at."""
    async with ScannerServer(limit=100).running() as server:
        with pytest.raises(Refusal, match="neither OK nor FOUND") as refused:
            await Clamd(server.url).scan(bytes(1_000_000))

    assert refused.value.fault is OVERLOADED


@pytest.mark.parametrize("answer", [b"", b"\0", b"stream: OK and more\0", b"OK\0", b"x" * 5_000, b"UNKNOWN COMMAND\0"])
async def test_any_other_answer_is_none(answer):
    """Security rules: what is not said clearly is not believed."""
    async with ScannerServer(answer=answer).running() as server:
        with pytest.raises(Refusal, match="does not say"):
            await Clamd(server.url).scan(b"x")


async def test_a_scanner_that_is_away_is_a_refusal():
    """Ours: whoever hands in a file comes again."""
    with pytest.raises(Refusal, match="does not say") as refused:
        await Clamd(f"tcp://127.0.0.1:{free_port()}").scan(b"x")

    assert refused.value.fault is OVERLOADED


async def test_a_scanner_that_never_answers_is_given_up():
    """Issue: time limits on every call."""
    never = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Refusal, match=r"nothing within 0\.05 s"):
            await Clamd(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", seconds=0.05).scan(b"x")
        never.set()


@pytest.mark.parametrize(
    "url", ["", "tcp://host", "tcp://:3310", "unix://host/x", "unix://", "http://host:1", "tcp://h:x"]
)
def test_an_address_of_another_form_is_a_mistake(url):
    """Setup errors: before the first file."""
    with pytest.raises(SetupError, match="virus scanner"):
        Clamd(url)


async def test_without_a_scanner_a_file_counts_as_not_scanned():
    """Issue: virus-scan port; nobody is told that a file is clean."""
    assert await NoScanner().scan(EICAR) is Verdict.NOT_SCANNED

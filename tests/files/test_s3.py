"""A bucket: who we are comes from a file alone, and a store that is away is an error that says so."""

from __future__ import annotations

import asyncio

import pytest

from tests.server_process import HOST
from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.files import open_store

pytestmark = pytest.mark.services


async def test_two_prefixes_of_one_bucket_do_not_meet(s3_server, s3_credentials):
    """Ours: several programs may share a bucket."""
    one = open_store(s3_server.url, credentials_file=s3_credentials)
    other = open_store(s3_server.url.replace("/of-tests", "/others"), credentials_file=s3_credentials)
    try:
        await one.put("chat/one", b"x")

        assert not await other.has("chat/one")
    finally:
        await one.aclose()
        await other.aclose()


async def test_a_bucket_that_is_not_there_is_a_refusal_with_its_code(s3_server, s3_credentials):
    """Errors: what, got, next step; the operator sees which bucket."""
    store = open_store(s3_server.url.replace("//files", "//nobodys"), credentials_file=s3_credentials)
    try:
        with pytest.raises(Refusal, match=r"bucket nobodys.*NoSuchBucket") as refused:
            await store.put("chat/one", b"x")
    finally:
        await store.aclose()

    assert refused.value.fault is OVERLOADED


async def test_a_store_that_never_answers_is_given_up(s3_credentials):
    """Issue: time limits on every call."""
    never = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    url = f"s3://files?endpoint=http://{HOST}:{port}"
    store = open_store(url, credentials_file=s3_credentials, seconds=0.2)
    try:
        with pytest.raises(Refusal, match="S3 store") as refused:
            await store.get("chat/one")
    finally:
        never.set()
        await store.aclose()
        server.close()

    assert refused.value.fault is OVERLOADED


@pytest.mark.parametrize(
    "head", ["Content-Length: 1000\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"]
)
async def test_a_file_that_breaks_off_is_a_refusal(s3_credentials, head):
    """Ours: half a file is none, and whoever asked comes again."""

    async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\n{head}".encode())
        writer.close()

    server = await asyncio.start_server(breaks_off, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    store = open_store(f"s3://files?endpoint=http://{HOST}:{port}", credentials_file=s3_credentials)
    async with server:
        with pytest.raises(Refusal, match="cannot be reached") as refused:
            await store.get("chat/one")
        await store.aclose()

    assert refused.value.fault is OVERLOADED


async def test_the_environment_does_not_say_who_we_are(s3_server, s3_credentials, monkeypatch):
    """Ours: only settings read the environment; botocore's own variables are not asked."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    store = open_store(s3_server.url, credentials_file=s3_credentials)
    try:
        await store.put("chat/two", b"x")

        assert await store.get("chat/two") == b"x"
    finally:
        await store.aclose()


def test_credentials_are_not_shown(s3_server, s3_credentials):
    """Security rules: no secret in a repr."""
    store = open_store(s3_server.url, credentials_file=s3_credentials)

    assert "secret-of-tests" not in repr(store) + repr(vars(store))

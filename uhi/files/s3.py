"""Files in a bucket of an S3-compatible store. Needs the extra `s3`; nothing else of the library imports this module.

Implements `uhi.files.store.ObjectStore`. Neither the environment nor botocore's own files say who we are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from os import devnull
from pathlib import Path
from typing import Any

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import AioSession  # type: ignore[import-untyped]
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from uhi.errors import FileMissing, Refusal, SetupError
from uhi.files.store import SECONDS, away, check_key
from uhi.signing.key_files import read_private_bytes

_MISSING = {"404", "NoSuchKey", "NotFound"}
_ATTEMPTS = 2
_CONNECT = 3.0

# What botocore would take from variables of the environment, or from files below the user's home.
_NOT_FROM_OUTSIDE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, devnull, None),
    "credentials_file": (None, None, devnull, None),
}

_Client = Any  # aiobotocore makes its clients' methods while it runs


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where files lie: bucket, and a prefix of their keys without slashes around it.

    `endpoint` is empty for Amazon's own; with `path_style` the bucket stands in the path and not in the host.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    path_style: bool = True


@dataclass(frozen=True, slots=True)
class S3Credentials:
    """Who we are to the store."""

    key_id: str
    secret: str = field(repr=False)


def read_s3_credentials(path: Path) -> S3Credentials:
    """The two lines of a file: access key id and secret.

    Raises: SetupError when it cannot be read, belongs to another user, is open to others, or holds anything else.
    """
    lines = [line.strip() for line in read_private_bytes(path).decode("ascii", "replace").splitlines() if line.strip()]
    if len(lines) != 2 or not all(line.isascii() for line in lines):
        raise SetupError(
            f"{path} holds no S3 credentials",
            got=f"{len(lines)} lines",
            expected="two lines: the access key id and the secret",
        )
    return S3Credentials(*lines)


class S3Store:
    """A store in a bucket, which is there already. It belongs to the event loop that first uses it."""

    def __init__(self, place: S3Place, credentials: S3Credentials, *, seconds: float = SECONDS) -> None:
        self._place = place
        self._credentials = credentials
        self._seconds = seconds
        self._open = AsyncExitStack()
        self._client: _Client = None
        self._opening = asyncio.Lock()

    def __repr__(self) -> str:
        return f"S3Store({self._place!r})"

    async def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """See `ObjectStore`."""
        named = self._named(key)
        async with self._in_time() as client:
            await client.put_object(**named, Body=content, ContentType=content_type)

    async def get(self, key: str) -> bytes:
        """See `ObjectStore`."""
        named = self._named(key)
        async with self._in_time() as client:
            found = await client.get_object(**named)
            async with found["Body"] as stream:
                return bytes(await stream.read())

    async def has(self, key: str) -> bool:
        """See `ObjectStore`."""
        named = self._named(key)
        try:
            async with self._in_time() as client:
                await client.head_object(**named)
        except FileMissing:
            return False
        return True

    async def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        named = self._named(key)
        async with self._in_time() as client:
            await client.delete_object(**named)

    async def aclose(self) -> None:
        """Let go of connections; the next call makes new ones."""
        self._client = None
        await self._open.aclose()

    def _named(self, key: str) -> dict[str, str]:
        check_key(key)
        prefix = self._place.prefix
        return {"Bucket": self._place.bucket, "Key": f"{prefix}/{key}" if prefix else key}

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[_Client]:
        try:
            async with asyncio.timeout(self._seconds):
                yield await self._opened()
        except TimeoutError:
            raise away("the S3 store does not answer", f"nothing within {self._seconds:g} s") from None
        except ClientError as error:
            raise self._refused(error) from None
        except (BotoCoreError, HttpError, OSError) as error:
            raise away("the S3 store cannot be reached", type(error).__name__) from None

    def _refused(self, error: ClientError) -> FileMissing | Refusal:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        if code in _MISSING:
            return FileMissing("there is no such file in the store")
        return away(f"the S3 store refused for the bucket {self._place.bucket}", code[:80])

    async def _opened(self) -> _Client:
        async with self._opening:
            if self._client is None:
                self._client = await self._open.enter_async_context(self._connection())
            return self._client

    def _connection(self) -> Any:
        place, who = self._place, self._credentials
        options = AioConfig(
            connect_timeout=min(_CONNECT, self._seconds),
            read_timeout=self._seconds,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": "path" if place.path_style else "virtual"},
            ignore_configured_endpoint_urls=True,
        )
        return AioSession(session_vars=_NOT_FROM_OUTSIDE).create_client(
            "s3",
            region_name=place.region,
            endpoint_url=place.endpoint or None,
            aws_access_key_id=who.key_id,
            aws_secret_access_key=who.secret,
            config=options,
        )

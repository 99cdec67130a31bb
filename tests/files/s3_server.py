"""A real S3 server for tests, moto's, started from the machine's own programs and thrown away."""

from __future__ import annotations

import signal
import urllib.request
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Self

from tests.server_process import HOST, Child, program, running, said

BUCKET = "files"


class S3Server:
    """A store with one bucket, kept in memory."""

    def __init__(self) -> None:
        self._program = program("moto_server", "moto[s3], flask and flask-cors")
        self._child = Child("s3")

    @classmethod
    def started(cls) -> AbstractContextManager[Self]:
        """A server that runs within the block."""
        return running(cls())

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self._child.port}"

    @property
    def url(self) -> str:
        """Its bucket, as `open_store` takes it."""
        return f"s3://{BUCKET}/of-tests?endpoint={self.endpoint}&region=us-east-1"

    def start(self) -> None:
        """Start it, and make the bucket."""
        self._child.start(self._command, self._is_ready)
        asked = urllib.request.Request(f"{self.endpoint}/{BUCKET}", method="PUT")
        urllib.request.urlopen(asked, timeout=30).close()

    def stop(self) -> None:
        """End it; it comes back without what it kept."""
        self._child.stop(signal.SIGKILL)

    def remove(self) -> None:
        """End it and delete its folder."""
        self._child.remove()

    def _command(self, port: int) -> Sequence[str]:
        return [self._program, "-H", HOST, "-p", str(port)]

    def _is_ready(self) -> bool:
        return b" 200 " in said(self._child.port, b"GET /moto-api/ HTTP/1.0\r\n\r\n")[:20]

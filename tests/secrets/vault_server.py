"""A Vault for tests: the real server where its program is on this machine, else one that answers as it does."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

ROOT = "root-of-a-test"
READER = "hvs.reader-of-a-test"


@dataclass(frozen=True)
class VaultServer:
    """A running Vault with the engines `secret` (KV 2) and `transit`, and a token that may read `uhi/` alone."""

    port: int
    token: str = ROOT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None) -> dict:
        """One call of its HTTP interface, as its owner."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, f"/v1/{path}", json.dumps(body).encode(), {"X-Vault-Token": ROOT})
        response = connection.getresponse()
        raw = response.read()
        connection.close()
        assert response.status < 300, (path, response.status)
        return json.loads(raw) if raw else {}

    def put(self, path: str, **fields: str) -> None:
        self.ask("POST", f"secret/data/{path}", {"data": fields})

    def encrypt(self, key: str, plain: bytes) -> str:
        self.ask("POST", f"transit/keys/{key}", {})
        answer = self.ask("POST", f"transit/encrypt/{key}", {"plaintext": base64.b64encode(plain).decode()})
        return answer["data"]["ciphertext"]


@contextmanager
def real_vault(program: str) -> Iterator[VaultServer]:
    """The real server, in its mode for development: in memory, unsealed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = (program, "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}")
    environment = {"HOME": os.environ.get("HOME", "/"), "PATH": os.environ.get("PATH", "")}
    with subprocess.Popen(
        (*command, f"-dev-listen-address=127.0.0.1:{port}"),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait(port)
            vault = VaultServer(port)
            vault.ask("POST", "sys/mounts/transit", {"type": "transit"})
            yield vault
        finally:
            process.terminate()


def _wait(port: int) -> None:
    until = monotonic() + 30
    while monotonic() < until:
        connection = HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/v1/sys/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("Vault did not start")


@contextmanager
def faithful_vault() -> Iterator[VaultServer]:
    """What the real one answers to the few calls that are made of it, as its documentation says."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield VaultServer(server.server_port)
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def vault() -> Iterator[VaultServer]:
    program = shutil.which("vault")
    with real_vault(program) if program else faithful_vault() as server:
        yield server


class _Handler(BaseHTTPRequestHandler):
    secrets: dict[str, dict] = {}  # noqa: RUF012
    keys: set[str] = set()  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(json.loads(self.rfile.read(length) or b"null"))

    def _answer(self, body: object) -> None:
        status, value = self._decide(self.path.removeprefix("/v1/"), body)
        raw = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _decide(self, path: str, body: object) -> tuple[int, dict]:
        if self.headers.get("X-Vault-Token") != ROOT:
            return 403, {"errors": ["permission denied"]}
        kind, _, rest = path.partition("/")
        if kind == "secret":
            return self._secret(rest.removeprefix("data/"), body)
        if kind == "transit":
            return self._transit(*rest.split("/", 1), body)
        return 404, {"errors": []}

    def _secret(self, path: str, body: object) -> tuple[int, dict]:
        if body is not None:
            self.secrets[path] = body["data"]
            return 200, {"data": {"version": 1}}
        found = self.secrets.get(path)
        return (200, {"data": {"data": found, "metadata": {"version": 1}}}) if found else (404, {"errors": []})

    def _transit(self, verb: str, key: str, body: dict) -> tuple[int, dict]:
        if verb == "keys":
            self.keys.add(key)
            return 204, {}
        if key not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        if verb == "encrypt":
            return 200, {"data": {"ciphertext": f"vault:v1:{_mixed(key, body['plaintext'])}"}}
        sealed = body["ciphertext"]
        if not sealed.startswith("vault:v1:"):
            return 400, {"errors": ["invalid ciphertext: no prefix"]}
        return 200, {"data": {"plaintext": base64.b64encode(_unmixed(key, sealed.removeprefix("vault:v1:"))).decode()}}


def _mixed(key: str, plaintext: str) -> str:
    return base64.b64encode(_stream(key, base64.b64decode(plaintext))).decode()


def _unmixed(key: str, text: str) -> bytes:
    return _stream(key, base64.b64decode(text))


def _stream(key: str, data: bytes) -> bytes:
    blocks = (sha256(f"{key} {n}".encode()).digest() for n in range(len(data) // 32 + 1))
    return bytes(a ^ b for a, b in zip(data, b"".join(blocks), strict=False))

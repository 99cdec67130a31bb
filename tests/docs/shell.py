"""Runs the commands that pages show, on free ports, and compares what they print."""

from __future__ import annotations

import random
import re
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import Block, Shown, assert_shows

_SECONDS = 40
_PORT = re.compile(r"\b(?:80[0-9]{2}|900[0-9])\b")
_DEV = re.compile(r"^uhi dev$", re.MULTILINE)
_DEV_FIRST, _DEV_PORTS = 9_000, 9


@dataclass
class Shell:
    """Runs a page's commands one block after the other, each in a shell of its own, as in terminals side by side."""

    folder: Path
    environment: dict[str, str]
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: dict[str, str] = field(default_factory=dict)

    def run(self, shown: Shown) -> None:
        """Run one block, and compare what it prints with what the page shows."""
        commands = _DEV.sub(self._dev, _PORT.sub(self._port, shown.commands))
        if shown.word == "server":
            self._serve(commands, shown)
            return
        done = subprocess.run(
            ["bash", "-euc", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        printed = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, f"{shown.at}\n{printed}"
        if shown.output is not None:
            assert_shows(shown.output, printed)

    def stop(self) -> None:
        """End every server that was started."""
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.communicate(timeout=_SECONDS)

    def _serve(self, commands: str, shown: Shown) -> None:
        # The last command replaces the shell, so that a signal reaches the server itself.
        *before, last = commands.rstrip().splitlines()
        server = subprocess.Popen(
            ["bash", "-euc", "\n".join([*before, f"exec {last}"])],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.servers.append(server)
        assert isinstance(shown.output, Block)
        assert server.stdout is not None
        printed = ""
        for _ in shown.output.text.splitlines():
            printed += server.stdout.readline().decode()
        assert_shows(shown.output, printed)

    def _dev(self, found: re.Match[str]) -> str:
        # Its ports are chosen by the command itself, and may be somebody's here.
        first = free_port(_DEV_PORTS)
        self.ports |= {str(_DEV_FIRST + each): str(first + each) for each in range(_DEV_PORTS)}
        return f"{found[0]} --port {first}"

    def _port(self, found: re.Match[str]) -> str:
        if found[0] not in self.ports:
            self.ports[found[0]] = str(free_port())
        return self.ports[found[0]]


def free_port(in_a_row: int = 1) -> int:
    """The first of so many ports that nobody listens on, below those that the system gives to others meanwhile."""
    while True:
        port = random.randrange(15_000, 31_000)
        if all(_is_free(port + each) for each in range(in_a_row)):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True

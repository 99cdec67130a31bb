"""The commands that serve, each as a process of its own on a free port: up, answering, and down by a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from uhi.signing import PrivateKey

ROOT = Path(__file__).parents[2]
KEY = PrivateKey(bytes(range(32)))
MEMBERS = f"""
- id: clinic.example
  role: provider
  url: http://127.0.0.1:8081/uhi
  domains: ["nic2004:85111"]
  keys:
    - id: k1
      public_key: {KEY.public.spki_base64()}
      valid_from: "2026-01-01T00:00:00Z"
      valid_until: "2096-01-01T00:00:00Z"
"""
SETTINGS = {
    "UHI_SUBSCRIBER_ID": "clinic.example",
    "UHI_KEY_ID": "k1",
    "UHI_URL": "http://127.0.0.1:8081/uhi",
    "UHI_REGISTRY_URL": "http://127.0.0.1:1/api/v1/networkregistry",
    "UHI_DATABASE_URL": "memory:",
}

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, key_file: Path) -> Iterator[Start]:
    """Starts the command in an empty folder, as the subscriber clinic.example."""
    with ExitStack() as stack:

        def start(*arguments: str, **settings: str) -> subprocess.Popen[str]:
            command = subprocess.Popen(
                [sys.executable, "-c", "from cli.main import main; main(prog_name='uhi')", *arguments],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT), "UHI_KEY_FILE": str(key_file), **SETTINGS, **settings},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            process = stack.enter_context(command)
            stack.callback(process.kill)
            return process

        yield start


def first_line(process: subprocess.Popen[str]) -> dict:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return json.loads(line)


def post(url: str, body: bytes, **headers: str) -> tuple[int, dict]:
    request = Request(url, body, {"Content-Type": "application/json", **headers})
    with urlopen(request) as response:
        return response.status, json.load(response)


def get(url: str) -> tuple[int, dict]:
    with urlopen(url) as response:
        return response.status, json.load(response)


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, logged = process.communicate()
    return process.returncode, logged


def test_registry_answers_a_lookup_signed_by_the_command(uhi, start, tmp_path, key_file):
    """Issue section 4: `uhi registry serve`; SIGTERM stops it cleanly."""
    (tmp_path / "members.yaml").write_text(MEMBERS)
    question = (
        b'{"subscriber_id":"clinic.example","type":"HSPA","domain":"nic2004:85111","country":"IND","city":"std:011"}'
    )
    process = start(
        "registry", "serve", "--file", "members.yaml", "--subscriber-id", "r.example", "--port", "0", "--json"
    )
    told = first_line(process)

    key = ("--key", str(key_file), "--key-id", "clinic.example|k1|ed25519")
    header = uhi("sign", "-", *key, stdin=question).stdout.strip()
    status, rows = post(f"{told['url']}/lookup", question, Authorization=header)
    code, logged = end(process, signal.SIGTERM)

    assert (told["ok"], told["serving"], told["role"]) == (True, "r.example", "registry")
    assert told["url"].endswith("/api/v1/networkregistry")
    assert (status, rows[0]["subscriber_id"]) == (200, "clinic.example")
    assert code == 0, logged
    assert json.loads(logged.splitlines()[0])["action"] == "lookup"


def test_gateway_serves_below_its_registered_path_and_keeps_a_call_log(start, tmp_path):
    """Issue section 4: `uhi gateway serve`; section 3: a line per hop; SIGINT stops it cleanly."""
    process = start(
        *("gateway", "serve", "--port", "0", "--call-log", "calls.jsonl", "--json"),
        UHI_SUBSCRIBER_ID="gateway.example",
        UHI_URL="http://127.0.0.1:8070/api/v1/uhi",
    )
    told = first_line(process)

    with pytest.raises(OSError, match="HTTP Error 401"):
        post(f"{told['url']}/search", b'{"who":"Priya 9876543210"}')
    code, logged = end(process, signal.SIGINT)

    hops = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert (told["serving"], told["role"]) == ("gateway.example", "gateway")
    assert told["url"].endswith("/api/v1/uhi")
    assert code == 0, logged
    assert [(hop["action"], hop["outcome"]) for hop in hops] == [("search", "AUT_SIGNATURE_MISSING")]
    assert "Priya" not in logged + json.dumps(hops)


def test_gateway_of_two_workers_is_one_gateway_on_one_port(start, uhi, tmp_path, postgres_url):
    """Issue "more than one process": `uhi gateway serve --workers N` on PostgreSQL; SIGTERM ends all of them."""
    assert uhi("db", "key", str(tmp_path / "body.key")).exit_code == 0
    process = start(
        *("gateway", "serve", "--port", "0", "--workers", "2", "--json"),
        UHI_URL="http://127.0.0.1:8070/api/v1/uhi",
        UHI_DATABASE_URL=postgres_url,
        UHI_BODY_KEY_FILE="body.key",
    )
    told = first_line(process)

    ready, page = get(told["url"].removesuffix("/api/v1/uhi") + "/readyz")
    with pytest.raises(OSError, match="HTTP Error 401"):
        post(f"{told['url']}/search", b"{}")
    code, logged = end(process, signal.SIGTERM)

    assert (told["workers"], ready, page["ready"]) == (2, 200, True)
    assert {"database", "migrations", "outbox", "draining"} <= set(page["checks"])
    assert code == 0, logged
    assert {json.loads(line)["worker"] for line in logged.splitlines()} <= {0, 1}


def test_participant_of_this_folder_is_served_below_its_registered_path(start, tmp_path):
    """Issue section 4: `uhi serve MODULE:APP`; SIGTERM stops it cleanly."""
    (tmp_path / "clinic_served.py").write_text("from uhi import Participant\n\napp = Participant.from_env()\n")
    process = start("serve", "clinic_served:app", "--port", "0", "--json")
    told = first_line(process)

    with pytest.raises(OSError, match="HTTP Error 401"):
        post(f"{told['url']}/search", b"{}")
    code, logged = end(process, signal.SIGTERM)

    assert (told["serving"], told["role"]) == ("clinic.example", "provider")
    assert told["url"].endswith("/uhi")
    assert code == 0, logged


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "nowhere:app"), "there is no module nowhere"),
        (("registry", "serve", "--file", "/nowhere.yaml", "--subscriber-id", "r"), "cannot be read"),
        (("gateway", "serve"), "UHI_SUBSCRIBER_ID: field required"),
    ],
)
def test_wrong_setup_is_told_before_anything_is_served(uhi, arguments, said, monkeypatch):
    """Errors say what, got, expected, next step; the operator's own exit with 2."""
    for name in list(os.environ):
        if name.startswith("UHI_"):
            monkeypatch.delenv(name)

    done = uhi(*arguments)

    assert done.exit_code == 2
    assert said in done.stderr

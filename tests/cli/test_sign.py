"""`uhi sign`: the very header a participant would send, over the very bytes of the body."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from uhi.signing import PROFILES, PrivateKey, Signer, body_digest, sign
from uhi.signing.key_files import write_private_key_file

KEY = PrivateKey(bytes(range(32)))
KEY_ID = "clinic.example|k1|ed25519"
NOW = 1_790_000_000
VECTORS = json.loads((Path(__file__).parents[1] / "conformance/vectors/uhi.json").read_text())["vectors"]


@pytest.fixture
def signing(uhi, key_file):
    """Calls `uhi sign` with the test key."""
    return lambda body, *options, **more: uhi(
        "sign", str(body), "--key", str(key_file), "--key-id", KEY_ID, *options, **more
    )


@pytest.mark.parametrize("profile", ["uhi", "beckn"])
def test_output_is_exactly_the_header_value(signing, body, profile):
    """Issue section 4: prints the header value, so that a script can take it as it is."""
    done = signing(body, "--profile", profile, "--created", str(NOW))

    signer = Signer("clinic.example", "k1", KEY, PROFILES[profile])
    assert done.exit_code == 0
    assert done.stderr == ""
    assert done.stdout == sign(body.read_bytes(), signer, created=NOW) + "\n"


def test_published_vector_is_reproduced(uhi, tmp_path):
    """NHA's reference repository: body `hello`; and the form of its header, letter by letter."""
    vector = VECTORS[2]
    example = VECTORS[0]
    (tmp_path / "hello").write_text(vector["body_utf8"])
    write_private_key_file(tmp_path / "k", PrivateKey.read(example["private_key_pkcs8_b64"]))
    times = ("--created", str(vector["created"]), "--expires", str(vector["expires"]))

    done = uhi(
        "sign", str(tmp_path / "hello"), "--key", str(tmp_path / "k"), "--key-id", vector["key_id"], *times, "--json"
    )

    told = json.loads(done.stdout)
    assert told["digest"] == vector["body_digest_b64"]
    assert told["signing_string"] == vector["signing_string"]
    assert told["header"] == vector["header"].replace(vector["signature_b64"], json.loads(told["header"])["signature"])
    assert "published" in done.stderr


def test_standard_input_is_signed_byte_for_byte(signing):
    """Bytes are sacred: a newline at the end is part of the body."""
    plain, ended = (json.loads(signing("-", "--json", stdin=text).stdout) for text in (b"\xff{}", b"\xff{}\n"))

    assert plain["digest"] == body_digest(b"\xff{}")
    assert ended["digest"] == body_digest(b"\xff{}\n")


def test_times_are_the_clocks_and_the_profiles_by_default(signing, body):
    """10 s for UHI, 300 s for Beckn."""
    lives = [json.loads(signing(body, "--profile", name, "--json").stdout) for name in ("uhi", "beckn")]

    assert [told["expires"] - told["created"] for told in lives] == [10, 300]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--key-id", "clinic.example|k1"), "expected  three parts"),
        (("--key-id", "clinic.example|k1|rsa"), "expected  three parts"),
        (("--key-id", "clinic example|k1|ed25519"), "subscriber id cannot be written"),
        (("--created", "1790000000", "--expires", "1790000000"), "never be valid"),
        (("--created", "-1"), "expected whole Unix seconds"),
        (("--key", "/nowhere/k.pem"), "cannot be read"),
    ],
)
def test_wrong_options_are_told(signing, body, options, said):
    """Errors say what, got, expected, next step."""
    done = signing(body, *options)

    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_missing_body_is_told(signing):
    """As above."""
    done = signing("/nowhere/body.json")

    assert done.exit_code == 2
    assert "body file /nowhere/body.json cannot be read" in done.stderr


def test_header_of_a_process_verifies_in_another(key_file, body):
    """The command as it is installed, from one shell to the next."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        start = "from cli.main import main; main(prog_name='uhi')"
        return subprocess.run([sys.executable, "-c", start, *arguments], capture_output=True, text=True, check=False)

    signed = run("sign", str(body), "--key", str(key_file), "--key-id", KEY_ID)
    key = KEY.public.spki_base64()
    verified = run("verify", str(body), "--header", signed.stdout, "--public-key", key)

    assert (signed.returncode, signed.stderr) == (0, "")
    assert (verified.returncode, verified.stderr) == (0, "")

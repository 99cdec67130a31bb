"""`uhi verify`: its verdicts, and what it explains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uhi.signing import PROFILES, PrivateKey, Signer, body_digest, sign

KEY = PrivateKey(bytes(range(32)))
NOW = 1_790_000_000
VECTORS = Path(__file__).parents[1] / "conformance/vectors"
STEPS = ["header", "time", "public key", "body digest", "signing string", "signature"]


def read(name: str) -> dict:
    return json.loads((VECTORS / name).read_text())


BECKN, UHI = read("header-acceptance.json"), read("header-acceptance-uhi.json")
ACCEPTANCE = [(case, BECKN["now"], "beckn") for case in BECKN["variants"] + BECKN["boundaries"]]
ACCEPTANCE += [(case, UHI["now"], case["profile"].lower()) for case in UHI["cases"]]


@pytest.fixture
def verifying(uhi, body):
    """Calls `uhi verify` on the body, signed with the test key at NOW."""

    def call(*options: str, signed: bytes | None = None, with_profile: str = "uhi") -> object:
        raw = body.read_bytes() if signed is None else signed
        header = sign(raw, Signer("clinic.example", "k1", KEY, PROFILES[with_profile]), created=NOW)
        key = KEY.public.spki_base64()
        return uhi("verify", str(body), "--header", header, "--public-key", key, "--now", str(NOW), *options)

    return call


@pytest.mark.parametrize(
    ("case", "now", "profile"), ACCEPTANCE, ids=lambda value: dict(value)["id"] if isinstance(value, dict) else ""
)
def test_exit_code_is_the_verdict_of_the_vectors(uhi, case, now, profile):
    """The acceptance vectors of both header forms: 0 for accept, 1 for refuse."""
    options = ("--profile", profile, "--public-key", case["public_key_b64"], "--now", str(now))

    done = uhi("verify", "-", "--header", case["header"], *options, stdin=case["body_utf8"])

    assert done.exit_code == (0 if case["verdict"] == "accept" else 1), done.output
    assert "Traceback" not in done.output


@pytest.mark.case("SIG-01")
@pytest.mark.parametrize(("now", "code"), [(1_678_684_250, 0), (1_678_684_257, 1)])
def test_published_vector_verifies_in_its_time_and_not_after(uhi, now, code):
    """NHA's reference repository: body `hello`."""
    vector = read("uhi.json")["vectors"][2]
    options = ("--header", vector["header"], "--public-key", vector["public_key_spki_b64"], "--now", str(now))

    assert uhi("verify", "-", *options, stdin=vector["body_utf8"]).exit_code == code


def test_verified_says_who_signed(verifying):
    """Ours: one line, on standard output."""
    done = verifying()

    assert done.exit_code == 0
    assert done.output == "verified: signed by clinic.example with key k1\n"


def test_refused_says_why_and_points_to_the_explanation(verifying):
    """Errors say what, got, expected, next step."""
    done = verifying("--now", str(NOW + 24))

    assert done.exit_code == 1
    assert "signature of clinic.example (key k1) expired 14 s ago" in done.stderr
    assert "next      add --explain" in done.stderr


def test_explanation_shows_each_step_in_order(verifying, body):
    """Issue section 4: each step, the digest and the signing string it computed."""
    done = verifying("--explain")

    digest = body_digest(body.read_bytes())
    heads = [line.split(": ")[0].split(" ", 1)[1] for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert done.exit_code == 0
    assert heads == STEPS
    assert f"Digest header  BLAKE-512={digest}" in done.stdout
    assert f"(created): {NOW} (expires): {NOW + 10} digest: BLAKE-512={digest}" in done.stdout
    assert f"{len(body.read_bytes())} bytes, no newline at its end" in done.stdout
    assert "tolerance  created up to 5 s in the future" in done.stdout


def test_explanation_marks_the_step_that_failed(verifying):
    """The time is past, everything else fits: then only the time is to blame."""
    done = verifying("--now", str(NOW + 24), "--explain")

    assert done.exit_code == 1
    assert "2 time: FAILED" in done.stdout
    assert "6 signature: ok" in done.stdout
    assert f"expires    {NOW + 10}, 14 s ago" in done.stdout
    assert f"add --now {NOW}" in done.stdout
    assert done.stdout.splitlines()[-2] == "not verified"


def test_steps_that_cannot_be_taken_are_called_so(uhi, body):
    """Without a header there is no time and no signature; the digest can be shown all the same."""
    key = KEY.public.spki_base64()

    done = uhi("verify", str(body), "--header", "Basic x", "--public-key", key, "--explain", "--json")

    steps = {step["step"]: step["verdict"] for step in json.loads(done.stdout)["steps"]}
    unreached = {"time": "not reached", "signing string": "not reached", "signature": "not reached"}
    assert steps == {"header": "failed", "public key": "ok", "body digest": "computed"} | unreached


def test_json_carries_verdict_error_steps_and_advice(verifying):
    """Issue section 4: `--json` everywhere."""
    done = verifying("--explain", "--json", signed=b"another body")

    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (told["ok"], told["subscriber_id"], told["key_id"]) == (False, "clinic.example", "k1")
    assert (told["error"]["code"], told["error"]["type"]) == ("UHI-1405", "AUT_SIGNATURE_INVALID")
    assert [step["step"] for step in told["steps"]] == STEPS
    assert told["advice"]


def test_what_would_fit_is_said_and_still_refused(verifying, body):
    """Diagnosis only: a body that differs by a newline is another body."""
    done = verifying("--explain", signed=body.read_bytes() + b"\n")

    assert done.exit_code == 1
    assert "what to do: signature: it fits this body with a newline at its end" in done.stdout


def test_body_and_signature_are_not_shown(verifying):
    """A body holds a patient's data; its bytes are counted and hashed, not printed."""
    shown = verifying("--explain").output + verifying("--explain", "--json", signed=b"x").output

    assert "price" not in shown
    assert "signature   64 bytes" in shown


def test_unusable_public_key_is_refused_with_1(uhi, body):
    """The two verdicts are 0 and 1; low-order keys are among the unusable."""
    header = sign(body.read_bytes(), Signer("c", "k", KEY, PROFILES["uhi"]), created=NOW)

    for key in ("A" * 43 + "=", KEY.pkcs8_base64(), "nonsense"):
        done = uhi("verify", str(body), "--header", header, "--public-key", key, "--now", str(NOW))
        assert done.exit_code == 1, done.output
        assert "public key is not acceptable" in done.stderr
        assert key not in done.output

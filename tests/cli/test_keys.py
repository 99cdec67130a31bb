"""`uhi keys`: what it prints, what it writes, and that a private key is never printed."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from uhi.signing import PrivateKey, PublicKey
from uhi.signing.key_files import read_private_key_file

KEY = PrivateKey(bytes(range(32)))
BOUNCY_CASTLE = base64.b64encode(
    bytes.fromhex("3051020101300506032b657004220420") + bytes(range(32)) + bytes.fromhex("812100") + KEY.public.raw
).decode()
PRIVATE_TEXTS = [KEY.seed_base64(), KEY.pkcs8_base64(), KEY.pem().splitlines()[1]]


def shows_nothing_private(output: str) -> bool:
    return not any(text in output for text in [*PRIVATE_TEXTS, BOUNCY_CASTLE])


def test_new_key_goes_to_a_file_that_only_its_owner_reads(uhi, tmp_path):
    """Decision on keys: PKCS#8 PEM, mode 0600; the public half is what is printed."""
    path = tmp_path / "k.pem"

    done = uhi("keys", "new", "--out", str(path))

    key = read_private_key_file(path)
    assert done.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.public.spki_base64() in done.stdout
    assert key.public.raw_base64() in done.stdout
    assert key.pkcs8_base64() not in done.output
    assert key.seed_base64() not in done.output


def test_existing_file_is_never_overwritten(uhi, key_file):
    """A key that is overwritten cannot be made again."""
    before = key_file.read_bytes()

    done = uhi("keys", "new", "--out", str(key_file))

    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert key_file.read_bytes() == before


def test_new_key_as_json_names_file_and_public_key(uhi, tmp_path):
    """Issue section 4: `--json` everywhere."""
    path = tmp_path / "k.pem"

    told = json.loads(uhi("keys", "new", "--out", str(path), "--json").stdout)

    public = read_private_key_file(path).public
    forms = {"spki": public.spki_base64(), "raw": public.raw_base64(), "pem": public.pem()}
    assert told == {"ok": True, "file": str(path), "public_key": forms}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (KEY.public.spki_base64(), "SPKI DER, base64"),
        (KEY.public.pem(), "PEM (PUBLIC KEY)"),
        (KEY.pem(), "PEM (PRIVATE KEY)"),
        (KEY.pkcs8_base64(), "PKCS#8 DER of 48 bytes, base64"),
        (BOUNCY_CASTLE, "PKCS#8 DER of 83 bytes, as BouncyCastle writes it, base64"),
        (base64.b64encode(bytes(range(32)) + KEY.public.raw).decode(), "seed and public half (64 bytes), base64"),
    ],
)
def test_show_says_which_form_it_read(uhi, tmp_path, text, form):
    """Issue section 4; the forms are those of UHI's and Beckn's registries and of BouncyCastle."""
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)

    told = json.loads(uhi("keys", "show", str(path), "--json").stdout)

    assert told["form"] == form
    assert told["kind"] == ("public" if "PUBLIC" in form or "SPKI" in form else "private")
    assert told["public_key"]["raw"] == KEY.public.raw_base64()


@pytest.mark.parametrize("text", [KEY.pkcs8_base64(), BOUNCY_CASTLE])
def test_show_of_a_private_key_prints_its_public_half_only(uhi, text):
    """The private key stays private; and on a command line it is in the shell's history, which is said."""
    done = uhi("keys", "show", text)

    assert done.exit_code == 0
    assert KEY.public.spki_base64() in done.stdout
    assert "shell's history" in done.stderr
    assert shows_nothing_private(done.output)


def test_bare_bytes_are_not_guessed_at(uhi):
    """32 bytes can be a public key or a private seed; taking a seed for a public key would print it."""
    unsaid = uhi("keys", "show", KEY.seed_base64())
    private = uhi("keys", "show", KEY.seed_base64(), "--as", "private")
    public = uhi("keys", "show", KEY.public.raw_base64(), "--as", "public")

    assert (unsaid.exit_code, private.exit_code, public.exit_code) == (2, 0, 0)
    assert shows_nothing_private(unsaid.output + private.output)
    assert KEY.public.spki_base64() in private.stdout
    assert KEY.public.spki_base64() in public.stdout


def test_show_reads_standard_input(uhi):
    """Ours: `-` is standard input in every command."""
    assert KEY.public.raw_base64() in uhi("keys", "show", "-", stdin=KEY.public.pem()).stdout


def test_private_key_file_that_others_may_read_is_refused(uhi, key_file):
    """Decision on keys: mode 0600 or refuse."""
    key_file.chmod(0o640)

    done = uhi("keys", "show", str(key_file))

    assert done.exit_code == 2
    assert "chmod 600" in done.stderr


@pytest.mark.parametrize("text", ["nofile.pem", "x" * 60, "é" * 60, "-----BEGIN CERTIFICATE-----\nAAAA", "a\0b"])
def test_what_is_no_key_is_refused_and_not_repeated(uhi, text):
    """The text may be a private key that lost a letter."""
    done = uhi("keys", "show", "-", stdin=text)

    assert done.exit_code in (1, 2)
    assert done.stderr.startswith("error: ")
    assert text not in done.output


def test_published_key_is_called_so(uhi):
    """Decision on keys: anyone can sign with a key whose private half stands in a document."""
    done = uhi("keys", "show", "MCowBQYDK2VwAyEA9AwjtMBySgjkf3cx2pzAYt8pL1qAlhil3WUulCSpFnI=")

    assert "published" in done.stderr


@pytest.mark.parametrize("form", ["spki", "raw", "pem"])
def test_private_key_converts_to_public_forms(uhi, key_file, form):
    """The public half of a key, alone on standard output, for scripts."""
    done = uhi("keys", "convert", str(key_file), "--to", form)

    assert done.exit_code == 0
    assert PublicKey.read(done.stdout) == KEY.public
    assert shows_nothing_private(done.output)


@pytest.mark.parametrize("form", ["pkcs8", "seed", "pem-private"])
def test_private_forms_go_to_a_file_of_mode_0600(uhi, key_file, tmp_path, form):
    """Decision on keys: a private key is in no output."""
    path = tmp_path / "converted"

    done = uhi("keys", "convert", str(key_file), "--to", form, "--out", str(path))

    assert done.exit_code == 0
    assert read_private_key_file(path) == KEY
    assert shows_nothing_private(done.output)


def test_private_form_without_a_file_is_refused(uhi, key_file):
    """As above: there is no option to print it."""
    done = uhi("keys", "convert", str(key_file), "--to", "seed")

    assert done.exit_code == 2
    assert "a private key is not printed" in done.stderr
    assert shows_nothing_private(done.output)


def test_public_key_does_not_become_private(uhi, tmp_path):
    """Ours: says what was read, and what is needed."""
    done = uhi("keys", "convert", KEY.public.spki_base64(), "--to", "pkcs8", "--out", str(tmp_path / "k"))

    assert done.exit_code == 2
    assert "expected  a private key" in done.stderr
    assert not (tmp_path / "k").exists()


def test_public_form_is_written_to_a_new_file_only(uhi, key_file, tmp_path):
    """Ours: no command overwrites a file."""
    path = tmp_path / "public.pem"
    call = ("keys", "convert", str(key_file), "--to", "pem", "--out", str(path))

    first, second = uhi(*call), uhi(*call)

    assert (first.exit_code, second.exit_code) == (0, 2)
    assert PublicKey.read(Path(path).read_bytes()) == KEY.public

"""Bodies and PINs at rest: what opens, what does not, and what the errors say."""

from __future__ import annotations

import base64

import pytest

from uhi.errors import SetupError
from uhi.storage.sealing import Sealing, new_body_key, read_body_key_file

OLD, NEW = b"o" * 32, b"n" * 32


def key_file(tmp_path, text: str, *, mode: int = 0o600):
    """A body key file."""
    path = tmp_path / "body.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def lines(*keys: bytes) -> str:
    """Keys as they stand in a file."""
    return "".join(f"{base64.b64encode(key).decode()}\n" for key in keys)


def test_sealed_text_opens_for_its_own_row_only():
    """Decision on PINs: AES-GCM, bound to the row, so that rows cannot be swapped."""
    sealing = Sealing([NEW])

    blob = sealing.seal(b"4711", about="row-1")

    assert b"4711" not in blob
    assert sealing.open(blob, about="row-1") == b"4711"
    with pytest.raises(SetupError, match="belongs to another row"):
        sealing.open(blob, about="row-2")


def test_same_text_is_never_sealed_alike():
    """AES-GCM: a nonce is used once."""
    sealing = Sealing([NEW])

    assert len({sealing.seal(b"4711", about="row-1") for _ in range(100)}) == 100


def test_newest_key_writes_and_every_key_reads():
    """The issue, on the journal: keys are replaced without a pause."""
    before, between, after = Sealing([OLD]), Sealing([NEW, OLD]), Sealing([NEW])

    assert between.open(before.seal(b"old", about="row"), about="row") == b"old"
    assert after.open(between.seal(b"new", about="row"), about="row") == b"new"


@pytest.mark.parametrize("at", [0, 1, 5, 17, -1])
def test_changed_blob_is_refused_and_its_content_is_not_told(at):
    """AES-GCM: authenticated; the error names the key and never the content."""
    blob = bytearray(Sealing([NEW]).seal(b"the content", about="row"))
    blob[at] ^= 1

    with pytest.raises(SetupError) as refused:
        Sealing([NEW]).open(bytes(blob), about="row")

    assert "content" not in str(refused.value)


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x01" + bytes(40)])
def test_cut_blob_is_refused(blob):
    """Ours: whatever stands in the column, the answer is one kind of error."""
    with pytest.raises(SetupError):
        Sealing([NEW]).open(blob, about="row")


def test_missing_key_is_named():
    """Ours: the operator is told which key to put back."""
    blob = Sealing([OLD]).seal(b"text", about="row")

    with pytest.raises(SetupError, match=f"got key {blob[1:5].hex()}.*UHI_BODY_KEY_FILE"):
        Sealing([NEW]).open(blob, about="row")


def test_file_holds_keys_the_newest_first(tmp_path):
    """The issue, on the journal: the key comes from a file; empty lines do not matter."""
    sealing = read_body_key_file(key_file(tmp_path, lines(NEW) + "\n" + lines(OLD)))

    assert Sealing([NEW]).open(sealing.seal(b"text", about="row"), about="row") == b"text"
    assert sealing.open(Sealing([OLD]).seal(b"text", about="row"), about="row") == b"text"


def test_new_key_is_a_line_for_the_file(tmp_path):
    """Ours: what the command writes is what is read."""
    first, second = new_body_key(), new_body_key()

    sealing = read_body_key_file(key_file(tmp_path, first + second))

    assert first != second
    assert sealing.open(sealing.seal(b"text", about="row"), about="row") == b"text"


@pytest.mark.parametrize(
    "text", ["", "\n", "no base64\n", lines(b"short"), lines(NEW) + "x\n", lines(*[NEW, OLD] * 33)]
)
def test_file_with_anything_else_is_refused(tmp_path, text):
    """Ours: a key that is cut is found before the first message."""
    with pytest.raises(SetupError, match="lines of base64"):
        read_body_key_file(key_file(tmp_path, text))


def test_file_open_to_others_is_refused(tmp_path):
    """The network's key storage rules: file mode 0600."""
    with pytest.raises(SetupError, match="chmod 600"):
        read_body_key_file(key_file(tmp_path, lines(NEW), mode=0o640))


@pytest.mark.parametrize("keys", [[], [b"short"]])
def test_sealing_needs_whole_keys(keys):
    """AES-256: keys of 32 bytes."""
    with pytest.raises(SetupError, match="32 bytes"):
        Sealing(keys)


def test_text_of_a_sealing_shows_no_key():
    """Ours: a value that reaches a log holds no secret."""
    shown = repr(Sealing([OLD]))

    assert OLD.hex() not in shown
    assert "ooo" not in shown


def test_keys_for_another_purpose_follow_from_the_keys_and_the_purpose():
    """Ours: links are signed with keys of their own, one for each body key, the newest first."""
    newest, older = b"n" * 32, b"o" * 32

    both = Sealing([newest, older]).derived("signed links")

    assert both == Sealing([newest]).derived("signed links") + Sealing([older]).derived("signed links")
    assert len({*both, newest, older, *Sealing([newest]).derived("something else")}) == 5
    assert [len(key) for key in both] == [32, 32]

"""Texts, documents and names, without a network: what is taken and how it is cleaned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversation.scene import PDF, PNG
from uhi.conversation.contents import ChatRules, Document, Why, check_document, check_text, decoded
from uhi.conversation.media import check_media
from uhi.conversation.messages import content_id_of
from uhi.conversation.names import LONGEST, attachment, clean_name
from uhi.errors import ContentRefused
from uhi.messages.conversation import ChatContent

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01" + bytes(50) + b"\xff\xd9"
RULES = ChatRules()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"BP 120/80\nBM twice a day", "text/plain"),
        ("\ufeffनमस्ते".encode(), "text/plain"),
    ],
)
def test_a_document_of_each_type_is_known_by_its_content(content, media_type):
    """Issue: content sniffed against the declared type."""
    check_media(content, media_type)


@pytest.mark.parametrize("media_type", ["application/pdf", "image/png", "image/jpeg", "text/plain"])
@pytest.mark.parametrize(
    "content",
    [
        *(b"MZ\x90\x00" + bytes(200), b"\x7fELF" + bytes(200), b"PK\x03\x04" + bytes(40), b"GIF89a" + bytes(20)),
        *(b"<!DOCTYPE html><script>", b"\x00\x01\x02", b"{\\rtf1 x}", b"\xff\xfe\x00"),
    ],
)
def test_another_content_is_never_taken_for_it(content, media_type):
    """Security rules, files: programs, archives and pages are not what they say."""
    with pytest.raises(ValueError, match=r"not plain text|another type"):
        check_media(content, media_type)


def test_a_program_may_take_other_types():
    """Issue: allowed types are a setting."""
    rules = ChatRules(media_types=frozenset({"image/gif"}), file_bytes=10)

    taken = check_document(Document(content=b"GIF89a", media_type="image/gif", name="x"), rules)

    assert taken.media_type == "image/gif"
    with pytest.raises(ContentRefused) as refused:
        check_document(Document(content=b"GIF89a" + bytes(5), media_type="image/gif"), rules)
    assert refused.value.reason == Why.TOO_LARGE.value


@pytest.mark.parametrize(
    ("name", "media_type", "clean"),
    [
        ("report.pdf", "application/pdf", "report.pdf"),
        ("REPORT.PDF", "application/pdf", "REPORT.pdf"),
        ("photo.JPEG", "image/jpeg", "photo.jpeg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\ravi\\x.pdf", "application/pdf", "x.pdf"),
        ("invoice.pdf.exe", "application/pdf", "invoice.pdf.exe.pdf"),
        ("evil\u202efdp.exe", "application/pdf", "evilfdp.exe.pdf"),
        ('a"b;c\r\nX: y.pdf', "application/pdf", "a_b_cX_ y.pdf"),
        ("", "application/pdf", "document.pdf"),
        ("...", "image/png", "document.png"),
        ("रिपोर्ट.pdf", "application/pdf", "रिपोर्ट.pdf"),
        ("x" * 300, "application/pdf", "x" * (LONGEST - 4) + ".pdf"),
    ],
)
def test_file_names_are_cleaned(name, media_type, clean):
    """Issue: file names cleaned; the ending is that of the type."""
    assert clean_name(name, media_type) == clean


@given(st.text(max_size=400), st.sampled_from(["application/pdf", "image/png", "text/plain", "x/y"]))
def test_no_name_breaks_a_header_or_leads_anywhere(name, media_type):
    """RFC 6266: whatever somebody called a file, a header is one line of ASCII, and a name one part of a path."""
    cleaned = clean_name(name, media_type)

    header = attachment(cleaned)

    assert 0 < len(cleaned) <= LONGEST
    assert not set(cleaned) & set('/\\"\r\n\0')
    assert not cleaned.startswith(".")
    assert (header.isascii(), header.isprintable(), header.count('"')) == (True, True, 2)
    assert clean_name(cleaned, media_type) == cleaned


@given(st.text(max_size=50))
def test_a_text_is_taken_or_refused_with_a_reason(text):
    """Ours: no text makes anything fail in another way."""
    try:
        taken, reason = check_text(text, RULES), ""
    except ContentRefused as refused:
        taken, reason = text, refused.reason

    assert taken == text
    assert reason in {"", Why.EMPTY.value, Why.NOT_TEXT.value}


@given(st.text(max_size=50))
def test_no_base64_fails_in_another_way(value):
    """Ours: what a peer sends is bytes or a refusal."""
    try:
        raw = decoded(value, most=100)
    except ContentRefused as refused:
        raw = refused.reason.encode()

    assert len(raw) <= len(value) or raw.decode() == Why.NOT_BASE64.value


def test_too_much_base64_is_not_decoded():
    """Security rules: a limit is checked before the work."""
    with pytest.raises(ContentRefused) as refused:
        decoded("%" * 1_000, most=100)

    assert refused.value.reason == Why.TOO_LARGE.value


def test_an_id_of_somebody_is_kept_as_it_is_only_where_it_is_a_uuid():
    """Privacy rules: an id in a table of ours tells nothing about anybody."""
    uuid = "0A000000-0000-4000-8000-000000000001"

    kept = [content_id_of(ChatContent(content_id=given), "digest") for given in (uuid, "ravi.kumar@sbx", None)]

    assert kept[0] == uuid.lower()
    assert [len(each) for each in kept[1:]] == [64, 64]
    assert kept[1] != kept[2] == content_id_of(ChatContent(), "digest") != content_id_of(ChatContent(), "other")

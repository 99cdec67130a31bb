"""Links to files: they end, and nothing about them can be changed."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from uhi.errors import Refusal, SetupError
from uhi.faults import LINK_INVALID
from uhi.files import SignedLink, SignedUrls

NOW = 1_760_000_000.5
NAME = "Blutbild Kanari.pdf"
KEY, OLDER = b"k" * 32, b"o" * 32


def urls(*keys: bytes, path: str = "/v1/files") -> SignedUrls:
    return SignedUrls(keys or (KEY,), path=path, seconds=300)


def read(url: str) -> SignedLink:
    parts = urlsplit(url)
    query = parse_qs(parts.query, strict_parsing=True)
    return SignedLink(parts.path.rpartition("/")[2], int(query["expires"][0]), query["signature"][0])


LINK = read(urls().make("0123abc", name=NAME, now=NOW))


def test_a_link_opens_its_file_until_it_ends():
    """Issue: signed URLs with expiry."""
    urls().check(LINK, name=NAME, now=NOW)
    urls().check(LINK, name=NAME, now=LINK.expires - 0.1)

    with pytest.raises(Refusal, match="has ended") as refused:
        urls().check(LINK, name=NAME, now=LINK.expires)

    assert refused.value.fault is LINK_INVALID
    assert LINK.expires == int(NOW) + 300


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, id="0123abd"),
        replace(LINK, expires=LINK.expires + 1),
        replace(LINK, signature=LINK.signature[:-1] + ("0" if LINK.signature[-1] != "0" else "1")),
        replace(LINK, signature=LINK.signature.upper()),
        replace(LINK, signature=""),
        replace(LINK, id="0123abc\n1"),
        replace(LINK, expires=-1),
        replace(LINK, expires=2**60),
    ],
)
def test_a_link_that_was_changed_opens_nothing(link):
    """Issue: tampering refused."""
    with pytest.raises(Refusal, match="not made here") as refused:
        urls().check(link, name=NAME, now=NOW)

    assert refused.value.fault is LINK_INVALID


@pytest.mark.parametrize("other", [urls(b"x" * 32), urls(path="/v1/pictures")])
def test_a_link_of_another_program_or_path_opens_nothing(other):
    """Signed links: bound to the path, made with our keys."""
    with pytest.raises(Refusal, match="not made here"):
        other.check(LINK, name=NAME, now=NOW)


def test_a_link_is_bound_to_the_name_and_does_not_tell_it():
    """Privacy rules: nothing about a patient in a URL; a file's name may be."""
    with pytest.raises(Refusal, match="not made here"):
        urls().check(LINK, name="Other.pdf", now=NOW)

    assert "Blutbild" not in urls().make("0123abc", name=NAME, now=NOW)


def test_links_outlive_a_change_of_keys():
    """Ours: the older keys still check."""
    older = read(urls(OLDER).make("0123abc", name=NAME, now=NOW))

    urls(KEY, OLDER).check(older, name=NAME, now=NOW)
    urls(KEY, OLDER).check(LINK, name=NAME, now=NOW)


@pytest.mark.parametrize("keys", [(), (b"short",)])
def test_links_are_not_signed_without_a_key(keys):
    """Setup errors: before the first request."""
    with pytest.raises(SetupError, match="links cannot be signed"):
        SignedUrls(keys, path="/v1/files")


def test_nothing_of_the_keys_is_shown():
    """Security rules: no secret in a repr."""
    assert "kkkk" not in repr(urls())
    assert LINK.signature not in repr(LINK)

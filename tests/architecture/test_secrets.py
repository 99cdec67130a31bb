"""No secrets in the repository: whoever reads it learns no key, password or token that is in use anywhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PUBLISHED = {
    "tests/conformance/vectors/challenge.json",  # the example keys of public documents, see NOTICE there
    "tests/conformance/vectors/uhi.json",
    "tests/gateway/test_bootstrap.py",  # one of them, to see it refused
}
OTHERS = {".git", ".venv", ".venv-lock", "build", "dist", "htmlcov", ".uhi", ".hypothesis", "__pycache__"}
CACHES = re.compile(r"\.\w+_cache")
LARGEST = 4 * 1024 * 1024
# Cut in two, so that this file does not find itself.
SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE " r"KEY-----\s*[A-Za-z0-9+/]{16}"),
    "an Ed25519 or X25519 key in DER": re.compile(r"\bMC4CAQ" r"AwBQYDK2V[uw]B[A-Za-z0-9+/]"),
    "a key of Amazon": re.compile(r"\b(?:AKIA|ASIA)" r"[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_" r"[A-Za-z0-9]{36}\b|\bgithub_pat_" r"[A-Za-z0-9_]{60}"),
    "a token of Slack": re.compile(r"\bxox[abprs]-" r"[0-9A-Za-z-]{10}"),
    "a key of Google": re.compile(r"\bAIza" r"[0-9A-Za-z_-]{35}\b"),
    "a token of Vault": re.compile(r"\bhv[sbr]\." r"[A-Za-z0-9_-]{24}"),
    "a token of a package index": re.compile(r"\bpypi-" r"[A-Za-z0-9_-]{50}"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ" r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    "a password in an address": re.compile(
        r"\b(?:postgresql|rediss?|nats|https?)://[^\s:/@'\"{}<>…]+:" r"[^\s@/'\"{}<>…]{3,}@[\w.\-\[]*"
    ),
}
EXAMPLES = re.compile(
    r":(?:secret|password|hidden|word-\d|\*+)@|@(?:host|localhost|127\.0\.0\.1|[\w.-]*\bexample(?:\.\w+)?)$",
    re.IGNORECASE,
)
"""Passwords that are words for one, and machines that do not exist."""


def files_of(root: Path) -> Iterator[Path]:
    """Every file that belongs to the project."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in OTHERS and not CACHES.fullmatch(name)]
        yield from (Path(folder, name) for name in names)


def found_in(text: str) -> Iterator[str]:
    """What kinds of secrets a text holds."""
    for kind, pattern in SECRETS.items():
        if any(not EXAMPLES.search(found[0]) for found in pattern.finditer(text)):
            yield kind


def test_the_repository_holds_no_secret(root):
    """Issue: secrets; what was published once cannot be taken back."""
    texts = (
        (file.relative_to(root).as_posix(), file.read_text("utf-8", errors="replace"))
        for file in files_of(root)
        if file.is_file() and file.stat().st_size <= LARGEST
    )

    found = [f"{path}: {kind}" for path, text in texts if path not in PUBLISHED for kind in found_in(text)]

    assert found == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a private key", "-----BEGIN PRIVATE " + "KEY-----\nMC4CAQAwBQYDK2VwBCIE"),
        ("an Ed25519 or X25519 key in DER", "MC4CAQ" + "AwBQYDK2VwBCIEIGCioWvs"),
        ("a key of Amazon", "AKIA" + "A" * 16),
        ("a token of GitHub", "ghp_" + "a" * 36),
        ("a token of Vault", "hvs." + "a" * 24),
        ("a signed token", "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 24),
        ("a password in an address", "postgresql://uhi:" + "really1@db.hospital.in/uhi"),
    ],
)
def test_a_secret_would_be_found(kind, text):
    """Ours: a search that finds nothing must be one that finds something."""
    assert kind in list(found_in(text))

"""The YAML registry: what it reads, and that every mistake in it is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.members_file import members_file
from uhi.errors import SetupError
from uhi.registry import MemoryRegistry, load_registry
from uhi.signing import BECKN, PrivateKey
from uhi.subscribers import Role

KEY = PrivateKey(bytes(range(32)))
ENTRY = f"""
- id: clinic.hspa
  role: HSPA
  url: https://clinic.example/uhi/
  domains: [nic2004:85111]
  keys:
    - id: k1
      public_key: {KEY.public.raw_base64()}
      valid_from: 2026-01-01T00:00:00Z
      valid_until: 2027-01-01 00:00:00
"""


def load(folder: Path, text: str) -> MemoryRegistry:
    file = folder / "registry.yaml"
    file.write_text(text, encoding="utf-8")
    return load_registry(file)


def test_entry_is_read_with_its_defaults(tmp_path):
    """Ours: what every entry of a development network has in common need not be written."""
    [member] = load(tmp_path, ENTRY).members()

    assert (member.subscriber.role, member.subscriber.url) == (Role.PROVIDER, "https://clinic.example/uhi")
    assert (member.subscriber.status, member.subscriber.country) == ("SUBSCRIBED", "IND")
    assert (member.subscriber.cities, member.keys[0].profile.name) == (("*",), "uhi")
    assert member.keys[0].public == KEY.public
    assert (member.keys[0].valid_from, member.keys[0].valid_until) == (1_767_225_600.0, 1_798_761_600.0)


def test_texts_that_plain_yaml_would_change_stay_texts(tmp_path):
    """Ours: `NO` is Norway and `0123` an id."""
    [member] = load(tmp_path, ENTRY.replace("clinic.hspa", "0123") + "  country: NO\n").members()

    assert (member.subscriber.id, member.subscriber.country) == ("0123", "NO")


def test_every_field_of_a_member_is_read(tmp_path, make_member):
    """Ours: nothing that a member says is lost on the way."""
    registry = MemoryRegistry([make_member(), make_member("app.eua", Role.CONSUMER, key_ids=("k1", "k2"))])

    again = load(tmp_path, members_file(registry))

    assert again.members() == registry.members()


def test_profile_is_pinned_to_the_key(tmp_path):
    """Security reference: the signing profile is recorded with the key."""
    [member] = load(tmp_path, ENTRY + "      profile: BECKN\n").members()

    assert member.keys[0].profile is BECKN


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("id: clinic.hspa", "id: clinic hspa", 2, "(entry 1, id): this is not an id, got 'clinic hspa'"),
        ("role: HSPA", "role: HOSPITAL", 3, "(entry 1, role): there is no such role, got 'HOSPITAL'"),
        ("role: HSPA", "roll: HSPA", 3, "(entry 1, roll): there is no such field, expected id role url"),
        ("  role: HSPA\n", "", 2, "(entry 1): role is missing"),
        ("https://clinic.example/uhi/", "clinic.example", 4, "(entry 1, url): this is not an address"),
        ("https://clinic.example/uhi/", "ftp://clinic.example", 4, "(entry 1, url): this is not an address"),
        ("domains: [nic2004:85111]", "domains: nic2004:85111", 5, "(entry 1, domains): this is not a list"),
        ("  domains: [nic2004:85111]\n", "", 2, "(entry 1): domains is missing"),
        ("- id: k1", "- id:", 7, "(entry 1, keys[0]): id is missing"),
        ("2026-01-01T00:00:00Z", "tomorrow", 9, "keys[0].valid_from): this is not a time, got 'tomorrow'"),
        ("2027-01-01 00", "2026-01-01 00", 10, "keys[0].valid_until): the key is never valid"),
        ("role: HSPA", "role: HSPA\n  role: EUA", 4, "(entry 1, role): this field is there twice"),
        ("role: HSPA", "role: HSPA\n  status: ACTIVE", 4, "(entry 1, status): there is no such status"),
        ("- id: k1", "- id: k1\n      profile: rsa", 8, "keys[0].profile): there is no such profile"),
    ],
)
def test_mistake_is_told_with_file_line_and_field(tmp_path, old, new, line, told):
    """Errors: what, got, expected, at its place."""
    with pytest.raises(SetupError) as caught:
        load(tmp_path, ENTRY.replace(old, new))

    assert str(caught.value).startswith(f"{tmp_path / 'registry.yaml'}, line {line}")
    assert told in str(caught.value)


@pytest.mark.parametrize("form", ["pkcs8", "seed and public", "PEM"])
@pytest.mark.case("IAM-11")
def test_private_key_in_the_place_of_a_public_one_is_refused_and_not_shown(tmp_path, form):
    """IAM-11: private keys never reach a registry, nor the text of an error."""
    secret = {
        "pkcs8": KEY.pkcs8_base64(),
        "seed and public": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/8858dyi/j+GtBkrPPyvgZr+kMxCMzc9VvTH7uA==",
        "PEM": "|\n        " + KEY.pem().replace("\n", "\n        "),
    }[form]

    with pytest.raises(SetupError) as caught:
        load(tmp_path, ENTRY.replace(KEY.public.raw_base64(), secret))

    assert "keys[0].public_key): public key is not acceptable" in str(caught.value)
    assert secret.strip("|\n ")[:20] not in str(caught.value)


@pytest.mark.parametrize("name", ["private_key", "signing_private_key", "seed"])
def test_field_for_a_private_key_is_refused(tmp_path, name):
    """Security reference: the registry stores public keys only."""
    with pytest.raises(SetupError, match="private keys do not belong into a registry"):
        load(tmp_path, ENTRY + f"      {name}: AAAA\n")


def test_two_keys_of_one_id_are_told(tmp_path):
    """Registry rules: a key id names one key."""
    key = ENTRY[ENTRY.index("    - id: k1") :]

    with pytest.raises(SetupError, match=r"line 7 \(entry 1, keys\): clinic\.hspa has two keys of one id"):
        load(tmp_path, ENTRY + key)


def test_two_entries_of_one_subscriber_are_told(tmp_path):
    """Registry rules: an id is unique in its role."""
    with pytest.raises(SetupError, match=r"\(entry 2\): clinic\.hspa is there already"):
        load(tmp_path, ENTRY + ENTRY)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("- a: [", "line 1: this is not YAML"),
        ("a: b", "this is not a list"),
        ("- &a [*a]", "this is not a set of fields"),
        ("- !!python/object:os.system {}", "id is missing"),
    ],
)
def test_file_of_another_kind_is_told(tmp_path, text, told):
    """Errors: the operator's mistakes are found before the first request."""
    with pytest.raises(SetupError, match=r"registry\.yaml") as caught:
        load(tmp_path, text)

    assert told in str(caught.value)


def test_missing_file_is_told(tmp_path):
    """Errors: the operator's mistakes are found before the first request."""
    with pytest.raises(SetupError, match="cannot be read, got No such file"):
        load_registry(tmp_path / "registry.yaml")

"""A registry in a YAML file, for development: a list of subscribers with their public keys.

Below: `yaml_nodes`, `memory`; above: composition roots. Every mistake is a SetupError that says where it is.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from uhi.errors import Refusal, SetupError
from uhi.messages.times import parse_time
from uhi.registry.memory import Member, MemoryRegistry
from uhi.registry.rows import clean_url
from uhi.registry.yaml_nodes import Field, read_file
from uhi.signing import PROFILES, UHI, PublicKey
from uhi.signing.authorization import KEY_ID_PART
from uhi.subscribers import STATUSES, SUBSCRIBED, Role, Subscriber, SubscriberKey

_COUNTRY = "IND"
_ALL_CITIES = ("*",)


def load_registry(path: Path) -> MemoryRegistry:
    """The registry that a file describes.

    Raises: SetupError naming file, line and field for every mistake; private keys are refused.
    """
    registry = MemoryRegistry()
    for entry in read_file(path).entries("entry"):
        member = _member(entry)
        try:
            registry.add(member)
        except SetupError as error:
            entry.fail(error.what, next_step="remove one of them")
    return registry


def _member(entry: Field) -> Member:
    fields = entry.fields(
        required=("id", "role", "url", "keys"),
        optional=("status", "country", "domains", "cities", "fulfilment_types"),
    )
    role = _role(fields["role"])
    domains = fields["domains"].texts() if "domains" in fields else ()
    if role is Role.PROVIDER and not domains:
        entry.fail("domains is missing", got="none", expected="at least one for a provider: domains: [nic2004:85111]")
    subscriber = Subscriber(
        id=_id(fields["id"]),
        role=role,
        url=_url(fields["url"]),
        status=_status(fields["status"]) if "status" in fields else SUBSCRIBED,
        country=fields["country"].text() if "country" in fields else _COUNTRY,
        domains=domains,
        cities=fields["cities"].texts() if "cities" in fields else _ALL_CITIES,
        fulfilment_types=fields["fulfilment_types"].texts() if "fulfilment_types" in fields else (),
    )
    keys = tuple(_key(key) for key in fields["keys"].entries("keys"))
    try:
        return Member(subscriber, keys)
    except SetupError as error:
        fields["keys"].fail(error.what, expected=error.expected)


def _key(entry: Field) -> SubscriberKey:
    fields = entry.fields(required=("id", "public_key", "valid_from", "valid_until"), optional=("profile",))
    profile = PROFILES.get(fields["profile"].text().lower()) if "profile" in fields else UHI
    if profile is None:
        fields["profile"].fail(
            "there is no such profile", got=fields["profile"].shown(), expected=" or ".join(PROFILES)
        )
    valid_from, valid_until = _moment(fields["valid_from"]), _moment(fields["valid_until"])
    if valid_until <= valid_from:
        fields["valid_until"].fail("the key is never valid", expected="a time after valid_from")
    return SubscriberKey(_id(fields["id"]), _public_key(fields["public_key"]), profile, valid_from, valid_until)


def _id(field: Field) -> str:
    text = field.text()
    if not KEY_ID_PART.fullmatch(text):
        field.fail("this is not an id", got=field.shown(), expected="1 to 255 letters, digits and ._:-")
    return text


def _role(field: Field) -> Role:
    role = Role.read(field.text())
    if role is None:
        field.fail("there is no such role", got=field.shown(), expected=" or ".join(each.value for each in Role))
    return role


def _url(field: Field) -> str:
    url = clean_url(field.text())
    if not url:
        field.fail("this is not an address", got=field.shown(), expected="https://host/path")
    return url


def _status(field: Field) -> str:
    status = field.text()
    if status not in STATUSES:
        field.fail("there is no such status", got=field.shown(), expected=" or ".join(STATUSES))
    return status


def _moment(field: Field) -> float:
    try:
        return parse_time(field.text(), zone=UTC).timestamp()
    except ValueError:
        field.fail("this is not a time", got=field.shown(), expected="2026-01-01T00:00:00Z")


def _public_key(field: Field) -> PublicKey:
    try:
        return PublicKey.read(field.text())
    except Refusal as refusal:
        # The value itself stays out of the text: it may be a private key.
        field.fail(refusal.what, got=refusal.got, expected=refusal.expected, next_step=refusal.next_step)

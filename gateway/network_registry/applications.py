"""An application read into clean values: everything in it is checked, and kept in one spelling.

Pure. Above: the registry's entrance, `joining`; below: `forms`, `names`, `callback_urls`.
Sources: security rules "Registry and key rules", "Outbound and SSRF rules".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC

from gateway.network_registry.callback_urls import clean_callback_url
from gateway.network_registry.forms import ApplicationForm, KeyForm, KeysForm
from gateway.network_registry.names import check_key_id, check_subscriber_id
from gateway.network_registry.rules import RegisterRules
from gateway.network_registry.standing import Particulars
from uhi.errors import Refusal
from uhi.faults import KEY_UNUSABLE, MESSAGE_INVALID
from uhi.messages.times import parse_time
from uhi.registry.memory import Member
from uhi.signing import BECKN, PROFILES, UHI, PrivateKey, Profile, PublicKey
from uhi.signing.beckn_challenge import check_public
from uhi.signing.key_files import PUBLISHED_PUBLIC_KEYS
from uhi.subscribers import INITIATED, Role, Subscriber, SubscriberKey

_A_DAY = 86_400.0
LONGEST_VALIDITY = 731 * _A_DAY
_LATEST_START = 366 * _A_DAY

_WORD = re.compile(r"[A-Za-z0-9*][A-Za-z0-9 ._:/*-]{0,99}")
_CITY = re.compile(r"\*|std:[0-9]{2,8}")
_COUNTRY = re.compile(r"[A-Z]{3}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}")
_BECKN_TYPES = frozenset({"bap", "bpp", "bg"})


@dataclass(frozen=True, slots=True)
class Application:
    """What somebody applies for: particulars and keys. `is_flat` tells that it came in Beckn's form."""

    particulars: Particulars
    keys: tuple[SubscriberKey, ...]
    is_flat: bool = False

    @property
    def subscriber(self) -> Subscriber:
        """The entry that is applied for."""
        return self.particulars.subscriber

    def member(self) -> Member:
        """The applicant with its own keys, to see whether it signed."""
        return Member(self.subscriber, self.keys, self.particulars.encryption_key)


def read_application(form: ApplicationForm, rules: RegisterRules, *, now: float) -> Application:
    """The application that a form makes. Whether its host leads to the public is looked up later.

    Raises: Refusal(MESSAGE_INVALID) for a bad id, role, place or validity; Refusal(ADDRESS_REFUSED);
    Refusal(KEY_UNUSABLE) for a key that is none, private, published or given twice.
    """
    _check_secrets(form.has_private_key)
    role = Role.read(form.type)
    if role is None or role is Role.REGISTRY:
        raise _invalid("$.type", "consumer, provider or gateway (EUA, HSPA, BAP, BPP, BG)")
    subscriber = Subscriber(
        id=check_subscriber_id(form.subscriber_id),
        role=role,
        url=clean_callback_url(form.subscriber_url, rules.addresses),
        status=INITIATED,
        country=_country(form.country),
        domains=_domains(form.domains),
        cities=_cities(form.cities) or ("*",),
        fulfilment_types=_words(form.fulfilment_types, "$.fulfilment_types"),
    )
    if role is Role.PROVIDER and not subscriber.domains:
        raise _invalid("$.domains", "at least one domain, such as nic2004:85111")
    profile = BECKN if form.type.strip().lower() in _BECKN_TYPES else UHI
    keys = _keys(form.keys, rules, now=now, profile=profile)
    particulars = Particulars(
        subscriber=subscriber,
        legal_name=_line(form.legal_name or form.subscriber_id),
        contact_email=_email(form.contact_email),
        encryption_key=_encryption_key(form, keys),
    )
    _check_encryption(particulars, rules)
    return Application(particulars, keys, form.is_flat)


def read_keys(form: KeysForm, rules: RegisterRules, *, now: float) -> tuple[str, tuple[SubscriberKey, ...]]:
    """A member's id and its further keys.

    Raises: as `read_application`.
    """
    _check_secrets(form.has_private_key)
    return check_subscriber_id(form.subscriber_id), _keys(form.keys, rules, now=now, profile=UHI)


def _keys(forms: Sequence[KeyForm], rules: RegisterRules, *, now: float, profile: Profile) -> tuple[SubscriberKey, ...]:
    if not forms:
        raise _invalid("$.keys", "at least one key")
    keys = tuple(_key(form, now=now, profile=profile) for form in forms)
    raws = {key.public.raw for key in keys}
    if len(raws) != len(keys) or len({key.id for key in keys}) != len(keys):
        raise _unusable("the same key or key id twice", "keys that differ, each with an id of its own")
    if any(PrivateKey(raw).public.raw in raws for raw in raws):
        raise _secret()
    if not rules.is_local and any(raw.hex() in PUBLISHED_PUBLIC_KEYS for raw in raws):
        raise _unusable("a key whose private half stands in a public document", "a key of your own")
    return keys


def _key(form: KeyForm, *, now: float, profile: Profile) -> SubscriberKey:
    public = PublicKey.read(form.signing_public_key)
    named = PROFILES.get(form.signing_profile.lower()) if form.signing_profile else profile
    if named is None:
        raise _invalid("$.keys", f"signing_profile: {' or '.join(PROFILES)}")
    starts = _moment(form.valid_from) if form.valid_from else now
    ends = _moment(form.valid_until)
    if ends <= now or ends <= starts:
        raise _invalid("$.keys", "valid_until: a moment to come, after valid_from")
    if starts > now + _LATEST_START or ends - max(starts, now) > LONGEST_VALIDITY:
        raise _invalid("$.keys", "a validity that begins within a year and is not longer than two years")
    return SubscriberKey(check_key_id(form.pub_key_id), public, named, starts, ends)


def _encryption_key(form: ApplicationForm, keys: Iterable[SubscriberKey]) -> str:
    """The X25519 key. Registries of UHI repeat the signing key under its name: then there is none."""
    text = form.encr_public_key.strip()
    if not text or _as_signing_key(text) in {key.public.raw for key in keys}:
        return ""
    check_public(text)
    return text


def _as_signing_key(text: str) -> bytes:
    try:
        return PublicKey.read(text).raw
    except Refusal:
        return b""


def _check_encryption(particulars: Particulars, rules: RegisterRules) -> None:
    if particulars.encryption_key and not rules.encryption_key:
        raise _invalid("$.encr_public_key", "none: this registry does not ask for the proof that Beckn peers give")


def _check_secrets(has_private_key: bool) -> None:
    if has_private_key:
        raise _secret()


def _secret() -> Refusal:
    return Refusal(
        KEY_UNUSABLE,
        "the application holds a private key",
        expected="public keys only",
        next_step="regard the key as lost: make a new pair, and apply with its public half",
    )


def _country(text: str) -> str:
    country = text.strip().upper() or "IND"
    if not _COUNTRY.fullmatch(country):
        raise _invalid("$.country", "three letters, such as IND")
    return country


def _words(texts: Iterable[str], path: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if not all(map(_WORD.fullmatch, words)):
        raise _invalid(path, "letters, digits, blanks and . _ : / * -")
    return words


def _domains(texts: Iterable[str]) -> tuple[str, ...]:
    """Domains as searches name them: one word. One with blanks would never be found."""
    domains = _words(texts, "$.domains")
    if any(" " in domain for domain in domains):
        raise _invalid("$.domains", "domains as searches name them, such as nic2004:85111, without blanks")
    return domains


def _cities(texts: Iterable[str]) -> tuple[str, ...]:
    """Cities as searches name them, by the code of their telephones; by its name none would be found."""
    cities = tuple(dict.fromkeys(text.strip().lower() for text in texts if text.strip()))
    if not all(map(_CITY.fullmatch, cities)):
        raise _invalid("$.cities", "cities as searches name them, such as std:011, or * for all")
    return cities


def _line(text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable():
        raise _invalid("$.legal_name", "a name in printable characters")
    return line


def _email(text: str) -> str:
    address = text.strip()
    if address and not _EMAIL.fullmatch(address):
        raise _invalid("$.contact_email", "an e-mail address, such as it@clinic.example")
    return address


def _moment(text: str) -> float:
    try:
        return parse_time(text, zone=UTC).timestamp()
    except ValueError:
        raise _invalid("$.keys", "valid_from and valid_until as 2026-01-01T00:00:00.000Z") from None


def _invalid(path: str, expected: str) -> Refusal:
    return Refusal(MESSAGE_INVALID, "the application cannot be read", expected=expected, path=path)


def _unusable(got: str, expected: str) -> Refusal:
    return Refusal(KEY_UNUSABLE, "a key of the application is not acceptable", got=got, expected=expected)

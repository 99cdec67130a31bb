"""Accounts as values: who somebody is, how they are reached, what they may do; how addresses and numbers are spelled.

Pure. Above: `account_rows`, `accounts`. Source: security rules "IAM".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import Enum

from uhi.errors import Refusal
from uhi.faults import REQUEST_INVALID
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

_LONGEST_EMAIL = 254
_LONGEST_NAME = 200
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_]{2,63}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_INDIAN_MOBILE = re.compile(r"[6-9][0-9]{9}")
_ONE_FACTOR_WILL_DO = frozenset({AccessRole.PATIENT, AccessRole.SERVICE})


class AccountState(Enum):
    """Asked to join; in use; no longer."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Ties:
    """What an account is tied to, each empty where it is not."""

    facility_id: str = ""
    practitioner_id: str = ""
    patient_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person. `email` is lower-case NFKC, `phone` E.164 or empty, `tenant` where the account belongs,
    `second_factors` the kinds in force (`otp`, `sms`). `created_at` is Unix seconds; `version` counts the changes.
    """

    id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)
    tenant: str = ""
    grants: frozenset[Grant] = frozenset()
    state: AccountState = AccountState.ACTIVE
    is_email_verified: bool = False
    is_phone_verified: bool = False
    second_factors: frozenset[str] = frozenset()
    facility_id: str = ""
    practitioner_id: str = ""
    patient_id: str = ""
    created_at: float = 0.0
    version: int = 0


def needs_second_factor(account: Account) -> bool:
    """Whether a role of theirs is for those with two factors only: all but a patient's."""
    return any(grant.role not in _ONE_FACTOR_WILL_DO for grant in account.grants)


def read_email(text: str) -> str:
    """The one spelling of an e-mail address.

    Raises: Refusal(REQUEST_INVALID).
    """
    email = unicodedata.normalize("NFKC", text).strip().lower()
    # What does not print would make two addresses look like one.
    if len(email) > _LONGEST_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise Refusal(REQUEST_INVALID, "the e-mail address cannot be read", path="email", expected="name@example.org")
    return email


def read_phone(text: str) -> str:
    """The one spelling of a telephone number, E.164; ten digits of an Indian mobile get their +91.

    Raises: Refusal(REQUEST_INVALID).
    """
    phone = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", text))
    if _INDIAN_MOBILE.fullmatch(phone):
        return f"+91{phone}"
    if not _PHONE.fullmatch(phone):
        raise Refusal(
            REQUEST_INVALID, "the telephone number cannot be read", path="phone", expected="+91 and 10 digits"
        )
    return phone


def read_name(text: str) -> str:
    """A person's name without control characters and needless space; the joiners of Indian scripts are letters here.

    Raises: Refusal(REQUEST_INVALID).
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    signs = name.replace("\u200c", "").replace("\u200d", "")
    is_plain = not any(unicodedata.category(each).startswith("C") for each in signs)
    if not signs or len(name) > _LONGEST_NAME or not is_plain:
        raise Refusal(REQUEST_INVALID, "the name cannot be used", path="name", expected=f"1 to {_LONGEST_NAME} letters")
    return name

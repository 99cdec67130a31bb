"""What the signed paths answer, as the published description tells it; what is sent is made elsewhere, and held against
these in tests.

Above: `described`. Source: decision 26, UHI and Beckn registry lookups.
"""

from __future__ import annotations

from typing import Literal

from uhi.api.routes import Answer


class Row(Answer):
    """A subscriber and one of its keys, in UHI's names. Both key fields carry the verification key (SPKI, base64)."""

    subscriber_id: str
    participant_id: str
    pub_key_id: str
    type: str
    status: str
    subscriber_url: str
    country: str
    domain: str | None = None
    domains: tuple[str, ...] = ()
    city: str | None = None
    cities: tuple[str, ...] = ()
    fulfilment_types: tuple[str, ...] = ()
    encr_public_key: str | None = None
    signing_public_key: str
    signing_profile: str
    valid_from: str
    valid_until: str


class NumberedRow(Row):
    """A row with the number of the newest change, the time in Unix seconds, and the BLAKE2b-512 digest (base64) of the
    question's body."""

    registry_seq: int
    registry_time: float
    request_digest: str


class BecknRow(NumberedRow):
    """A row in Beckn's names besides. The key fields mean what they say: raw Ed25519 for signing, X25519 for
    encryption, both base64."""

    key_id: str
    unique_key_id: str
    url: str


class Numbered(Answer):
    """One object with the number of the newest change, the time in Unix seconds, and the BLAKE2b-512 digest (base64) of
    the question's body."""

    registry_seq: int
    registry_time: float
    request_digest: str


class ProviderRows(Numbered):
    """The providers that a search concerns, a row for each of their keys."""

    message: tuple[Row, ...]


class Ack(Answer):
    """It was done."""

    status: Literal["ACK"]


class AckMessage(Answer):
    """Where UHI and Beckn look for it."""

    ack: Ack


class NoError(Answer):
    """Nothing went wrong."""


class Receipt(Numbered):
    """An errand was done. `status` is that of the subscriber now (`UNDER_SUBSCRIPTION` for an application in Beckn's
    form), `missing` what it still takes to be SUBSCRIBED, or for the change to count."""

    message: AckMessage
    error: NoError
    subscriber_id: str
    status: str
    missing: tuple[str, ...]


class OwnKey(Answer):
    """One of one's own keys, its public half (raw, base64)."""

    pub_key_id: str
    signing_public_key: str
    signing_profile: str
    valid_from: str
    valid_until: str


class OwnHeldKey(OwnKey):
    """One that is, or was, registered."""

    revoked: bool


class OwnEntry(Answer):
    """What the registry holds about who asks."""

    subscriber_id: str
    type: str
    status: str
    subscriber_url: str
    legal_name: str
    contact_email: str
    country: str
    domains: tuple[str, ...]
    cities: tuple[str, ...]
    fulfilment_types: tuple[str, ...]
    encryption_key: str


class OwnPending(Answer):
    """What waits to be proven and approved."""

    particulars: OwnEntry
    keys: tuple[OwnKey, ...]
    submitted_at: str
    is_change: bool


class OwnStanding(Receipt):
    """How who asks stands; `problems` are those of the last try to have the missing proofs, `reason` is why it is
    suspended or expired, as far as somebody wrote it down."""

    particulars: OwnEntry
    keys: tuple[OwnHeldKey, ...]
    pending: OwnPending | None = None
    problems: tuple[str, ...]
    reason: str


class Nack(Answer):
    """It was not done."""

    status: Literal["NACK"]


class NackMessage(Answer):
    """Where UHI and Beckn look for it."""

    ack: Nack


class NackError(Answer):
    """Why: `type` is for programs, `message` a fixed sentence, `path` the JSON path of what is at fault, or empty."""

    type: str
    code: str
    path: str
    message: str


class Refused(Numbered):
    """A refusal; nothing of the request is repeated."""

    message: NackMessage
    error: NackError

"""From a registry's answer to records, and what its failures mean for whoever asked.

Pure. Above: `network`; below: `rows` and the lookup messages. Source: UHI network registry and the registries in use.
"""

from __future__ import annotations

from uhi import strict_json
from uhi.errors import Refusal, RegistryError
from uhi.faults import RECORD_UNKNOWN, REGISTRY_AWAY, SUBSCRIBER_UNKNOWN
from uhi.messages.lookup import read_lookup_answer
from uhi.ports import Reply
from uhi.registry.rows import read_rows
from uhi.strict_json import JsonLimits
from uhi.subscribers import Record

_LIMITS = JsonLimits(nodes=250_000)
_LATER = 5


def read_unsigned(reply: Reply) -> list[Record]:
    """The records of an answer that nobody signed.

    Raises: Refusal(REGISTRY_AWAY) for anything but records and "nobody".
    """
    if reply.status == RECORD_UNKNOWN.status:
        return []
    try:
        value = strict_json.parse(reply.body, _LIMITS)
    except Refusal as refusal:
        raise away("the registry's answer cannot be read", got=f"HTTP {reply.status}: {refusal.what}") from None
    return read_value(reply.status, value)


def read_value(status: int, value: object) -> list[Record]:
    """The records in an answer's JSON value. "Nobody" has to stand in it: a signature does not cover the status.

    Raises: Refusal(REGISTRY_AWAY) for anything but records and "nobody".
    """
    # Registries in use say "nobody" as a failure of their own, or as a NACK with status 200.
    code = _error_code(value)
    if code == RECORD_UNKNOWN.code:
        return []
    if status not in (200, 201) or code:
        raise away(
            "the registry refused the lookup" if status in (401, 403) else "the registry failed",
            got=f"HTTP {status} {code}".strip(),
            next_step="check that our own key is registered and the clock is right" if status == 401 else "",
        )
    try:
        return read_rows(read_lookup_answer(value))
    except RegistryError as error:
        raise away(str(error)) from None


def unknown(whom: str) -> Refusal:
    """The refusal of somebody the registry does not know."""
    return Refusal(
        SUBSCRIBER_UNKNOWN, f"the registry knows no {whom}", next_step="register the key, or correct the ids"
    )


def away(what: str, *, got: str = "", next_step: str = "") -> Refusal:
    """The refusal while the registry cannot be asked."""
    refusal = Refusal(REGISTRY_AWAY, what, got=got, next_step=next_step)
    refusal.retry_after = _LATER
    return refusal


def _error_code(value: object) -> str:
    error = value.get("error") if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code[:64] if isinstance(code, str) and code.isprintable() else ""

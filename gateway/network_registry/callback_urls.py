"""Which callback addresses may be registered: their form, and where their host leads.

Above: `applications`, `rules`; below: the address policy of `uhi.http`. Source: security rules "Outbound and SSRF".
"""

from __future__ import annotations

import re

from yarl import URL

from uhi.errors import DeliveryError, Refusal
from uhi.faults import ADDRESS_REFUSED
from uhi.http.addresses import AddressPolicy

_LONGEST = 512
# Spelled out, so that no two readers of the text can see different hosts in it.
_FORM = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*[A-Za-z0-9])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]+)*)/?"
)
_DEFAULT_PORTS = {"https": 443, "http": 80}


def clean_callback_url(text: str, policy: AddressPolicy) -> str:
    """The address in its one spelling: lower-case host, no default port, no slash at its end.

    Raises: Refusal(ADDRESS_REFUSED) for anything but a plain address that the policy allows: other schemes, users,
    queries, fragments, a dot at the end of the host, dots as path segments.
    """
    found = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or {".", ".."} & set(found["path"].split("/")):
        raise _refusal("another form", "https://host.example/path")
    host = found["host"].lower()
    port = int(found["port"] or _DEFAULT_PORTS[found["scheme"]])
    shown = "" if port == _DEFAULT_PORTS[found["scheme"]] else f":{port}"
    url = f"{found['scheme']}://{host}{shown}{found['path']}"
    try:
        policy.check_url(URL(url))
    except (DeliveryError, ValueError) as error:
        got = error.got if isinstance(error, DeliveryError) else "an address that cannot be read"
        expected = error.expected if isinstance(error, DeliveryError) else "https://host.example/path"
        raise _refusal(got, expected) from None
    return url


def _refusal(got: str, expected: str) -> Refusal:
    return Refusal(
        ADDRESS_REFUSED,
        "the callback address may not be registered",
        got=got,
        expected=expected,
        next_step="register an address that everybody can reach",
        path="$.subscriber_url",
    )

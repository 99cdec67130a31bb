"""Steps 1 to 3 of a door, before anybody is asked who the signer is."""

from __future__ import annotations

import pytest

from uhi.actions import INIT
from uhi.errors import Refusal
from uhi.exchange.credentials import (
    check_content,
    check_http,
    check_times,
    is_forwarded,
    read_credentials,
)
from uhi.faults import BODY_TOO_LARGE, BODY_TYPE, SIGNATURE_INVALID, SIGNATURE_MISSING
from uhi.ports import Inbound
from uhi.signing import UHI, PrivateKey, Signer, Window, body_digest
from uhi.signing.sign import sign

BODY = b'{"a": 1}'
NOW = 1_790_000_000
SIGNER = Signer("app.example", "k1", PrivateKey(bytes(range(32))), UHI)
GATEWAY = Signer("gateway.example", "k1", PrivateKey(bytes(32)), UHI)
MINE = sign(BODY, SIGNER, created=NOW)
THEIRS = sign(BODY, GATEWAY, created=NOW)


def inbound(**headers: str | tuple[str, ...]) -> Inbound:
    values = {name.replace("_", "-"): (value,) if isinstance(value, str) else value for name, value in headers.items()}
    return Inbound("init", {"content-type": ("application/json",)} | values, BODY)


def refusal_of(request: Inbound, *, sender_required: bool = True) -> Refusal:
    with pytest.raises(Refusal) as raised:
        read_credentials(request, sender_required=sender_required)
    return raised.value


def test_both_headers_are_read():
    """Decision 1: the hop is the gateway where there is one."""
    found = read_credentials(inbound(authorization=MINE, x_gateway_authorization=THEIRS), sender_required=True)

    assert (found.sender.value, found.gateway.value) == (MINE, THEIRS)
    assert found.hop is found.gateway
    assert found.digest == body_digest(BODY)


def test_hop_of_a_direct_message_is_the_sender():
    """Decision 14."""
    assert read_credentials(inbound(authorization=MINE), sender_required=True).hop.value == MINE


def test_missing_sender_is_refused_unless_the_network_allows_it():
    """Decision 5."""
    assert refusal_of(inbound(x_gateway_authorization=THEIRS)).fault is SIGNATURE_MISSING

    found = read_credentials(inbound(x_gateway_authorization=THEIRS), sender_required=False)

    assert (found.sender, found.gateway.value) == (None, THEIRS)


def test_no_header_at_all_is_refused_even_where_the_sender_is_optional():
    """Decision 5: somebody must have signed."""
    found = read_credentials(inbound(), sender_required=False)

    with pytest.raises(Refusal) as raised:
        _ = found.hop

    assert raised.value.fault is SIGNATURE_MISSING


def test_newer_name_of_the_gateway_header_wins():
    """Decision 1: `X-Gateway-Authorization`, else `Proxy-Authorization`."""
    found = read_credentials(
        inbound(authorization=MINE, x_gateway_authorization=THEIRS, proxy_authorization="none"), sender_required=True
    )

    assert found.gateway.value == THEIRS


@pytest.mark.parametrize(
    ("headers", "about_gateway"),
    [
        ({"authorization": (MINE, MINE)}, False),
        ({"authorization": "none"}, False),
        ({"authorization": MINE, "digest": "BLAKE-512=other"}, False),
        ({"authorization": MINE, "digest": (f"BLAKE-512={body_digest(BODY)}", "other")}, False),
        ({"authorization": MINE, "x_gateway_authorization": "none"}, True),
        ({"authorization": MINE, "x_gateway_authorization": (THEIRS, THEIRS)}, True),
        ({"authorization": MINE, "proxy_authorization": "Basic eDp5"}, True),
    ],
)
def test_headers_that_cannot_be_read_are_refused(headers, about_gateway):
    """Error table: 401; the challenge belongs to the header at fault."""
    refusal = refusal_of(inbound(**headers))

    assert (refusal.fault, refusal.gateway_header) == (SIGNATURE_INVALID, about_gateway)


def test_right_digest_header_may_stand_there():
    """Decision 1, step 2."""
    found = read_credentials(inbound(authorization=MINE, digest=f"BLAKE-512={body_digest(BODY)}"), sender_required=True)

    assert found.sender.value == MINE


@pytest.mark.parametrize(
    ("headers", "forwarded"),
    [
        ({}, False),
        ({"authorization": MINE}, False),
        ({"x_gateway_authorization": ""}, True),
        ({"x_gateway_authorization": "bad"}, True),
        ({"proxy_authorization": "bad"}, True),
        ({"x_gateway_authorization": ()}, False),
    ],
)
def test_gateway_header_makes_a_message_forwarded_good_or_bad(headers, forwarded):
    """Decision 4: never a downgrade."""
    assert is_forwarded(inbound(**headers)) is forwarded


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json;v=1"],
)
def test_json_in_utf_8_is_read(kind):
    """Error table: the content type's parameters do not matter but for another charset."""
    check_content((kind,), ("identity",))


@pytest.mark.parametrize(
    ("types", "encodings"),
    [
        ((), ()),
        (("application/json", "application/json"), ()),
        (("text/json",), ()),
        (("application/json; charset=utf-16",), ()),
        (("application/jsonp",), ()),
        (("application/json",), ("gzip",)),
        (("application/json",), ("identity, gzip",)),
        (("application/json",), ("identity", "br")),
    ],
)
def test_anything_else_is_refused(types, encodings):
    """Error table: 415."""
    with pytest.raises(Refusal) as raised:
        check_content(types, encodings)

    assert raised.value.fault is BODY_TYPE


def test_body_beyond_the_legs_limit_is_refused():
    """Limits table: 413, also when the server in front counted nothing."""
    with pytest.raises(Refusal) as raised:
        check_http(Inbound("init", {"content-type": ("application/json",)}, b" " * 262_145), INIT.request.limits)

    assert raised.value.fault is BODY_TOO_LARGE


@pytest.mark.parametrize(("now", "about_gateway"), [(NOW + 11, True), (NOW - 6, True)])
def test_both_headers_must_be_within_their_time(now, about_gateway):
    """Decision 1, step 3."""
    longer = sign(BODY, SIGNER, created=NOW - 60, expires=NOW + 60)
    found = read_credentials(inbound(authorization=longer, x_gateway_authorization=THEIRS), sender_required=True)

    check_times(found, now=NOW, window=Window())
    with pytest.raises(Refusal) as raised:
        check_times(found, now=now, window=Window())

    assert (raised.value.fault, raised.value.gateway_header) == (SIGNATURE_INVALID, about_gateway)


def test_nothing_of_the_headers_shows_in_a_repr():
    """Ours: a signature is not logged by accident."""
    found = read_credentials(inbound(authorization=MINE), sender_required=True)

    assert MINE not in repr(found)
    assert MINE not in repr(inbound(authorization=MINE))

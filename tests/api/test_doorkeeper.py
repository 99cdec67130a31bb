"""Who asks, and from where: addresses that count as one, and proxies that are believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.api.asking import application_of, asker
from tests.api.ward import Trail, slower, surroundings, ward
from uhi.api import Pace
from uhi.errors import Refusal
from uhi.faults import TOO_MANY_TRIES
from uhi.http import serve
from uhi.http.peers import read_proxies
from uhi.testing import FakeClock

ENTER = next(route for route in ward.all if route.name == "enter")


@pytest.fixture
def doorkeeper():
    """One who takes a single public request of an address in a minute."""
    return slower(surroundings(Trail(), FakeClock()), Pace(public=1, all=10)).doorkeeper


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("", "", True),
    ],
)
async def test_addresses_that_one_house_has_count_as_one(doorkeeper, first, second, is_one):
    """Ours: whoever has one number of an IPv6 /64 has them all."""
    await doorkeeper.check_pace(first, ENTER)

    if is_one:
        with pytest.raises(Refusal) as refused:
            await doorkeeper.check_pace(second, ENTER)
        assert refused.value.fault is TOO_MANY_TRIES
        assert refused.value.retry_after >= 1
    else:
        await doorkeeper.check_pace(second, ENTER)


@pytest.mark.parametrize(("proxies", "address"), [("127.0.0.0/8", "198.51.100.9"), ("", "127.0.0.1")])
async def test_only_a_proxy_of_ours_tells_for_whom_it_asks(client, proxies, address):
    """Ours: the address in the trail is the peer's, or what our own proxy says."""
    trail = Trail()
    around = surroundings(trail, FakeClock())
    around = replace(around, limits=replace(around.limits, proxies=read_proxies(proxies)))

    async with serve(application_of([ward], around)) as server:
        await asker(client, server.url)("GET", "/v1/notes", headers={"X-Forwarded-For": "evil, 198.51.100.9"})

    assert [entry.address for entry in trail.written] == [address]


@pytest.mark.parametrize(
    "proof", ["", "Bearer", "Bearer ", "Basic token-1", "Bearer  token-1", "Bearer " + "x" * 8_100, "token-1"]
)
async def test_header_that_proves_nothing_is_refused(ask, proof):
    """RFC 6750: one scheme, one proof of bounded length; anything else is an invalid token."""
    got = await ask("GET", "/v1/records/pat-1", headers={"Authorization": proof})

    assert (got.status, got.json["code"]) == (401, "IAM_TOKEN_INVALID")
    assert got.headers["WWW-Authenticate"] == "Bearer"

"""The page that says whose a host is."""

from __future__ import annotations

import pytest

from uhi.errors import Refusal
from uhi.faults import CHALLENGE_FAILED
from uhi.signing import PrivateKey
from uhi.signing.site import check_site, site_line

KEY, OTHER = PrivateKey(bytes(range(32))), PrivateKey(bytes(range(1, 33)))
KEYS = {"k1": KEY.public}
LINE = site_line("clinic.example", "k1", "host.example", KEY)


def test_line_of_a_key_shows_whose_the_host_is():
    """The network's registry rules: a line by one of the keys, among whatever else stands there."""
    page = f"# ours\n{site_line('clinic.example', 'k2', 'host.example', OTHER)}\n{LINE}\n"

    check_site(page.encode(), subscriber_id="clinic.example", host="HOST.example", keys=KEYS)


@pytest.mark.parametrize(
    "page",
    [
        "",
        LINE.replace("clinic.example", "other.example"),
        site_line("clinic.example", "k1", "another.example", KEY),
        site_line("other.example", "k1", "host.example", KEY).replace("other.example", "clinic.example"),
        site_line("clinic.example", "k1", "host.example", OTHER),
        site_line("clinic.example", "k2", "host.example", KEY),
        LINE[:-4],
        f"{LINE} more",
        "x" * 20_000 + "\n" + LINE,
        "चिकित्सालय",
    ],
)
def test_page_that_shows_nothing_is_refused(page):
    """Ours: another host, subscriber, key, or a line beyond what is read."""
    with pytest.raises(Refusal) as refused:
        check_site(page.encode(), subscriber_id="clinic.example", host="host.example", keys=KEYS)

    assert refused.value.fault is CHALLENGE_FAILED

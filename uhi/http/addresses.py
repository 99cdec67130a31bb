"""Which addresses we send to: judged by the URL first, by all the numbers of its host when somebody registers it, and
again by the number each connection really uses.

Below: `lookups`, ports' errors; above: `client`, the registry. Source: IANA IPv4 and IPv6 special-purpose address
registries, RFC 6761 and RFC 8375 (names that lead nowhere outside), WHATWG URL (hosts that end in a number).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from yarl import URL

from uhi.errors import DeliveryError, Refusal
from uhi.faults import ADDRESS_REFUSED
from uhi.http.lookups import Lookups

_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's metadata service on a number that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_LONGEST_NAME = 253
_ENDS_OF_INSIDE = {
    *("corp", "home", "home.arpa", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private")
}
# Less than a handler has, so that an answer is never late for a name that nobody answers for.
_LOOKUP_SECONDS = 3.0
_lookups = Lookups()


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What a transport may send to. `schemes` are those of the URL; `public`: only hosts by name at public numbers.

    `ports` are the ports that may be used, None for any: `replace(public_only, ports=(443, 8443))` allows one more.
    """

    schemes: tuple[str, ...]
    public: bool
    ports: tuple[int, ...] | None = None

    def check_url(self, url: URL) -> None:
        """Refuse a URL of another scheme, without a host, or with a user, a query or a fragment, or at another port;
        where only public numbers are sent to, also a number in any spelling, and a name of the inside of some network.

        Raises: DeliveryError.
        """
        if url.scheme not in self.schemes or not url.raw_host:
            raise DeliveryError(
                "the address cannot be used",
                got=f"scheme {url.scheme or 'none'}",
                expected=" or ".join(f"{scheme}://…" for scheme in self.schemes),
                next_step="correct the subscriber's registered address",
            )
        if url.raw_user is not None or url.raw_password is not None or url.raw_query_string or url.raw_fragment:
            raise DeliveryError(
                "the address cannot be used", got="a user, a query or a fragment in it", expected="a plain URL"
            )
        if self.ports is not None and url.port not in self.ports:
            raise DeliveryError(
                "the address cannot be used",
                got=f"port {url.port}",
                expected="port " + " or ".join(map(str, self.ports)),
                next_step="register an address at that port, or allow this one in the address policy",
            )
        if self.public:
            _check_name(url.raw_host)

    def check_address(self, number: str) -> None:
        """Refuse to connect to a number that is not public (`10.0.0.1`, `::1`), where the policy asks for that.

        Raises: AddressRefused.
        """
        if self.public and not _is_public(number):
            raise AddressRefused


public_only = AddressPolicy(schemes=("https",), public=True, ports=(443,))
"""For every network but the local one: https at port 443, hosts by name, no private, loopback, link-local or metadata
number."""

any_address = AddressPolicy(schemes=("https", "http"), public=False)
"""For a network on one machine, and for tests."""


class AddressRefused(OSError):
    """The number behind a name is not public. An OSError, so that a host's other numbers are still tried."""

    def __str__(self) -> str:
        return "the host's address is not public"


async def check_resolves(url: str, policy: AddressPolicy) -> None:
    """Refuse an address whose host has no number, or one that the policy does not allow; for who registers it.

    That it passed says nothing of tomorrow: the number of each connection is looked at again.
    Raises: Refusal(ADDRESS_REFUSED), which names no number, so that nobody can look into a network with it;
    Refusal(OVERLOADED) while too many others are looked up.
    """
    try:
        target = URL(url)
        policy.check_url(target)
        if not policy.public:
            return
        for number in await _lookups.numbers(target.raw_host or "", target.port, seconds=_LOOKUP_SECONDS):
            policy.check_address(number)
    except DeliveryError as error:
        raise _not_registered(error.got) from None
    except AddressRefused:
        raise _not_registered("a host with a number that is not public") from None
    except (OSError, ValueError):
        raise _not_registered("a host that cannot be found") from None


def _not_registered(got: str) -> Refusal:
    return Refusal(
        ADDRESS_REFUSED,
        "this address may not be registered",
        got=got,
        expected="https:// and a host by its name, all of whose numbers are public",
        next_step="register the address that the Internet knows this host by",
        path="$.subscriber_url",
    )


def _check_name(host: str) -> None:
    """A name as DNS has it: nothing that any resolver could take for a number, and of no inner network."""
    labels = host.removesuffix(".").lower().split(".")
    if _is_number(host) or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        raise DeliveryError("the address cannot be used", got="a number as host", expected="a host by its name")
    if len(host) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise DeliveryError("the address cannot be used", got="a host that is no name", expected="a host by its name")
    if len(labels) == 1 or not _ENDS_OF_INSIDE.isdisjoint((labels[-1], ".".join(labels[-2:]))):
        raise DeliveryError(
            "the address cannot be used", got="a name of some inner network", expected="a name that the Internet knows"
        )


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_public(number: str) -> bool:
    address = ip_address(number.partition("%")[0])
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _UNICAST_V6 and not any(address in network for network in _CLOSED_V6)

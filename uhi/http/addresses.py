"""Which addresses we send to: judged by the URL first, and again by the number each connection really uses.

Below: ports' errors; above: `client`. Source: IANA IPv4 and IPv6 special-purpose address registries.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from yarl import URL

from uhi.errors import DeliveryError

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


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What a transport may send to. `schemes` are those of the URL; `public`: only hosts by name at public numbers.

    `ports` are the ports that may be used, None for any: `replace(public_only, ports=(443, 8443))` allows one more.
    """

    schemes: tuple[str, ...]
    public: bool
    ports: tuple[int, ...] | None = None

    def check_url(self, url: URL) -> None:
        """Refuse a URL of another scheme, without a host, or with a user, a query or a fragment, or at another port.

        Raises: DeliveryError.
        """
        if url.scheme not in self.schemes or not url.host:
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
        if self.public and _is_number(url.host):
            raise DeliveryError("the address cannot be used", got="a number as host", expected="a host by its name")

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

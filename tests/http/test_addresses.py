"""Which addresses may be sent to, on the text of a URL and on the number behind a name."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from uhi.errors import DeliveryError, Refusal
from uhi.faults import ADDRESS_REFUSED
from uhi.http import HttpTransport
from uhi.http.addresses import AddressRefused, any_address, check_resolves, public_only

OUTSIDE, INSIDE = "93.184.216.34", "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "http://clinic.example/uhi",
        "ftp://clinic.example/",
        "file:///etc/passwd",
        "gopher://clinic.example/",
        "clinic.example/uhi",
        "https:///uhi",
        "https://user@clinic.example/",
        "https://user:secret@clinic.example/",
        "https://clinic.example/#part",
        "https://clinic.example/uhi?key=1",
        "https://clinic.example:8443/uhi",
        "https://clinic.example:22/",
        "https://93.184.216.34/",
        "https://[2606:4700::1111]/",
    ],
)
def test_url_of_another_form_is_refused(url):
    """Outbound rules: https, no user, no fragment, a host by its name."""
    with pytest.raises(DeliveryError, match="the address cannot be used"):
        public_only.check_url(URL(url))


def test_plain_https_url_is_allowed():
    """Outbound rules."""
    public_only.check_url(URL("https://clinic.example/api/v1"))
    public_only.check_url(URL("https://clinic.example:443/api/v1"))


def test_further_ports_are_allowed_one_by_one():
    """Outbound rules: port 443, and those the operator names."""
    policy = replace(public_only, ports=(443, 8443))

    policy.check_url(URL("https://clinic.example:8443/uhi"))
    with pytest.raises(DeliveryError, match="port 6379, expected port 443 or 8443"):
        policy.check_url(URL("https://clinic.example:6379/"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081/uhi", "http://localhost/", "https://clinic.example/"])
def test_local_network_may_use_http(url):
    """Outbound rules: plain HTTP is for a network on one machine."""
    any_address.check_url(URL(url))


def test_local_network_takes_no_other_scheme():
    """Outbound rules: the local preset loosens the number, not the form."""
    with pytest.raises(DeliveryError):
        any_address.check_url(URL("file:///etc/passwd"))


@pytest.mark.parametrize(
    "number",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "168.63.129.16"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1"),
        *("192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
        *("240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "100::1", "2001::1", "2001:db8::1"),
        *("2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "ff02::1"),
    ],
)
def test_number_that_is_not_public_is_refused(number):
    """IANA special-purpose registries, multicast, and the metadata services of clouds."""
    with pytest.raises(AddressRefused):
        public_only.check_address(number)


@pytest.mark.parametrize("number", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_public_number_is_allowed(number):
    """IANA special-purpose registries: what lies outside them."""
    public_only.check_address(number)


@given(st.ip_addresses(v=4))
def test_no_number_that_python_knows_as_private_is_allowed(number: IPv4Address):
    """IANA special-purpose registries, by another reading of them."""
    if number.is_private or number.is_multicast or number.is_reserved:
        with pytest.raises(AddressRefused):
            public_only.check_address(str(number))


def test_local_network_may_use_any_number():
    """The local preset and tests run on this machine."""
    any_address.check_address("127.0.0.1")


SPELLINGS = [
    *(
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
    ),
    *("https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::7f00:1]/"),
    *("https://[2002:7f00:1::]/", "https://[fe80::1%25eth0]/", "https://[fd00:ec2::254]/"),
    *("https://2130706433/", "https://127.1/", "https://0177.0.0.1/", "https://017700000001/", "https://0x7f000001/"),
    *("https://0x7f.0.0.1/", "https://0x7f.1/", "https://127.0.0.1./", "https://1.2.3.0x/"),
    *("https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "https://127\u30020\u30020\u30021/"),
    *("https://localhost/", "https://LocalHost/", "https://localhost./", "https://a.localhost/", "https://clinic/"),
    *("https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/", "https://printer.local/"),
    *("https://metadata.google.internal/", "https://db.internal./", "https://nas.home.arpa/", "https://a.localdomain/"),
    *("https://router.lan/", "https://xn--.example/", "https://a..example/", "https://-a.example/"),
    *(
        "https://a%2eexample/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        "https://clinic.example:22/",
    ),
    *(
        "http://clinic.example/",
        "file:///etc/passwd",
        "gopher://clinic.example/",
        "https://u:p@clinic.example/",
        "https://[",
    ),
    *("https://clinic.example/?a=b", "https://clinic.example/#a", "//clinic.example/", "clinic.example", ""),
]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch):
    """A resolver that gives one list of numbers after the other, the last one for ever; its questions are kept."""

    def answers(*lists: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, *kinds: object, **more: object) -> list[object]:
            numbers = lists[min(len(asked), len(lists) - 1)]
            asked.append(host)
            if not numbers:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            families = [socket.AF_INET6 if ":" in number else socket.AF_INET for number in numbers]
            return [
                (family, socket.SOCK_STREAM, 6, "", (number, port, 0, 0)[: 2 if family is socket.AF_INET else 4])
                for family, number in zip(families, numbers, strict=True)
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answers


@pytest.mark.case("SSRF-02")
@pytest.mark.parametrize("url", SPELLINGS)
async def test_address_that_may_not_be_registered_is_refused_before_anybody_is_asked(url, resolver):
    """Outbound rules: https at the usual port, a host by a name of the Internet, in whatever spelling."""
    asked = resolver([OUTSIDE])

    with pytest.raises(Refusal) as refused:
        await check_resolves(url, public_only)

    assert (refused.value.fault, refused.value.fault.status) == (ADDRESS_REFUSED, 400)
    assert asked == []


@pytest.mark.case("SSRF-02")
@pytest.mark.parametrize("numbers", [[INSIDE], [OUTSIDE, "10.0.0.7"], [OUTSIDE, "::1"], ["fd00:ec2::254"], []])
async def test_host_with_a_number_that_is_not_public_cannot_be_registered(numbers, resolver):
    """Outbound rules: every number counts; the refusal names none, or it could be used to look around."""
    resolver(numbers)

    with pytest.raises(Refusal) as refused:
        await check_resolves("https://clinic.example/uhi", public_only)

    assert refused.value.fault is ADDRESS_REFUSED
    assert not any(number in str(refused.value) for number in numbers)


@pytest.mark.parametrize(
    "url", ["https://clinic.example/uhi", "https://clinic.example./", "https://a_b.clinic.example/"]
)
async def test_host_whose_numbers_are_all_public_may_be_registered(url, resolver):
    """Outbound rules."""
    asked = resolver([OUTSIDE, "2606:4700::1111"])

    await check_resolves(url, public_only)

    assert len(asked) == 1


async def test_local_network_registers_what_it_likes_without_asking(resolver):
    """The local preset: http, and numbers of this machine."""
    asked = resolver([])

    await check_resolves("http://127.0.0.1:8081/uhi", any_address)

    assert asked == []


@pytest.mark.case("SSRF-02")
@pytest.mark.parametrize("later", [[INSIDE], ["::ffff:127.0.0.1"], ["10.0.0.7", INSIDE]])
async def test_host_that_changes_its_number_after_the_check_is_not_connected_to(later, resolver):
    """Outbound rules: what was true at registration is looked at again on the number of the connection itself."""
    visits = []
    inside = await asyncio.start_server(lambda reader, writer: visits.append(writer), INSIDE, 0)
    port = inside.sockets[0].getsockname()[1]
    policy = replace(public_only, ports=(port,))
    resolver([OUTSIDE], later)
    transport = HttpTransport(addresses=policy)

    async with inside:
        await check_resolves(f"https://rebinding.example:{port}/", policy)
        with pytest.raises(DeliveryError, match=r"https://rebinding\.example.* is not sent to"):
            await transport.post(f"https://rebinding.example:{port}/", body=b"{}", headers={}, timeout=5)
    await transport.aclose()

    assert visits == []


@given(st.ip_addresses(v=4))
def test_no_spelling_of_a_number_is_taken_for_a_name(number: IPv4Address):
    """WHATWG URL: one, two, three or four parts, each decimal, octal or hexadecimal."""
    first, second, third, fourth = number.packed
    spelled = [
        str(int(number)),
        hex(int(number)),
        f"0{int(number):o}",
        f"{first}.{int(number) & 0xFFFFFF}",
        f"{first:#x}.{second}.{int(number) & 0xFFFF:#x}",
        f"0{first:o}.0{second:o}.0{third:o}.0{fourth:o}",
        f"{number}.",
    ]

    for host in spelled:
        with pytest.raises(DeliveryError):
            public_only.check_url(URL(f"https://{host}/"))

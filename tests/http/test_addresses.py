"""Which addresses may be sent to, on the text of a URL and on the number behind a name."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from uhi.errors import DeliveryError
from uhi.http.addresses import AddressRefused, any_address, public_only


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

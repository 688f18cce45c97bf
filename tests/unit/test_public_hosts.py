"""URLs that people enter lead to the public internet only."""

import asyncio
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from producers.kit.http.public_hosts import (
    UrlRefused,
    checked_addresses,
    is_any,
    is_public,
    parse_url,
    resolve_host,
)

EXAMPLE = "https://hooks.example.com/alerts"
INTERNAL = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1"),
    *("255.255.255.255", "240.0.0.1", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1", "fe80::1%eth0", "fc00::1"),
    *("fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
]
REFUSED_URLS = [
    *("http://example.com/", "ftp://example.com/", "example.com", "//example.com", "javascript:alert(1)"),
    *("https:///path", "https://user:secret@example.com/", "https://user@example.com/", "https://h:99999/"),
    *("https://example.com\\@10.0.0.1/", "https://exa mple.com/", "https://example.com/\n", "https://é.com/"),
    *("https://[::1", "https://example.com:0/", f"https://example.com/{'a' * 500}", ""),
]
NUMERIC_HOSTS = ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"]


def parsed(text, *schemes):
    return parse_url(text, schemes or ("https",), 500, EXAMPLE)


def checked(url, *addresses, is_allowed=is_public):
    async def resolve(_host, _port):
        return addresses

    return asyncio.run(checked_addresses(parsed(url, "http", "https"), is_allowed, resolve))


@pytest.mark.parametrize("address", INTERNAL)
def test_an_internal_address_is_refused(address):
    assert not is_public(address)
    with pytest.raises(UrlRefused, match="internal address") as refused:
        checked("https://hooks.example.com/", address)
    assert refused.value.kind == "internal_address"


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_an_address_of_the_public_internet_is_allowed(address):
    assert checked("https://hooks.example.com/", address) == (address,)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**32 - 1))
@example(0x2002_7F00_0001 << 80, 0x7F000001)
def test_what_the_standard_library_calls_internal_is_never_public(six, four):
    for address in (IPv6Address(six), IPv4Address(four)):
        if not address.is_global or address.is_multicast or address.is_loopback or address.is_link_local:
            assert not is_public(str(address))


def test_one_internal_address_among_public_ones_is_enough_to_refuse_a_host():
    with pytest.raises(UrlRefused, match="internal address"):
        checked("https://hooks.example.com/", "8.8.8.8", "10.0.0.7")


def test_a_host_without_an_address_is_unknown():
    with pytest.raises(UrlRefused, match=r"hooks\.example\.com can't be found") as refused:
        checked("https://hooks.example.com/")
    assert refused.value.kind == "unknown_host"


@pytest.mark.parametrize("host", NUMERIC_HOSTS)
def test_another_way_to_write_an_internal_address_is_refused(host):
    with pytest.raises(UrlRefused):
        asyncio.run(checked_addresses(parsed(f"https://{host}/"), is_public, resolve_host))


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_that_is_not_a_plain_https_url_is_refused(url):
    with pytest.raises(UrlRefused) as refused:
        parsed(url)
    assert refused.value.kind == "bad_url"


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text):
    for prefix in ("", "https://", "https://example.com"):
        try:
            url = parsed(prefix + text)
        except UrlRefused:
            continue
        assert url.scheme == "https"
        assert url.host


def test_for_development_internal_addresses_are_allowed():
    assert checked("http://localhost:9000/", "127.0.0.1", is_allowed=is_any) == ("127.0.0.1",)

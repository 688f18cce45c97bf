"""Which hosts are this machine's, and which requests a page of another site may have sent."""

import pytest
from starlette.datastructures import Headers

from common.host_check import host_name, is_known_host, is_other_site


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:8000", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("127.0.0.1:8000@evil.example", ""),
        ("user@localhost", ""),
        ("localhost:80:80", ""),
        ("localhost/..", ""),
        (" localhost", ""),
        ("localhost\u00a0", ""),
        ("", ""),
    ],
)
def test_a_host_header_is_a_name_and_perhaps_a_port(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize("host", ["localhost", "shop.localhost:8000", "127.0.0.1", "127.8.8.8:1", "[::1]"])
def test_loopback_hosts_are_known(host: str) -> None:
    assert is_known_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "notlocalhost", "0.0.0.0", "10.0.0.1", "[::2]", ""]
)
def test_other_hosts_are_not_unless_they_are_named(host: str) -> None:
    assert not is_known_host(host)
    assert not host or is_known_host(f"{host}:8000", [host_name(host)])


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"origin": "http://localhost:8010"}, False),
        ({"origin": "http://localhost:3000"}, True),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "null"}, True),
        ({"origin": "http://[::1"}, True),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_only_the_own_origin_and_programs_may_write(headers: dict[str, str], refused: bool) -> None:
    sent = Headers({"host": "localhost:8010", **headers})

    assert is_other_site("PUT", sent) is refused
    assert not is_other_site("GET", sent)

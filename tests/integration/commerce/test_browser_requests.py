"""A foreign web page can't send requests to the commerce services through a browser on this machine."""

import re
import socket

import pytest

from common.ids import new_id
from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import PORTS

OTHER_SITES = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1@evil.example"},
]


def kind(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8010", "127.0.0.1:8010@evil.example", "127.0.0.1.evil.example", ""]
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_request_under_a_name_that_is_not_this_machines_is_refused(shop, host, method):
    lamp = shop.product(stock=5)
    body = {"seller_id": "seller-1", "on_hand": 9} if method == "PUT" else None

    answer = shop.http.request(method, f"/v1/products/{lamp}/stock", json=body, headers={"Host": host})

    assert kind(answer) == (400, "unknown-host")
    assert shop.stock(lamp) == (5, 0)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "localhost:8010"])
def test_a_request_under_a_name_of_this_machine_is_answered(shop, host):
    assert shop.http.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("headers", OTHER_SITES, ids=str)
def test_a_page_of_another_site_changes_nothing(shop, headers):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp)
    assert shop.settled(order_id)["status"] == "confirmed"
    stock = {"product_id": lamp, "seller_id": "seller-1", "on_hand": 9}
    checkout = headers | {"Idempotency-Key": new_id()}

    answers = [
        shop.http.put(f"/v1/products/{lamp}/stock", json={**stock, "product_id": None}, headers=headers),
        shop.http.put("/v1/stock", json=[stock], headers=headers),
        shop.http.post("/v1/orders", json=shop.body(lamp), headers=checkout),
        shop.http.post(f"/v1/orders/{order_id}/cancellation", json={}, headers=headers),
    ]

    assert [kind(answer) for answer in answers] == [(403, "other-site")] * 4
    assert shop.order(order_id)["status"] == "confirmed"


def test_a_page_of_this_machine_and_a_program_may_write(shop):
    lamp = shop.product(stock=5)
    address, stock = f"/v1/products/{lamp}/stock", {"seller_id": "seller-1", "on_hand": 5}
    own = [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8000"},
        {"Sec-Fetch-Site": "none"},
    ]

    assert [shop.http.put(address, json=stock, headers=headers).status_code for headers in own] == [200] * 3


def test_a_request_whose_body_ends_too_soon_leaves_no_traceback_in_the_log(shop, eventually):
    before = shop.log.stat().st_size
    token = PrincipalTokens(shop.settings).make(platform("tests"), COMMERCE)
    head = b"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"{HEADER}: {token}\r\n".encode()
    address = ("127.0.0.1", PORTS["commerce"] + shop.settings.port_offset)

    for rest in (b"Content-Length: 100\r\nIdempotency-Key: k\r\n\r\n{", b"Content-Length: 5\r\n\r\n"):
        with socket.create_connection(address) as connection:
            connection.sendall(head + rest)
    with socket.create_connection(address) as connection:
        connection.sendall(b"garbage\r\n\r\n")
        connection.recv(1000)
    eventually(lambda: requests_counted(shop, "499") >= 1)

    log = shop.log.read_bytes()[before:].decode()
    assert "Traceback" not in log
    assert "was never retrieved" not in log


def requests_counted(shop, status):
    lines = shop.http.get("/metrics").text.splitlines()
    counts = [line for line in lines if re.match(rf'souk_http_requests_total.*status="{status}"', line)]
    return sum(float(line.rpartition(" ")[2]) for line in counts)

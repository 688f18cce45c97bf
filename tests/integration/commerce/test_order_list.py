"""The list of a shopper's own orders."""

import pytest

from common.cursor import encode_cursor
from common.ids import new_id
from common.principal import Principal, guest


@pytest.fixture(scope="module")
def lamp(running_shop):
    return running_shop.product(stock=1_000, price_minor=1_250)


def ids(answer):
    return [order["order_id"] for order in answer.json()["orders"]]


def test_orders_are_listed_newest_first_with_their_products_and_sums(shop, lamp):
    shopper_id = new_id()
    placed = [shop.buy(lamp, quantity=units, shopper_id=shopper_id) for units in (1, 2, 3)]

    answer = shop.as_principal(guest(shopper_id)).get("/v1/orders")

    assert ids(answer) == placed[::-1]
    newest = answer.json()["orders"][0]
    assert newest["lines"] == [{"product_id": lamp, "quantity": 3}]
    assert (newest["amount_minor"], newest["currency"]) == (3_750, "BRL")
    assert answer.json()["next_cursor"] is None


def test_a_person_sees_the_orders_of_their_time_as_a_guest_too_and_nobody_elses(shop, lamp):
    own, as_guest, other = new_id(), new_id(), new_id()
    first, second = shop.buy(lamp, shopper_id=as_guest), shop.buy(lamp, shopper_id=own)
    shop.buy(lamp, shopper_id=other)
    person = Principal(new_id(), frozenset({"shopper"}), (own, as_guest), session_id=new_id())

    assert ids(shop.as_principal(person).get("/v1/orders")) == [second, first]


def test_pages_follow_each_other_without_a_gap_while_orders_are_placed(shop, lamp):
    shopper_id = new_id()
    placed = [shop.buy(lamp, shopper_id=shopper_id) for _ in range(5)]
    http = shop.as_principal(guest(shopper_id))

    page = http.get("/v1/orders?limit=2")
    seen = ids(page)
    shop.buy(lamp, shopper_id=shopper_id)
    while cursor := page.json()["next_cursor"]:
        page = http.get("/v1/orders", params={"limit": 2, "cursor": cursor})
        seen += ids(page)

    assert seen == placed[::-1]


NOT_AN_ID = encode_cursor(0, encode_cursor("2026-01-01T00:00:00+00:00", "not-an-id"))
OF_ANOTHER_LIST = encode_cursor("2026-01-01T00:00:00+00:00", new_id())
WITHOUT_ZONE = encode_cursor(0, encode_cursor("2026-01-01", new_id()))
TOO_HIGH_A_RANK = encode_cursor(2**40, encode_cursor("2026-01-01T00:00:00+00:00", new_id()))


@pytest.mark.parametrize("cursor", ["x", "", "é", NOT_AN_ID, OF_ANOTHER_LIST, WITHOUT_ZONE, TOO_HIGH_A_RANK])
def test_a_cursor_of_nobody_is_refused(shop, cursor):
    answer = shop.as_principal(guest(new_id())).get("/v1/orders", params={"cursor": cursor})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:souk:problem:bad-cursor"


def test_a_process_of_the_platform_has_no_orders_of_its_own(shop):
    assert shop.http.get("/v1/orders").status_code == 403

import pytest

from common.ids import new_id
from producers.registry import SERVICES


def test_every_change_of_stock_is_an_event_with_the_next_version(shop, eventually):
    product = shop.product(stock=None)

    shop.set_stock(product, 10)
    shop.set_stock(product, 10)  # as it was
    shop.set_stock(product, 4)

    told = eventually(lambda: changes if len(changes := shop.events("stock_changed", product)) == 2 else None)
    assert [(one["version"], one["on_hand"], one["change"]) for one in told] == [(1, 10, 10), (2, 4, -6)]
    assert [one["reason"] for one in told] == ["received", "corrected"]


def test_a_list_of_stock_is_set_completely_or_not_at_all(shop):
    one, other = shop.product(stock=5), shop.product(stock=5)
    item = {"seller_id": "seller-1", "on_hand": 7}

    done = shop.http.put("/v1/stock", json=[{**item, "product_id": one}, {**item, "product_id": other}])
    twice = shop.http.put("/v1/stock", json=[{**item, "product_id": one, "on_hand": 1}] * 2)

    assert [stock["on_hand"] for stock in done.json()] == [7, 7]
    assert (twice.status_code, twice.json()["type"]) == (422, "urn:souk:problem:said-twice")
    assert shop.stock(one) == (7, 0)


def test_stock_can_not_be_set_below_what_orders_reserve(shop, eventually):
    product = shop.product(stock=5)
    shop.buy(product, quantity=3, token="tok_slow_bank")
    eventually(lambda: shop.stock(product) == (5, 3))

    refused = shop.set_stock(product, 2)

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:souk:problem:held-for-orders")


def test_invalid_stock_is_refused_with_the_name_of_the_field(shop):
    address = f"/v1/products/{new_id()}/stock"

    for body in ({"seller_id": "s", "on_hand": -1}, {"seller_id": "s", "on_hand": 10**9}, {"on_hand": 1}, []):
        answer = shop.http.put(address, json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter")
    assert shop.http.get(address).status_code == 404


def test_an_invalid_product_id_is_refused_with_a_problem(shop):
    good = f"/v1/products/{new_id()}/stock"

    for address in ("/v1/products/%00/stock", f"{good}?seller_id=%00", f"/v1/products/{'x' * 200}/stock"):
        answer = shop.http.get(address)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter"), address


def test_a_body_that_is_not_declared_as_json_is_refused(shop):
    address = f"/v1/products/{new_id()}/stock"

    answer = shop.http.put(
        address, content=b'{"seller_id":"s","on_hand":1}', headers={"content-type": "text/plain"}
    )

    assert (answer.status_code, answer.json()["type"]) == (415, "urn:souk:problem:not-json")
    assert shop.http.get(address).status_code == 404


def test_stock_of_a_product_that_the_seller_does_not_list_is_refused(shop):
    lamp = shop.product(stock=5)
    listed = {"product_id": lamp, "seller_id": "seller-1", "on_hand": 7}
    ghost = {"product_id": lamp, "seller_id": "ghost", "on_hand": 1_000_000}

    one = shop.set_stock(lamp, 1_000_000, seller_id="ghost")
    many = shop.http.put("/v1/stock", json=[listed, ghost])

    assert [(answer.status_code, answer.json()["type"]) for answer in (one, many)] == [
        (422, "urn:souk:problem:not-listed")
    ] * 2
    assert "Seller 'ghost' does not list product" in one.json()["detail"]
    assert shop.http.get(f"/v1/products/{lamp}/stock").json()["seller_id"] == "seller-1"
    assert shop.stock(lamp) == (5, 0)


def test_stock_of_a_product_that_was_delisted_can_only_be_lowered(shop, eventually):
    lamp = shop.product(stock=5)
    shop.tell("product_delisted", product_id=lamp, seller_id="seller-1", reason="seller_request")
    delisted = "SELECT FROM inventory.listings WHERE product_id = $1 AND NOT listed"
    eventually(lambda: shop.sql(delisted, lamp))

    assert [shop.set_stock(lamp, on_hand).status_code for on_hand in (9, 5, 2, 3)] == [422, 200, 200, 422]
    assert shop.stock(lamp) == (2, 0)


def reads(service, event):
    return any(subscription.event == event for subscription in service.subscriptions)


@pytest.mark.parametrize(
    ("event", "fields"), [("product_listed", {}), ("product_changed", {"changed_fields": ["price_minor"]})]
)
def test_a_listing_with_a_negative_price_is_a_dead_letter_and_makes_no_offer(shop, eventually, event, fields):
    lamp = shop.product(stock=5, price_minor=700)
    offer = {"product_id": lamp, "seller_id": "seller-1", "currency": "BRL", **fields}

    shop.tell(event, **offer, price_minor=-500)

    readers = {name.encode() for name, service in SERVICES.items() if reads(service, event)}

    def letters():
        found = [dict(m.headers()) for m in shop.messages(f"{event}_dlq") if m.key() == lamp.encode()]
        return found if len(found) == len(readers) else None

    rejected = eventually(letters)
    assert {letter["stage"] for letter in rejected} == readers > {b"orders", b"inventory"}
    assert all(b"-500 minor units" in letter["reason"] for letter in rejected)
    line = {"product_id": lamp, "quantity": 1, "unit_price_minor": 700}
    assert shop.post({**shop.body(), "lines": [line]}).status_code == 202


def test_the_stock_of_several_products_of_a_seller_is_read_at_once(shop):
    one, other, uncounted = shop.product(stock=5), shop.product(stock=0), shop.product(stock=None)
    asked = {"product_id": [one, other, uncounted, "never-listed"]}

    found = shop.http.get("/v1/sellers/seller-1/stock", params=asked).raise_for_status().json()
    others = shop.http.get("/v1/sellers/seller-2/stock", params=asked).raise_for_status().json()

    assert {stock["product_id"]: stock["on_hand"] for stock in found} == {one: 5, other: 0}
    assert others == []
    assert shop.http.get("/v1/sellers/seller-1/stock").status_code == 422

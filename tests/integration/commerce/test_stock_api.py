from common.ids import new_id


def test_stock_is_set_and_every_change_is_told_with_the_next_version(shop, eventually):
    product = shop.product(stock=None)

    shop.set_stock(product, 10)
    shop.set_stock(product, 10)  # as it was
    shop.set_stock(product, 4)

    told = eventually(lambda: changes if len(changes := shop.events("stock_changed", product)) == 2 else None)
    assert [(one["version"], one["on_hand"], one["change"]) for one in told] == [(1, 10, 10), (2, 4, -6)]
    assert [one["reason"] for one in told] == ["received", "corrected"]


def test_a_list_is_set_whole_or_not_at_all(shop):
    one, other = shop.product(stock=5), shop.product(stock=5)
    item = {"seller_id": "seller-1", "on_hand": 7}

    done = shop.http.put("/v1/stock", json=[{**item, "product_id": one}, {**item, "product_id": other}])
    twice = shop.http.put("/v1/stock", json=[{**item, "product_id": one, "on_hand": 1}] * 2)

    assert [stock["on_hand"] for stock in done.json()] == [7, 7]
    assert (twice.status_code, twice.json()["type"]) == (422, "urn:souk:problem:said-twice")
    assert shop.stock(one) == (7, 0)


def test_stock_that_orders_hold_can_not_be_taken_from_under_them(shop, eventually):
    product = shop.product(stock=5)
    shop.buy(product, quantity=3, token="tok_slow_bank")
    eventually(lambda: shop.stock(product) == (5, 3))

    refused = shop.set_stock(product, 2)

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:souk:problem:held-for-orders")


def test_bad_stock_is_refused_with_the_field_that_is_wrong(shop):
    address = f"/v1/products/{new_id()}/stock"

    for body in ({"seller_id": "s", "on_hand": -1}, {"seller_id": "s", "on_hand": 10**9}, {"on_hand": 1}, []):
        answer = shop.http.put(address, json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter")
    assert shop.http.get(address).status_code == 404


def test_an_id_that_no_product_can_have_is_refused_in_words(shop):
    good = f"/v1/products/{new_id()}/stock"

    for address in ("/v1/products/%00/stock", f"{good}?seller_id=%00", f"/v1/products/{'x' * 200}/stock"):
        answer = shop.http.get(address)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter"), address


def test_a_body_that_does_not_call_itself_json_is_refused(shop):
    address = f"/v1/products/{new_id()}/stock"

    answer = shop.http.put(
        address, content=b'{"seller_id":"s","on_hand":1}', headers={"content-type": "text/plain"}
    )

    assert (answer.status_code, answer.json()["type"]) == (415, "urn:souk:problem:not-json")
    assert shop.http.get(address).status_code == 404

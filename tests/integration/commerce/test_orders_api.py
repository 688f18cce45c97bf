from concurrent.futures import ThreadPoolExecutor

import pytest

from common.ids import new_id
from common.principal import Principal, guest, platform
from producers.kit.http.middleware import BODY_LIMIT
from tests.integration.servers import await_true

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def lamp(running_shop):
    return running_shop.product(stock=1_000, price_minor=1_250)


def problem(answer):
    """Return status and kind of an error response, and check that it has a detail."""
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    assert len(said["detail"]) > 20
    return answer.status_code, said["type"].removeprefix("urn:souk:problem:")


def buy_as(shop, principal, body, key):
    """Send a checkout request of a shopper."""
    with shop.as_principal(principal) as client:
        return client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})


def test_the_response_to_an_order_has_its_address_and_its_prices(shop, lamp):
    answer = shop.post(shop.body(lamp, quantity=3))

    order = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/orders/{order['order_id']}"
    assert order["status"] == "placed"
    assert order["lines"][0]["unit_price_minor"] == 1_250
    assert order["payment"]["amount_minor"] == 3_750
    assert shop.http.get(answer.headers["location"]).json()["placed_at"] == order["placed_at"]


def test_a_repeated_request_gets_the_same_response_and_places_one_order(shop, lamp):
    key, body = new_id(), shop.body(lamp)
    first = shop.post(body, key)

    with ThreadPoolExecutor(5) as threads:
        again = list(threads.map(lambda _: shop.post(body, key), range(5)))

    assert {answer.content for answer in again} == {first.content}
    assert {answer.headers["idempotent-replayed"] for answer in again} == {"true"}
    assert "idempotent-replayed" not in first.headers


def test_concurrent_requests_with_one_key_place_one_order_and_get_its_response(shop, lamp):
    key, body = new_id(), shop.body(lamp, shopper_id=new_id())

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: shop.post(body, key), range(10)))

    assert len({answer.content for answer in answers}) == 1
    assert len(shop.sql("SELECT FROM orders.orders WHERE shopper_id = $1", body["shopper_id"])) == 1


def test_the_same_key_with_another_body_is_refused(shop, lamp):
    key = new_id()
    shop.post(shop.body(lamp), key)

    assert problem(shop.post(shop.body(lamp, quantity=2), key)) == (409, "idempotency-key-reused")


def test_the_key_of_another_shopper_is_of_no_consequence(shop, lamp):
    key, body = new_id(), shop.body(lamp, shopper_id=None)

    answers = [buy_as(shop, guest(session_id), body, key) for session_id in (new_id(), new_id())]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["order_id"] for answer in answers}) == 2
    assert not any("idempotent-replayed" in answer.headers for answer in answers)


def test_who_signs_in_between_two_attempts_buys_once(shop, lamp):
    key, body, session_id = new_id(), shop.body(lamp, shopper_id=None), new_id()
    person = Principal(new_id(), frozenset({"shopper"}), (new_id(), session_id), session_id=new_id())

    first = buy_as(shop, guest(session_id), body, key)
    again = buy_as(shop, person, body, key)

    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("sender", ["guest", "person", "simulator"])
def test_the_event_of_an_order_names_the_senders_visit(shop, lamp, sender):
    visit, own = new_id(), new_id()
    principal = {
        "guest": guest(visit),
        "person": Principal(new_id(), frozenset({"shopper"}), (own, visit), session_id=new_id()),
        "simulator": platform("simulator"),
    }[sender]
    named = {"shopper_id": own} if sender == "simulator" else {"shopper_id": None}

    order = buy_as(shop, principal, shop.body(lamp, session_id=visit, **named), new_id()).json()

    (event,) = await_true(lambda: shop.events("order_placed", order["order_id"]), "the event")
    assert event["session_id"] == visit


@pytest.mark.parametrize("named", ["ana@example.com", "the visit of somebody else", None])
def test_no_other_text_of_a_client_is_in_the_event_of_an_order(shop, lamp, named):
    body = shop.body(lamp, shopper_id=None, session_id=named)

    order = buy_as(shop, guest(new_id()), body, new_id()).json()

    (event,) = await_true(lambda: shop.events("order_placed", order["order_id"]), "the event")
    assert event["session_id"] is None
    (stored,) = shop.sql("SELECT session_id FROM orders.orders WHERE order_id = $1", order["order_id"])
    assert stored["session_id"] is None


def test_the_order_of_a_bodys_fields_does_not_matter(shop, lamp):
    key, body = new_id(), shop.body(lamp)
    first = shop.post(body, key)

    again = shop.post(dict(reversed(body.items())), key)

    assert again.content == first.content


@pytest.mark.parametrize("key", [None, "", "x" * 256, "é".encode()])
def test_an_order_without_a_valid_key_is_refused(shop, lamp, key):
    headers = {} if key is None else {"Idempotency-Key": key}

    answer = shop.http.post("/v1/orders", json=shop.body(lamp), headers=headers)

    assert problem(answer) == (400, "idempotency-key")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"product_id": "p", "quantity": 0}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p", "quantity": -1}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p", "quantity": 10**12}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p", "quantity": 10**30}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p", "quantity": 1.5}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p", "quantity": "1"}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p", "quantity": True}]}, "lines.0.quantity"),
        ({"lines": [{"product_id": "p\x00", "quantity": 1}]}, "lines.0.product_id"),
        ({"lines": [{"product_id": "p" * 200, "quantity": 1}]}, "lines.0.product_id"),
        ({"lines": [{"quantity": 1}]}, "lines.0.product_id"),
        ({"lines": [{"product_id": "p", "quantity": 1, "price": 1}]}, "lines.0.price"),
        ({"lines": [{"product_id": "p", "quantity": 1}] * 301}, "lines"),
        ({"currency": "brl"}, "currency"),
        ({"currency": None}, "currency"),
        ({"payment": {"method": "gold"}}, "payment.method"),
        ({"payment": {"method": "pix", "installments": 0}}, "payment.installments"),
        ({"payment": {"method": "pix", "installments": None}}, "payment.installments"),
        ({"lines": [{"product_id": "p", "quantity": 1, "seller_id": ""}]}, "lines.0.seller_id"),
        ({"lines": [{"product_id": "p", "quantity": 1, "unit_price_minor": -1}]}, "lines.0.unit_price_minor"),
        ({"shopper_id": ""}, "shopper_id"),
        ({"coupon": "free"}, "coupon"),
    ],
)
def test_an_invalid_order_is_refused_with_the_name_of_the_field(shop, lamp, change, where):
    answer = shop.post({**shop.body(lamp), **change})

    assert problem(answer) == (422, "bad-parameter")
    assert answer.json()["detail"].startswith(f"{where}: ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"lines": NaN}', b'{"a":"\\ud800"}'])
def test_a_body_that_is_no_order_is_refused(shop, body):
    answer = shop.http.post("/v1/orders", content=body, headers=JSON | {"Idempotency-Key": new_id()})

    assert problem(answer) == (422, "bad-parameter")


def test_an_unknown_product_is_refused_by_name(shop, lamp):
    answer = shop.post(shop.body(lamp, "p-nobody-has"))

    assert problem(answer) == (422, "unknown-product")
    assert "Line 2: product 'p-nobody-has'" in answer.json()["detail"]


def test_a_delisted_product_is_not_for_sale(shop, eventually):
    product = shop.product()
    shop.tell("product_delisted", product_id=product, seller_id="seller-1", reason="seller_request")

    eventually(lambda: shop.post(shop.body(product)).status_code == 422)


def test_another_currency_is_refused(shop, lamp):
    assert problem(shop.post(shop.body(lamp, currency="EUR"))) == (422, "other-currency")


def test_a_price_that_the_shopper_did_not_see_is_refused(shop, lamp):
    line = {"product_id": lamp, "quantity": 1}

    seen = shop.post({**shop.body(), "lines": [{**line, "unit_price_minor": 1_250}]})
    moved = shop.post({**shop.body(), "lines": [{**line, "unit_price_minor": 1_249}]})

    assert seen.status_code == 202
    assert problem(moved) == (409, "price-moved")


def test_a_refused_order_uses_up_no_key(shop, lamp):
    key = new_id()
    assert shop.post(shop.body("p-nobody-has"), key).status_code == 422

    assert shop.post(shop.body(lamp), key).status_code == 202


def test_the_largest_possible_order_is_exact(shop):
    gold = shop.product(stock=None, price_minor=10_000_000_000)

    order = shop.post({**shop.body(), "lines": [{"product_id": gold, "quantity": 1_000}] * 300}).json()

    assert order["payment"]["amount_minor"] == 3 * 10**15


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(shop, chunked):
    body = b" " * (BODY_LIMIT + 1)
    content = iter([body[:1000], body[1000:]]) if chunked else body

    answer = shop.http.post("/v1/orders", content=content, headers=JSON | {"Idempotency-Key": new_id()})

    assert problem(answer) == (413, "body-too-large")


@pytest.mark.parametrize("order_id", [new_id(), "h0123", "nobody"])
def test_an_unknown_order_is_not_found(shop, order_id):
    assert problem(shop.http.get(f"/v1/orders/{order_id}")) == (404, "unknown-order")
    cancelled = shop.http.post(f"/v1/orders/{order_id}/cancellation", json={})
    assert problem(cancelled) == (404, "unknown-order")
    assert problem(shop.http.get(f"/v1/orders/{order_id}/payment")) == (404, "unknown-payment")


def test_what_is_no_id_is_refused_as_the_gateway_refuses_it(shop):
    assert problem(shop.http.get(f"/v1/orders/{'a' * 300}")) == (422, "bad-parameter")


def test_an_unknown_path_is_a_problem(shop):
    assert problem(shop.http.get("/v1/nothing")) == (404, "not-found")
    assert problem(shop.http.delete("/v1/orders")) == (405, "method-not-allowed")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_an_order_can_not_be_cancelled_without_a_json_content_type(shop, content_type):
    order_id = shop.buy(shop.product())
    headers = {"Content-Type": content_type} if content_type else {}

    answer = shop.http.post(f"/v1/orders/{order_id}/cancellation", headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (415, "urn:souk:problem:not-json")
    assert shop.settled(order_id)["status"] == "confirmed"

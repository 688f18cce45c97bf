from datetime import timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from tests.integration.commerce.returns import back, letters, returned


def bought(product_id):
    """A line of `order_placed`."""
    return {
        "line_number": 1, "product_id": product_id, "seller_id": "seller-1", "quantity": 1,
        "unit_price_minor": 1, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    }  # fmt: skip


def test_an_order_is_confirmed_once_its_stock_is_reserved_and_its_payment_captured(shop):
    lamp, chair = shop.product(stock=10, price_minor=1_500), shop.product(stock=3, price_minor=250)

    order_id = shop.buy(lamp, chair, quantity=2)
    order = shop.settled(order_id)

    assert order["status"] == "confirmed"
    assert [step["status"] for step in order["history"]] == ["placed", "confirmed"]
    assert order["payment"] == {
        "status": "captured", "method": "credit_card", "amount_minor": 3_500, "refunded_minor": 0
    }  # fmt: skip
    assert [event["amount_minor"] for event in shop.events("payment_captured", order_id)] == [3_500]
    assert [len(event["lines"]) for event in shop.events("stock_reserved", order_id)] == [2]


def test_a_confirmation_has_what_its_order_was_placed_with(shop, eventually):
    lamp, chair = shop.product(price_minor=1_500), shop.product(price_minor=250, seller_id="seller-2")
    order_id = shop.buy(lamp, chair, quantity=2)
    shop.settled(order_id)

    (placed,) = shop.events("order_placed", order_id)
    (confirmed,) = eventually(lambda: shop.events("order_confirmed", order_id))
    assert confirmed["placed_at"] == placed["occurred_at"]
    assert confirmed["currency"] == placed["currency"]
    assert confirmed["lines"] == placed["lines"]
    assert [line["seller_id"] for line in confirmed["lines"]] == ["seller-1", "seller-2"]


def test_sold_units_leave_the_stock(shop, eventually):
    lamp = shop.product(stock=10)

    shop.settled(shop.buy(lamp, quantity=4))

    eventually(lambda: shop.stock(lamp) == (6, 0))


def test_an_order_that_exceeds_the_stock_is_cancelled_and_reserves_nothing(shop):
    lamp, chair = shop.product(stock=10), shop.product(stock=1)

    order_id = shop.buy(lamp, chair, quantity=2)
    order = shop.settled(order_id)

    assert (order["status"], order["cancellation_reason"]) == ("cancelled", "out_of_stock")
    assert (shop.stock(lamp), shop.stock(chair)) == ((10, 0), (1, 0))
    (refused,) = shop.events("stock_refused", order_id)
    assert [(line["product_id"], line["available"]) for line in refused["lines"]] == [(chair, 1)]
    assert shop.events("payment_captured", order_id) == []


def test_a_declined_payment_cancels_the_order_and_releases_its_stock(shop, eventually):
    lamp = shop.product(stock=5)

    order_id = shop.buy(lamp, quantity=5, token="tok_decline_now")
    order = shop.settled(order_id)

    assert (order["status"], order["cancellation_reason"]) == ("cancelled", "payment_failed")
    assert order["payment"]["status"] == "failed"
    eventually(lambda: shop.stock(lamp) == (5, 0))
    eventually(lambda: len(shop.events("stock_released", order_id)) == 1)
    (cancelled,) = shop.events("order_cancelled", order_id)
    assert cancelled["confirmed_at"] is None


def test_a_token_is_in_no_topic_and_in_no_table_once_the_order_is_decided(shop, eventually):
    token = f"tok_{new_id()}"
    order_id = shop.buy(shop.product(), token=token)
    assert shop.settled(order_id)["status"] == "confirmed"
    eventually(shop.caught_up)

    (placed,) = [one for one in shop.messages("order_placed") if one.key() == order_id.encode()]
    assert token.encode() not in placed.value()
    assert token not in str(placed.headers())
    assert shop.sql("SELECT FROM orders.how_to_pay WHERE order_id = $1", order_id) == []
    assert token not in str(shop.sql("SELECT * FROM payments.payments WHERE order_id = $1", order_id))


def test_a_provider_that_fails_twice_is_called_again_and_takes_the_money_once(shop):
    order_id = shop.buy(shop.product(), token="tok_flaky_line")

    order = shop.settled(order_id)

    assert order["status"] == "confirmed"
    failed = shop.events("payment_failed", order_id)
    assert [(event["attempt"], event["final"]) for event in failed] == [(1, False), (2, False)]
    assert len(shop.events("payment_captured", order_id)) == 1


def test_a_cancelled_order_gives_its_stock_and_its_money_back(shop, eventually):
    lamp = shop.product(stock=5, price_minor=700)
    order_id = shop.buy(lamp, quantity=2)
    shop.settled(order_id)
    eventually(lambda: shop.stock(lamp) == (3, 0))

    answer = shop.http.post(f"/v1/orders/{order_id}/cancellation", json={})
    again = shop.http.post(f"/v1/orders/{order_id}/cancellation", json={})

    assert (answer.status_code, again.status_code) == (202, 202)
    assert answer.json()["cancellation_reason"] == again.json()["cancellation_reason"] == "shopper_request"
    eventually(lambda: shop.stock(lamp) == (5, 0))
    eventually(lambda: shop.order(order_id)["payment"]["status"] == "refunded")
    assert shop.order(order_id)["payment"]["refunded_minor"] == 1_400
    (refunded,) = shop.events("payment_refunded", order_id)
    assert (refunded["amount_minor"], refunded["return_id"]) == (1_400, None)
    assert (refunded["seller_id"], refunded["placed_at"], refunded["lines"]) == (None, None, [])
    (confirmed,) = shop.events("order_confirmed", order_id)
    (cancelled,) = shop.events("order_cancelled", order_id)
    assert cancelled["confirmed_at"] == confirmed["occurred_at"]
    assert cancelled["lines"] == confirmed["lines"]


def test_an_order_cancelled_during_the_provider_call_is_not_charged(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp, token="tok_slow_bank")
    eventually(lambda: shop.payment(order_id).get("attempts") == 1)

    shop.http.post(f"/v1/orders/{order_id}/cancellation", json={}).raise_for_status()

    eventually(lambda: shop.payment(order_id)["state"] in ("void", "captured"))
    eventually(lambda: shop.stock(lamp) == (5, 0))
    (charge,) = shop.sql(
        "SELECT charges.* FROM provider.charges JOIN payments.payments ON payment_id = idempotency_key "
        "WHERE order_id = $1",
        order_id,
    )
    assert charge["outcome"] == "voided"
    assert shop.settled(order_id)["status"] == "cancelled"


def test_a_shipped_order_can_not_be_cancelled(shop, eventually):
    order_id = shop.buy(shop.product())
    shop.settled(order_id)
    shop.tell("order_shipped", order_id=order_id, shipment_id="s1", seller_id="seller-1")
    eventually(lambda: shop.order(order_id)["status"] == "shipped")

    answer = shop.http.post(f"/v1/orders/{order_id}/cancellation", json={})

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:souk:problem:too-late-to-cancel"


def test_a_returned_unit_is_on_hand_again_and_refunded_once(shop, eventually):
    lamp = shop.product(stock=5, price_minor=900)
    order_id = shop.buy(lamp, quantity=2)
    shop.settled(order_id)
    event = back(order_id, returned(lamp, 1, refund_minor=900), event_id=new_id())

    shop.tell("order_returned", **event)
    shop.tell("order_returned", **event)

    eventually(lambda: shop.stock(lamp) == (4, 0))
    eventually(lambda: len(shop.events("payment_refunded", order_id)) == 1)
    assert "returned" in [step["status"] for step in shop.order(order_id)["history"]]


def test_a_return_of_more_than_was_sold_is_a_dead_letter_and_changes_nothing(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp)
    shop.settled(order_id)
    eventually(lambda: shop.stock(lamp) == (4, 0))

    shop.tell("order_returned", **back(order_id, returned(lamp, 9, refund_minor=10**9)))

    eventually(lambda: [service for service, _ in letters(shop, order_id)] == ["orders"])
    assert shop.stock(lamp) == (4, 0)
    assert shop.events("payment_refunded", order_id) == []


def test_a_returned_line_can_not_be_returned_again(shop, eventually):
    lamp, table = shop.product(stock=5, price_minor=900), shop.product(stock=5, price_minor=5_000)
    order_id = shop.buy(lamp, table)
    shop.settled(order_id)
    line = returned(lamp, 1, refund_minor=900) | {"restocked": False}
    shop.tell("order_returned", **back(order_id, line))
    eventually(lambda: shop.events("payment_refunded", order_id))

    shop.tell("order_returned", **back(order_id, line))

    eventually(lambda: [service for service, _ in letters(shop, order_id)] == ["orders"])
    assert [event["amount_minor"] for event in shop.events("payment_refunded", order_id)] == [900]


@pytest.mark.parametrize("refund_minor", [900, 0])
def test_a_return_repeated_in_another_event_is_a_dead_letter_and_changes_nothing(
    shop, eventually, refund_minor
):
    lamp = shop.product(stock=5, price_minor=900)
    order_id = shop.buy(lamp, quantity=2)
    shop.settled(order_id)
    told = back(order_id, returned(lamp, 1, refund_minor))
    shop.tell("order_returned", **told)

    shop.tell("order_returned", **told)

    reason = f"return {told['return_id']} of order {order_id} was accepted before"
    eventually(lambda: letters(shop, order_id) == [("orders", reason)])
    assert [step["status"] for step in shop.order(order_id)["history"]].count("returned") == 1
    eventually(lambda: shop.stock(lamp) == (4, 0))
    assert shop.sql(
        "SELECT returned, returned_minor FROM orders.order_lines WHERE order_id = $1", order_id
    ) == [{"returned": 1, "returned_minor": refund_minor}]
    assert len(shop.events("return_settled", order_id)) == 1


def test_a_partly_returned_order_is_refunded_only_once_all_of_it_is_returned(shop, eventually):
    lamp, table = shop.product(stock=5, price_minor=900), shop.product(stock=5, price_minor=5_000)
    order_id = shop.buy(lamp, table)
    shop.settled(order_id)
    first = back(order_id, returned(lamp, 1, refund_minor=900))
    shop.tell("order_returned", **first)
    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 900)
    assert shop.order(order_id)["payment"]["status"] == "captured"

    shop.tell("order_returned", **first)
    eventually(lambda: len(letters(shop, order_id)) == 1)
    rest = returned(table, 1, refund_minor=5_000) | {"line_number": 2}
    shop.tell("order_returned", **back(order_id, rest))

    eventually(lambda: shop.order(order_id)["payment"]["status"] == "refunded")
    order = shop.order(order_id)
    assert order["payment"]["refunded_minor"] == order["payment"]["amount_minor"] == 5_900
    steps = [step["status"] for step in order["history"]]
    assert sorted(steps) == ["confirmed", "placed", "refunded", "refunded", "returned", "returned"]


def test_a_refund_repeated_in_another_event_counts_once(shop, eventually):
    order_id = shop.buy(shop.product(stock=5, price_minor=900), quantity=2)
    shop.settled(order_id)
    refund = {
        "order_id": order_id, "payment_id": new_id(), "shopper_id": "ana", "currency": "BRL",
        "reason": "goodwill", "return_id": None,
    }  # fmt: skip
    once, other = new_id(), new_id()

    for refund_id, amount_minor in ((once, 500), (once, 500), (other, 200)):
        shop.tell("payment_refunded", "payments", refund_id=refund_id, amount_minor=amount_minor, **refund)

    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 700)
    assert [step["status"] for step in shop.order(order_id)["history"]].count("refunded") == 2


def test_each_sellers_parcel_is_one_step_whatever_its_time(shop, eventually):
    order_id = shop.buy(shop.product(stock=5), shop.product(stock=5))
    shop.settled(order_id)
    at = system_clock()
    for seller_id, shipment_id, occurred_at in (
        ("seller-1", "s1", at),
        ("seller-1", "s1", at + timedelta(seconds=1)),
        ("seller-2", "s1", at + timedelta(seconds=1)),
    ):
        parcel = {"order_id": order_id, "seller_id": seller_id, "shipment_id": shipment_id}
        code = {"carrier": "Correios", "tracking_code": f"T-{seller_id}"}
        shop.tell("order_shipped", **parcel, **code, occurred_at=occurred_at)
    last = {"order_id": order_id, "seller_id": "seller-2", "shipment_id": "s1"}

    shop.tell("order_delivered", **last)

    def taken():
        return sorted((step["status"], step["seller_id"]) for step in shop.order(order_id)["history"])

    own = [("delivered", "seller-2"), ("shipped", "seller-1"), ("shipped", "seller-2")]
    eventually(lambda: taken() == sorted([("confirmed", None), ("placed", None), *own]))
    assert shop.order(order_id)["status"] == "delivered"
    codes = {
        step["seller_id"]: (step["carrier"], step["tracking_code"])
        for step in shop.order(order_id)["history"]
        if step["status"] == "shipped"
    }
    assert codes == {seller: ("Correios", f"T-{seller}") for seller in ("seller-1", "seller-2")}


def test_a_second_return_of_a_line_is_accepted_after_a_repeated_first_one(shop, eventually):
    lamp = shop.product(stock=5, price_minor=900)
    order_id = shop.buy(lamp, quantity=2)
    shop.settled(order_id)
    first, second = new_id(), new_id()

    for return_id in (first, first, second):
        line = returned(lamp, 1, refund_minor=900)
        shop.tell("order_returned", **back(order_id, line, return_id=return_id))

    eventually(lambda: len(shop.events("payment_refunded", order_id)) == 2)
    eventually(lambda: shop.stock(lamp) == (5, 0))
    assert {event["return_id"] for event in shop.events("payment_refunded", order_id)} == {first, second}


def test_a_return_under_the_id_of_another_sellers_return_is_a_dead_letter(shop, eventually):
    lamp = shop.product(stock=5, price_minor=900)
    table = shop.product(stock=5, price_minor=5_000, seller_id="seller-2")
    order_id = shop.buy(lamp, table)
    shop.settled(order_id)
    ones = back(order_id, returned(lamp, 1, refund_minor=900))
    line = returned(table, 1, refund_minor=5_000) | {"line_number": 2}
    others = back(order_id, line, seller_id="seller-2")
    shop.tell("order_returned", **ones)

    shop.tell("order_returned", **others | {"return_id": ones["return_id"]})
    eventually(lambda: [service for service, _ in letters(shop, order_id)] == ["orders"])
    assert shop.stock(table) == (4, 0)
    shop.tell("order_returned", **others)

    eventually(lambda: shop.stock(table) == (5, 0))
    eventually(lambda: len(shop.events("payment_refunded", order_id)) == 2)
    assert shop.stock(lamp) == (5, 0)
    assert len(letters(shop, order_id)) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"seller_id": "seller-2"}, {"lines": [{"quantity": 3}]}, {"lines": [{"line_number": 2}]},
     {"lines": [{"product_id": "another"}]}, {"lines": [{"quantity": -1}]},
     {"lines": [{"refund_minor": 10**9}]}, {"lines": [{"refund_minor": 1_801}]},
     {"lines": [{"refund_minor": -1}]}],
    ids=["another seller", "more than was sold", "no such line", "another product", "negative",
         "a huge refund", "a refund above the line's amount", "a negative refund"],
)  # fmt: skip
def test_a_return_that_does_not_fit_its_order_is_refused_and_leaves_no_trace(shop, eventually, wrong):
    lamp = shop.product(stock=5, price_minor=900)
    order_id = shop.buy(lamp, quantity=2)
    shop.settled(order_id)
    eventually(lambda: shop.stock(lamp) == (3, 0))
    line = returned(lamp, 1, refund_minor=900) | wrong.get("lines", [{}])[0]

    shop.tell("order_returned", **back(order_id, line) | wrong | {"lines": [line]})

    eventually(lambda: [service for service, _ in letters(shop, order_id)] == ["orders"])
    assert [step["status"] for step in shop.order(order_id)["history"]] == ["placed", "confirmed"]
    assert shop.stock(lamp) == (3, 0)
    assert shop.events("payment_refunded", order_id) == []


def test_a_return_of_a_cancelled_order_is_not_in_its_history(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp, token="tok_decline_now")
    assert shop.settled(order_id)["status"] == "cancelled"
    eventually(lambda: shop.stock(lamp) == (5, 0))

    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=0)))

    eventually(lambda: [service for service, _ in letters(shop, order_id)] == ["orders"])
    assert "returned" not in [step["status"] for step in shop.order(order_id)["history"]]


def test_a_cancellation_that_arrives_before_its_order_bars_it(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = new_id()
    order = {"order_id": order_id, "shopper_id": "ana", "currency": "BRL", "lines": [bought(lamp)]}

    cancelled = shop.tell("order_cancelled", "orders", **order, reason="shopper_request", placed_at=0)
    eventually(lambda: len(shop.sql("SELECT FROM payments.inbox WHERE id = $1", cancelled)) == 1)
    eventually(lambda: len(shop.sql("SELECT FROM inventory.inbox WHERE id = $1", cancelled)) == 1)
    placed = shop.tell("order_placed", "orders", **order)
    eventually(lambda: len(shop.sql("SELECT FROM inventory.inbox WHERE id = $1", placed)) == 1)
    eventually(lambda: len(shop.sql("SELECT FROM payments.inbox WHERE id = $1", placed)) == 1)

    assert shop.stock(lamp) == (5, 0)
    assert shop.payment(order_id)["state"] == "void"


def test_history_changes_neither_stock_nor_money(shop, eventually):
    lamp = shop.product(stock=5)
    order = {"order_id": new_id(), "shopper_id": "ana", "currency": "BRL"}

    shop.tell("order_placed", **order, lines=[bought(lamp)])
    shop.settled(shop.buy(lamp))  # of the same topics, later

    eventually(lambda: shop.stock(lamp) == (4, 0))
    assert shop.payment(order["order_id"])["status"] == 404


def test_the_events_of_one_order_form_one_chain(shop, eventually):
    order_id = shop.buy(shop.product())
    shop.settled(order_id)
    eventually(shop.caught_up)

    headers = {
        topic: {name: value.decode() for name, value in message.headers()}
        for topic in ("order_placed", "stock_reserved", "payment_captured", "order_confirmed")
        for message in shop.messages(topic)
        if message.key() == order_id.encode()
    }
    (placed,), (reserved,) = shop.events("order_placed", order_id), shop.events("stock_reserved", order_id)
    assert {one["correlation_id"] for one in headers.values()} == {order_id}
    assert len({one["traceparent"].split("-")[1] for one in headers.values()}) == 1
    assert headers["stock_reserved"]["causation_id"] == placed["event_id"]
    assert headers["payment_captured"]["causation_id"] == reserved["event_id"]
    assert [one["origin"] for one in headers.values()] == ["orders", "inventory", "payments", "orders"]

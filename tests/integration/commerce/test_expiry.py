from common.ids import new_id


def test_units_that_are_not_paid_in_time_are_let_go(shop, eventually):
    lamp, order_id = shop.product(stock=5), new_id()
    line = {
        "line_number": 1, "product_id": lamp, "seller_id": "seller-1", "quantity": 2, "unit_price_minor": 1,
        "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    }  # fmt: skip
    shop.tell("order_placed", "orders", order_id=order_id, shopper_id="ana", currency="BRL", lines=[line])
    eventually(lambda: shop.stock(lamp) == (5, 2))

    shop.sql("UPDATE inventory.reservations SET expires_at = now() WHERE order_id = $1", order_id)

    eventually(lambda: shop.stock(lamp) == (5, 0))
    (released,) = eventually(lambda: shop.events("stock_released", order_id) or None)
    assert released["reason"] == "expired"


def test_a_paid_order_whose_units_were_let_go_is_cancelled_and_refunded(shop, eventually):
    lamp = shop.product(stock=5, price_minor=300)
    order_id = shop.buy(lamp)
    shop.settled(order_id)

    shop.tell(
        "stock_released", "inventory", order_id=order_id, reservation_id=new_id(), reason="expired", lines=[]
    )

    eventually(lambda: shop.order(order_id)["status"] == "cancelled")
    eventually(lambda: shop.order(order_id)["payment"]["status"] == "refunded")
    assert shop.order(order_id)["cancellation_reason"] == "timed_out"
    assert [event["amount_minor"] for event in shop.events("payment_refunded", order_id)] == [300]


def test_units_whose_payment_is_still_to_be_read_after_a_downtime_are_sold(shop, eventually):
    lamp, order_id = shop.product(stock=5), new_id()
    line = {
        "line_number": 1, "product_id": lamp, "seller_id": "seller-1", "quantity": 2, "unit_price_minor": 1,
        "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    }  # fmt: skip
    shop.tell("order_placed", "orders", order_id=order_id, shopper_id="ana", currency="BRL", lines=[line])
    eventually(lambda: shop.stock(lamp) == (5, 2))
    shop.kill()
    shop.sql("UPDATE inventory.reservations SET expires_at = now() WHERE order_id = $1", order_id)
    shop.tell("order_confirmed", "orders", order_id=order_id, shopper_id="ana")

    shop.start()

    eventually(lambda: shop.stock(lamp) == (3, 0))
    assert shop.events("stock_released", order_id) == []

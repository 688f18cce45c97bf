from common.ids import new_id


def points_of(shop, shopper):
    answer = shop.http.get(f"/v1/shoppers/{shopper}/points")
    return answer.json()["points"] if answer.is_success else None


def test_a_paid_order_earns_points_once(shop, eventually):
    shopper = f"shopper-{new_id()}"
    order = shop.buy(shop.product(price_minor=1_250), quantity=2, shopper_id=shopper)
    shop.settled(order)
    eventually(lambda: points_of(shop, shopper) == 25)

    captured = eventually(lambda: shop.events("payment_captured", order))[0]
    shop.tell("payment_captured", origin="payments", **captured)
    other = shop.buy(shop.product(price_minor=100), shopper_id=shopper)
    shop.settled(other)

    eventually(lambda: points_of(shop, shopper) == 26)
    assert len(shop.sql("SELECT FROM loyalty.points WHERE shopper_id = $1", shopper)) == 2


def test_who_never_paid_has_no_points(shop):
    answer = shop.http.get("/v1/shoppers/nobody/points")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:souk:problem:no-points")

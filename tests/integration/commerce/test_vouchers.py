import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from common.ids import new_id
from common.principal import Principal, guest, platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from tests.integration.commerce.returns import back, returned

USES, BUYERS = 5, 100
NIGHTLY = [pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 11)]

OWNER = Principal("user-owner", frozenset({"shopper", "seller"}), ("shopper-owner",), {"seller-1": "owner"})
ADMIN = Principal("user-admin", frozenset({"shopper", "admin"}), ("shopper-admin",))


def person(name=None):
    name = name or new_id()
    return Principal(f"user-{name}", frozenset({"shopper"}), (f"shopper-{name}",))


def create(shop, seller_id="seller-1", **changes):
    """Create a voucher of a seller, or of the marketplace (None); return it."""
    body = {"name": "Summer", "code": f"S-{new_id()[-12:]}", "kind": "percentage", **changes}
    path = f"/v1/sellers/{seller_id}/vouchers" if seller_id else "/v1/vouchers"
    with shop.as_principal(ADMIN) as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def voucher_of(shop, voucher):
    (row,) = shop.sql(
        "SELECT used, limit_total FROM orders.vouchers WHERE voucher_id = $1", voucher["voucher_id"]
    )
    return row


def ordered(shop, principal, body, key=None):
    """Order, again with the same key while the shop is busy; return the response."""
    headers = {"Idempotency-Key": key or new_id()}
    with shop.as_principal(principal) as client:
        while (answer := client.post("/v1/orders", json=body, headers=headers)).status_code == 503:
            assert answer.headers["retry-after"]
        return answer


def quoted(shop, principal, *product_ids, codes=(), quantity=1):
    lines = [{"product_id": product_id, "quantity": quantity} for product_id in product_ids]
    with shop.as_principal(principal) as client:
        body = {"currency": "BRL", "lines": lines, "voucher_codes": list(codes)}
        return client.post("/v1/orders/quotes", json=body)


def body_of(shop, *product_ids, codes=(), **changes):
    body = shop.body(*product_ids, voucher_codes=list(codes), **changes)
    del body["shopper_id"]
    return body


def kind(answer):
    return answer.status_code, answer.json().get("type", "").rpartition(":")[2]


def test_a_seller_s_voucher_lowers_what_is_paid_and_every_event_says_so(shop, eventually):
    lamp, chair = shop.product(price_minor=1_999), shop.product(price_minor=500, seller_id="seller-2")
    voucher = create(shop, percent_bp=1_000, minimum_minor=1_000)
    buyer = person()

    quote = quoted(shop, buyer, lamp, chair, codes=[voucher["code"].lower()]).json()
    assert (quote["items_minor"], quote["discount_minor"], quote["total_minor"]) == (2_499, 200, 2_299)
    assert quote["vouchers"] == [
        {
            "code": voucher["code"], "name": "Summer", "seller_id": "seller-1", "kind": "percentage",
            "saved_minor": 200, "problem": None, "minimum_minor": 1_000,
        }
    ]  # fmt: skip
    answer = ordered(shop, buyer, body_of(shop, lamp, chair, codes=[voucher["code"]], amount_minor=2_299))
    order = shop.settled(answer.json()["order_id"])

    assert order["payment"]["amount_minor"] == 2_299
    assert [(line["discount_minor"], line["order_voucher_id"]) for line in order["lines"]] == [
        (200, voucher["voucher_id"]),
        (0, None),
    ]
    order_id = order["order_id"]
    (placed,) = shop.events("order_placed", order_id)
    (confirmed,) = eventually(lambda: shop.events("order_confirmed", order_id))
    (captured,) = shop.events("payment_captured", order_id)
    assert confirmed["lines"] == placed["lines"]
    assert [line["discount_minor"] for line in placed["lines"]] == [200, 0]
    assert captured["amount_minor"] == 2_299
    assert voucher_of(shop, voucher)["used"] == 1


def test_the_marketplace_pays_its_part_and_gets_it_back_with_a_return(shop, eventually):
    lamp = shop.product(price_minor=1_000)
    voucher = create(shop, None, kind="amount", amount_minor=301)
    answer = ordered(shop, person(), body_of(shop, lamp, quantity=2, codes=[voucher["code"]]))
    order = shop.settled(answer.json()["order_id"])
    order_id = order["order_id"]
    (line,) = order["lines"]
    assert (line["discount_minor"], line["marketplace_minor"]) == (0, 301)
    assert order["payment"]["amount_minor"] == 1_699

    shop.tell("order_returned", **back(order_id, returned(lamp, 1, 849)))
    (settled,) = eventually(lambda: shop.events("return_settled", order_id))
    (refunded,) = eventually(lambda: shop.events("payment_refunded", order_id))
    assert [each["marketplace_minor"] for each in settled["lines"]] == [301 * 849 // 1_699]
    assert [each["marketplace_minor"] for each in refunded["lines"]] == [301 * 849 // 1_699]
    shop.tell("order_returned", **back(order_id, returned(lamp, 1, 850)))
    settled = eventually(
        lambda: found if len(found := shop.events("return_settled", order_id)) == 2 else None
    )
    assert sum(each["lines"][0]["marketplace_minor"] for each in settled) == 301


def test_an_order_that_costs_nothing_is_confirmed_without_a_payment(shop, eventually):
    lamp = shop.product(stock=3, price_minor=999)
    voucher = create(shop, percent_bp=10_000)
    answer = ordered(shop, person(), body_of(shop, lamp, codes=[voucher["code"]], amount_minor=0))
    order = shop.settled(answer.json()["order_id"])

    assert (order["status"], order["payment"]["status"]) == ("confirmed", "free")
    assert order["payment"]["amount_minor"] == 0
    eventually(lambda: shop.stock(lamp) == (2, 0))
    assert shop.events("payment_captured", order["order_id"]) == []
    assert shop.sql("SELECT FROM provider.charges WHERE amount_minor = 0") == []


def free_order(shop, lamp, quantity=1):
    """Order something for which the marketplace pays all; return the id of the confirmed order."""
    voucher = create(shop, None, percent_bp=10_000)
    body = body_of(shop, lamp, quantity=quantity, codes=[voucher["code"]], amount_minor=0)
    order_id = ordered(shop, person(), body).json()["order_id"]
    assert shop.settled(order_id)["status"] == "confirmed"
    return order_id


def test_a_return_of_a_free_order_gives_the_marketplace_its_part_back_once(shop, eventually):
    lamp = shop.product(price_minor=333)
    order_id = free_order(shop, lamp, quantity=2)
    first, second = (back(order_id, returned(lamp, 1, 0)) for _ in range(2))

    for event in (first, second):
        shop.tell("order_returned", **event)
        shop.tell("order_returned", **event)

    refunds = eventually(
        lambda: found if len(found := shop.events("payment_refunded", order_id)) >= 2 else None
    )
    assert sorted(each["return_id"] for each in refunds) == sorted(
        each["return_id"] for each in (first, second)
    )
    assert [each["amount_minor"] for each in refunds] == [0, 0]
    assert [each["lines"][0]["marketplace_minor"] for each in refunds] == [333, 333]
    assert shop.sql("SELECT FROM provider.charges WHERE amount_minor = 0") == []


def test_a_cancelled_free_order_gives_its_units_back_and_refunds_nothing(shop, eventually):
    lamp = shop.product(stock=3)
    order_id = free_order(shop, lamp)
    eventually(lambda: shop.stock(lamp) == (2, 0))

    assert shop.http.post(f"/v1/orders/{order_id}/cancellation", json={}).status_code == 202

    eventually(lambda: shop.stock(lamp) == (3, 0))
    row = "SELECT cancelled FROM payments.payments WHERE order_id = $1 AND state = 'free' AND cancelled"
    eventually(lambda: shop.sql(row, order_id))
    assert shop.sql("SELECT FROM payments.refunds WHERE order_id = $1", order_id) == []


def test_a_paid_order_is_not_confirmed_by_request(shop):
    lamp = shop.product(stock=None)  # nothing is reserved, so the order stays placed or is cancelled
    order_id = shop.buy(lamp)

    answer = shop.http.post(f"/v1/orders/{order_id}/confirmation", json={})
    assert kind(answer) == (409, "not-free")
    with shop.as_principal(person()) as client:
        assert client.post(f"/v1/orders/{order_id}/confirmation", json={}).status_code == 403


def test_a_cancelled_order_gives_its_voucher_back_once(shop):
    lamp, voucher = shop.product(), create(shop, percent_bp=1_000, limit_total=1)
    buyer = person()
    order_id = ordered(shop, buyer, body_of(shop, lamp, codes=[voucher["code"]])).json()["order_id"]
    assert kind(ordered(shop, person(), body_of(shop, lamp, codes=[voucher["code"]]))) == (
        409, "voucher-refused"
    )  # fmt: skip
    shop.settled(order_id)

    with shop.as_principal(buyer) as client:
        for _ in range(2):
            assert client.post(f"/v1/orders/{order_id}/cancellation", json={}).status_code == 202

    assert voucher_of(shop, voucher)["used"] == 0
    assert ordered(shop, person(), body_of(shop, lamp, codes=[voucher["code"]])).status_code == 202


def test_a_declined_card_gives_the_voucher_back(shop):
    lamp, voucher = shop.product(), create(shop, percent_bp=1_000, limit_per_person=1)
    buyer, codes = person(), [voucher["code"]]
    declined = ordered(shop, buyer, body_of(shop, lamp, codes=codes, token="tok_decline_now")).json()
    assert shop.settled(declined["order_id"])["cancellation_reason"] == "payment_failed"

    again = ordered(shop, buyer, body_of(shop, lamp, codes=codes))
    assert again.status_code == 202, again.text
    refused = ordered(shop, buyer, body_of(shop, lamp, codes=codes))
    assert (kind(refused), refused.json()["problem"]) == ((409, "voucher-refused"), "used_by_you")


def test_a_voucher_that_ends_during_the_checkout_is_refused_and_nothing_is_ordered(shop):
    lamp, voucher, buyer = shop.product(), create(shop, percent_bp=1_000), person()
    assert quoted(shop, buyer, lamp, codes=[voucher["code"]]).json()["discount_minor"] == 100

    with shop.as_principal(ADMIN) as client:
        path = f"/v1/sellers/seller-1/vouchers/{voucher['voucher_id']}/end"
        ended = [client.post(path, json={}).json() for _ in range(2)]
    assert [each["state"] for each in ended] == ["ended", "ended"]
    assert ended[0]["ended_at"] == ended[1]["ended_at"]
    answer = ordered(shop, buyer, body_of(shop, lamp, codes=[voucher["code"]], amount_minor=900))

    assert (kind(answer), answer.json()["problem"]) == ((409, "voucher-refused"), "ended")
    with shop.as_principal(buyer) as client:
        assert client.get("/v1/orders").json()["orders"] == []


def test_an_order_that_would_cost_more_than_was_shown_is_refused(shop):
    lamp = shop.product(price_minor=1_000)

    answer = ordered(shop, person(), body_of(shop, lamp, amount_minor=999))
    assert (kind(answer), answer.json()["amount_minor"]) == ((409, "price-moved"), 1_000)
    assert ordered(shop, person(), body_of(shop, lamp, amount_minor=1_001)).status_code == 202


def test_a_repeated_checkout_uses_the_voucher_once(shop):
    lamp, voucher, buyer, key = shop.product(), create(shop, percent_bp=1_000), person(), new_id()
    body = body_of(shop, lamp, codes=[voucher["code"]])

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ordered(shop, buyer, body, key), range(8)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert voucher_of(shop, voucher)["used"] == 1
    other = body_of(shop, lamp)
    assert kind(ordered(shop, buyer, other, key)) == (409, "idempotency-key-reused")


def test_one_person_has_one_first_order(shop):
    lamp, voucher, buyer = shop.product(stock=100), create(shop, percent_bp=1_000, first_order=True), person()
    body = body_of(shop, lamp, codes=[voucher["code"]])

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: ordered(shop, buyer, body), range(10)))

    assert sorted(kind(answer)[0] for answer in answers) == [202, *[409] * 9]
    assert {answer.json().get("problem") for answer in answers} == {None, "not_first_order"}


def test_a_voucher_without_a_code_applies_by_itself(shop):
    category = f"Lamps {new_id()}"
    lamp = shop.product(price_minor=1_000, category=category, seller_id="seller-7")
    voucher = create(shop, "seller-7", code=None, percent_bp=2_500, category=category)

    quote = quoted(shop, person(), lamp).json()
    assert (quote["total_minor"], [each["code"] for each in quote["vouchers"]]) == (750, [None])
    order = ordered(shop, person(), body_of(shop, lamp)).json()
    assert order["lines"][0]["line_voucher_id"] == voucher["voucher_id"]
    assert order["payment"]["amount_minor"] == 750
    with shop.as_principal(ADMIN) as client:
        client.post(f"/v1/sellers/seller-7/vouchers/{voucher['voucher_id']}/end", json={})
    assert quoted(shop, person(), lamp).json()["total_minor"] == 1_000


def test_guessed_codes_are_slowed_down_by_person_and_by_address(shop):
    lamp, voucher = shop.product(), create(shop, percent_bp=1_000)
    guesser = guest(new_id().replace("-", ""))

    answers = [quoted(shop, guesser, lamp, codes=[f"GUESS-{number}"]) for number in range(7)]
    assert [answer.status_code for answer in answers] == [*[200] * 5, 429, 429]
    assert kind(answers[-1])[1] == "too-many-attempts"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert quoted(shop, guesser, lamp, codes=[voucher["code"]]).status_code == 429
    assert quoted(shop, guesser, lamp).status_code == 200

    def from_one_network(number):
        body = {"currency": "BRL", "lines": [{"product_id": lamp, "quantity": 1}]}
        body["voucher_codes"] = [f"GUESS-{number}"]
        with shop.as_principal(guest(new_id().replace("-", "")), f"2001:db8:77::{number:x}") as client:
            return client.post("/v1/orders/quotes", json=body).status_code

    assert [from_one_network(number) for number in range(1, 23)] == [*[200] * 20, 429, 429]


def test_only_its_owner_creates_lists_and_ends_a_voucher(shop):
    voucher, marketplace = create(shop, percent_bp=1_000), create(shop, None, percent_bp=1_000)
    own = f"/v1/sellers/seller-1/vouchers/{voucher['voucher_id']}/end"
    body = {"name": "Mine", "kind": "percentage", "percent_bp": 100, "code": f"M-{new_id()[-12:]}"}

    with shop.as_principal(OWNER) as client:
        assert client.post("/v1/sellers/seller-1/vouchers", json=body).status_code == 201
        assert client.post("/v1/sellers/seller-1/vouchers", json=body).status_code == 409
        assert client.post("/v1/sellers/seller-2/vouchers", json=body).status_code == 404
        assert client.post("/v1/vouchers", json=body).status_code == 403
        foreign = f"/v1/sellers/seller-1/vouchers/{marketplace['voucher_id']}/end"
        assert kind(client.post(foreign, json={})) == (404, "unknown-voucher")
        assert client.get("/v1/sellers/seller-2/vouchers").status_code == 404
        listed = client.get("/v1/sellers/seller-1/vouchers?limit=2").json()
        assert listed["vouchers"][0]["name"] == "Mine"
        more = client.get(f"/v1/sellers/seller-1/vouchers?cursor={listed['next_cursor']}").json()
        assert {each["voucher_id"] for each in more["vouchers"]}.isdisjoint(
            each["voucher_id"] for each in listed["vouchers"]
        )
    with shop.as_principal(person()) as client:
        assert client.post(own, json={}).status_code == 403
    assert shop.sql(
        "SELECT FROM orders.vouchers WHERE voucher_id = $1 AND ended_at IS NULL", voucher["voucher_id"]
    )


@pytest.mark.parametrize("field", ["seller_id", "used", "voucher_id", "currency", "ended_at"])
def test_what_a_voucher_s_owner_does_not_decide_is_refused(shop, field):
    body = {"name": "S", "kind": "percentage", "percent_bp": 100, field: "x"}
    with shop.as_principal(OWNER) as client:
        assert client.post("/v1/sellers/seller-1/vouchers", json=body).status_code == 422


@pytest.mark.parametrize("seed", [1, *NIGHTLY])
def test_many_people_use_a_voucher_of_a_few_uses_at_once(shop, seed):
    lamp = shop.product(stock=10 * BUYERS, price_minor=990)
    voucher = create(shop, percent_bp=5_000, limit_total=USES)
    draw = random.Random(seed)
    cards = ["tok_visa"] * (BUYERS // 2) + ["tok_decline_now"] * (BUYERS // 2)
    draw.shuffle(cards)

    async def rush():
        token = PrincipalTokens(shop.settings, lambda: time.time() + 3_600).make(platform("tests"), COMMERCE)
        are_taken = asyncio.Event()
        async with httpx.AsyncClient(
            base_url=shop.settings.commerce, headers={HEADER: token}, timeout=60, trust_env=False
        ) as client:

            async def buy(buyer, card):
                """Order until it is placed or nothing is left; return the last order's id."""
                body = shop.body(
                    lamp, voucher_codes=[voucher["code"]], token=card, shopper_id=f"{lamp}-{buyer}"
                )
                key = new_id()
                while True:
                    answer = await client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})
                    if answer.status_code == 202:
                        return answer.json()["order_id"]
                    if answer.status_code == 503:
                        await asyncio.sleep(draw.random())
                        continue
                    assert answer.json()["problem"] == "used_up", answer.text
                    key = new_id()
                    if are_taken.is_set():
                        return None
                    await asyncio.sleep(1 + draw.random())

            async def watch():
                kept = (
                    "SELECT count(*) AS orders FROM orders.orders "
                    "WHERE shopper_id LIKE $1 || '-%' AND status = 'confirmed'"
                )
                while await asyncio.to_thread(shop.sql, kept, lamp) != [{"orders": USES}]:
                    await asyncio.sleep(0.2)
                are_taken.set()

            *order_ids, _ = await asyncio.gather(*(buy(*each) for each in enumerate(cards)), watch())
            return order_ids

    order_ids = [order_id for order_id in asyncio.run(rush()) if order_id]

    ends = [shop.settled(order_id)["status"] for order_id in order_ids]
    assert ends.count("confirmed") == USES
    assert voucher_of(shop, voucher)["used"] == USES
    left = "SELECT count(*) AS uses FROM orders.voucher_uses WHERE voucher_id = $1 AND given_back_at IS NULL"
    assert shop.sql(left, voucher["voucher_id"]) == [{"uses": USES}]

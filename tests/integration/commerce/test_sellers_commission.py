"""The commission of an order line is that of the rules at its checkout, and stays so."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.kit.postgres.migrate import migrate
from producers.registry import SERVICES
from producers.services.orders.model import OrderLineRequest
from producers.services.orders.store import find_checkout
from producers.services.sellers.commission import MAX_BOUND_MINOR, CommissionRule, choose_rule, effective_bp
from tests.integration.commerce.people import admin, person, staff

RULES = "/v1/commission_rules"
COLUMNS = (
    "rule_id", "position", "seller_id", "category", "rate_bp", "minimum_minor", "maximum_minor", "currency",
    "valid_from",
)  # fmt: skip
"""The columns of a rule in the copy of the orders service."""

WHY = {"reason": "Agreed with the seller."}


@pytest.fixture
def boss(shop):
    return shop.as_principal(admin())


@pytest.fixture
def seller(shop, eventually):
    """A seller of its own, so that the rules of other tests do not apply."""
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    eventually(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    return seller_id


@pytest.fixture
def add(shop, boss, eventually):
    """A function that adds a rule, and waits until the orders service has its copy."""

    def added(**fields):
        rule = boss.post(RULES, json={**WHY, **fields}).raise_for_status().json()
        copied = "SELECT FROM orders.commission_rules WHERE rule_id::text = $1"
        eventually(lambda: shop.sql(copied, rule["rule_id"]))
        return rule

    return added


def frozen(shop, order_id):
    """Return the commissions of an order's lines in the database and in its event."""
    lines = "SELECT commission_bp FROM orders.order_lines WHERE order_id = $1 ORDER BY line_number"
    return [line["commission_bp"] for line in shop.sql(lines, order_id)]


def test_without_another_rule_the_default_is_frozen_on_the_line_and_in_the_event(shop, seller, eventually):
    order_id = shop.buy(shop.product(seller_id=seller))

    assert frozen(shop, order_id) == [1_000]
    (placed,) = eventually(lambda: shop.events("order_placed", order_id))
    assert [line["commission_bp"] for line in placed["lines"]] == [1_000]


def test_a_category_s_rule_replaces_the_default_and_a_seller_s_replaces_both(shop, add, seller):
    category = f"lamps {new_id()}"
    product = shop.product(seller_id=seller, category=category)
    other = shop.product(seller_id=seller)

    add(category=category, rate_bp=700)
    by_category = shop.buy(product, other)
    add(seller_id=seller, rate_bp=300)
    by_seller = shop.buy(product, other)

    assert frozen(shop, by_category) == [700, 1_000]
    assert frozen(shop, by_seller) == [300, 300]
    assert frozen(shop, by_category) == [700, 1_000]


def test_an_edited_product_has_the_rate_of_its_new_category(shop, add, seller, eventually):
    category = f"vases {new_id()}"
    add(category=category, rate_bp=450)
    product = shop.product(seller_id=seller)

    shop.tell(
        "product_changed", product_id=product, seller_id=seller, category=category, currency="BRL",
        price_minor=1_000, changed_fields=["category"],
    )  # fmt: skip
    eventually(lambda: shop.sql("SELECT FROM orders.offers WHERE category = $1", category))

    assert frozen(shop, shop.buy(product)) == [450]


def test_a_small_line_pays_the_minimum_and_a_large_one_the_maximum(shop, add, seller):
    add(seller_id=seller, rate_bp=1_000, minimum_minor=200, maximum_minor=500, currency="BRL")
    product = shop.product(stock=100, seller_id=seller, price_minor=1_000)
    in_euro = shop.product(stock=100, seller_id=seller, price_minor=1_000, currency="EUR")

    lines = [{"product_id": product, "quantity": quantity} for quantity in (1, 3, 10)]
    order_id = shop.buy(lines=lines)

    assert frozen(shop, order_id) == [2_000, 1_000, 500]
    assert frozen(shop, shop.buy(in_euro, currency="EUR")) == [1_000]


def test_a_rule_of_the_future_does_not_apply_yet(shop, add, seller):
    tomorrow = (system_clock() + timedelta(days=1)).isoformat()
    add(seller_id=seller, rate_bp=100, valid_from=tomorrow)

    assert frozen(shop, shop.buy(shop.product(seller_id=seller))) == [1_000]


def test_the_rate_that_another_system_agreed_applies_until_an_administrator_decides(
    shop, add, seller, eventually
):
    product = shop.product(seller_id=seller)
    shop.tell("seller_approved", seller_id=seller, commission_bp=1_400, approved_by=None)
    rules = "SELECT FROM orders.commission_rules WHERE seller_id = $1"
    eventually(lambda: shop.sql(rules, seller))
    agreed = shop.buy(product)
    add(seller_id=seller, rate_bp=600)
    event_id = shop.tell("seller_approved", seller_id=seller, commission_bp=1_600, approved_by=None)
    eventually(lambda: shop.sql("SELECT FROM sellers.inbox WHERE id = $1", event_id))

    assert frozen(shop, agreed) == [1_400]
    assert frozen(shop, shop.buy(product)) == [600]


def test_a_rate_above_the_whole_line_is_a_dead_letter(shop, seller, eventually):
    event_id = shop.tell("seller_approved", seller_id=seller, commission_bp=10_001, approved_by=None)

    rejected = "SELECT FROM sellers.inbox WHERE topic = 'seller_approved' AND strpos(id, '/') > 0"
    eventually(lambda: shop.sql(rejected))
    assert not shop.sql("SELECT FROM sellers.commission_rules WHERE rule_id::text = $1", event_id)


def test_a_rule_is_never_changed_or_deleted(shop, add, seller):
    rule = add(seller_id=seller, rate_bp=600)

    for statement in (
        "UPDATE sellers.commission_rules SET rate_bp = 1 WHERE rule_id::text = $1",
        "DELETE FROM sellers.commission_rules WHERE rule_id::text = $1",
    ):
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            shop.sql(statement, rule["rule_id"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_bp": 10_001},
        {"rate_bp": 1, "reason": ""},
        {"rate_bp": 1, "seller_id": "s", "category": "c"},
        {"rate_bp": 1, "minimum_minor": 1},
        {"rate_bp": 1, "currency": "BRL"},
        {"rate_bp": 1, "minimum_minor": 2, "maximum_minor": 1, "currency": "BRL"},
        {"rate_bp": 1, "valid_from": "2020-01-01T00:00:00Z"},
        {"rate_bp": 1, "valid_from": "2099-01-01T00:00:00"},
    ],
)
def test_a_contradictory_rule_is_refused(boss, wrong):
    answer = boss.post(RULES, json={**WHY, **wrong})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter")


def test_a_rule_of_an_unknown_seller_is_refused(boss):
    answer = boss.post(RULES, json={**WHY, "rate_bp": 1, "seller_id": "nobody"})

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:souk:problem:unknown-seller")


def test_rules_are_listed_newest_first_with_author_and_reason_for_administrators_only(
    shop, boss, add, seller
):
    for rate_bp in (100, 200):
        add(seller_id=seller, rate_bp=rate_bp)

    rules = boss.get(RULES, params={"seller_id": seller}).json()["rules"]

    assert [rule["rate_bp"] for rule in rules] == [200, 100]
    assert {rule["reason"] for rule in rules} == {WHY["reason"]}
    assert all(rule["author"] for rule in rules)
    for other in (person(), staff(seller, "owner")):
        assert shop.as_principal(other).get(RULES).status_code == 403
        assert shop.as_principal(other).post(RULES, json={**WHY, "rate_bp": 1}).status_code == 403


def test_a_seller_sees_its_own_rate_and_the_announced_ones(shop, add, seller):
    tomorrow = (system_clock() + timedelta(days=1)).isoformat()
    add(seller_id=seller, rate_bp=300)
    add(seller_id=seller, rate_bp=200, valid_from=tomorrow)

    seen = shop.as_principal(staff(seller, "analyst")).get(f"/v1/sellers/{seller}/commission").json()

    assert (seen["seller"]["rate_bp"], seen["default"]) == (300, None)
    assert [term["rate_bp"] for term in seen["announced"]] == [200]


def test_a_rule_that_orders_has_not_heard_of_does_not_apply_to_its_checkouts(shop, seller):
    shop.sql(
        "INSERT INTO sellers.commission_rules (rule_id, seller_id, rate_bp, valid_from, reason, created_at) "
        "VALUES (gen_random_uuid(), $1, 1, now(), 'Its event was not read yet.', now())",
        seller,
    )

    assert frozen(shop, shop.buy(shop.product(seller_id=seller))) == [1_000]


def test_postgresql_and_python_choose_the_same_rule_and_rate(shop):
    rng = random.Random(31)
    name = new_id()
    sellers, categories = ([f"{kind} {name} {n}" for n in range(3)] for kind in ("seller", "category"))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    amounts = [0, 1, 7, 999, 123_456, MAX_BOUND_MINOR]

    def new_rule(*values):
        columns = dict(zip(COLUMNS, (new_id(), *values), strict=True))
        return CommissionRule(**columns, reason="At random.", author=None, created_at=begin)

    def rule_at_random(position):
        scope = rng.choice([(rng.choice(sellers), None), (None, rng.choice(categories)), (None, None)])
        bounds = sorted(rng.choices(amounts, k=2)) if rng.random() < 0.7 else [None, None]
        currency = None if bounds[0] is None else rng.choice(["BRL", "EUR"])
        valid_from = begin + timedelta(days=rng.randrange(5))
        rate_bp = rng.choice([0, 1, 850, 10_000])
        return new_rule(position, *scope, rate_bp, *bounds, currency, valid_from)

    rules = [rule_at_random(position) for position in range(2, 62)]
    default = new_rule(1, None, None, 1_000, None, None, None, datetime(1970, 1, 1, tzinfo=UTC))

    async def differences():
        connection = await asyncpg.connect(shop.settings.postgres)
        await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str, format="text")
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("SET LOCAL search_path = orders")
            await connection.executemany(
                "INSERT INTO commission_rules VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                [[getattr(rule, name) for name in COLUMNS] for rule in rules],
            )
            different = []
            for _ in range(500):
                seller, category = rng.choice([*sellers, "x"]), rng.choice([*categories, "x", None])
                at = begin + timedelta(days=rng.randrange(-1, 6))
                currency, price = rng.choice(["BRL", "EUR"]), rng.choice([0, 1, 3, 1_999, 10**10])
                quantities = rng.choices([1, 2, 1_000], k=2)
                line = (seller, category, currency, price, quantities, at)
                found = await connection.fetchval("SELECT commissions_bp($1, $2, $3, $4, $5, $6)", *line)
                rule = choose_rule([default, *rules], seller, category, at)
                expected = [effective_bp(rule, currency, price * quantity) for quantity in quantities]
                if found != expected:
                    different.append((line, found, expected))
            return different
        finally:
            await transaction.rollback()
            await connection.close()

    assert asyncio.run(differences()) == []


def test_without_the_sellers_service_a_line_has_the_default_commission(shop):
    name = f"alone_{new_id().replace('-', '')}"
    shop.sql(f"CREATE DATABASE {name}")

    async def offers():
        connection = await asyncpg.connect(f"{shop.settings.postgres.rpartition('/')[0]}/{name}")
        try:
            await connection.execute("SET search_path TO orders")
            await migrate(connection, "orders", SERVICES["orders"].migrations())
            await connection.execute(
                "INSERT INTO offers VALUES ('lamp', 'ana', 'BRL', 1000, true, now(), NULL)"
            )
            lines = [OrderLineRequest(product_id="lamp", quantity=2)]
            return await find_checkout(connection, "key", ["ana"], lines, "BRL", system_clock())
        finally:
            await connection.close()

    try:
        found = asyncio.run(offers())
    finally:
        shop.sql(f"DROP DATABASE {name}")
    assert found.stored is None
    assert [offer.commission_bp for offer in found.offers] == [1_000]

"""A small seeded marketplace whose events fill every view for analysts."""

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse.client import connect
from common.settings import Settings

Event = dict[str, Any]

ODD = "o'hara\\"
"""A seller id with characters that break wrongly quoted literals."""
SELLERS = ("seller-ana", "seller-bob", ODD, "seller-eve")
CURRENCIES = ("BRL", "BRL", "JPY", "KWD")
"""The currency of an order; they have 2, 0 and 3 decimals."""
START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = 400
SETTINGS = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}


def at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill(settings: Settings, seed: int = 1) -> None:
    """Insert the events into the fact tables, some of them twice."""
    with connect(settings, admin=True) as client:
        for table, rows in events(seed).items():
            again = random.Random(seed).sample(rows, len(rows) // 5)
            for batch in (rows, again):
                block = "\n".join(map(json.dumps, batch))
                client.raw_insert(table, insert_block=block, fmt="JSONEachRow", settings=SETTINGS)


def events(seed: int) -> dict[str, list[Event]]:
    """Return fact table → its events."""
    draw, made = random.Random(seed), defaultdict[str, list[Event]](list)

    def emit(table: str, moment: datetime, **fields: Any) -> None:
        event_id = f"{table}-{len(made[table])}"
        made[table].append({"event_id": event_id, "occurred_at": at(moment), **fields})

    for seller in SELLERS:
        place = {"city": f"{seller}ville", "state": "SP", "zip_prefix": "01001"}
        emit("seller_registered", START, seller_id=seller, name=f"Shop of {seller}", **place)
        emit("seller_approved", START + timedelta(days=1), seller_id=seller, commission_bp=1250)
        for number in range(5):
            offer = {"product_id": f"p{number}", "seller_id": seller, "name": f"Product {number}"}
            offer |= {"category": "lamps", "currency": "BRL", "price_minor": 1999 + number}
            emit("product_listed", START, **offer)
            if number == 1:
                emit("product_changed", START + timedelta(days=2), **(offer | {"price_minor": 2500}))
            if number == 2:
                emit(
                    "product_delisted",
                    START + timedelta(days=3),
                    **{name: offer[name] for name in ("product_id", "seller_id")},
                    reason="unknown",
                )
            for version in (1, 2):
                emit(
                    "stock_changed",
                    START + timedelta(hours=version),
                    **{name: offer[name] for name in ("product_id", "seller_id")},
                    change=5,
                    on_hand=5 * version,
                    reserved=1,
                    reason="received",
                    version=version,
                )
    for number in range(40):
        shopper = {"shopper_id": f"u{number}", "state": "RJ", "country": "BR", "city": "niteroi"}
        emit("shopper_registered", START, **shopper, zip_prefix="24020")
    emit("shopper_erased", START + timedelta(days=200), shopper_id="u0")
    for number in range(ORDERS):
        _order(draw, emit, number)
    for number in range(120):
        _visit(draw, emit, number)
    for number, seller in enumerate((*SELLERS, "")):
        moment = at(START + timedelta(days=160, hours=number))
        signal = {"signal_id": f"signal-{number}", "kind": "payment_failures", "sentence": "5 failed."}
        subject = {"subject_kind": "seller", "subject_id": seller, "first_at": moment, "last_at": moment}
        emit("signals", START, seller_id=seller, figures={"failures": 5}, **signal, **subject)
    return made


def _order(draw: random.Random, emit: Any, number: int) -> None:
    placed_at = START + timedelta(minutes=draw.randrange(180 * 1440), seconds=draw.randrange(60))
    order = {"order_id": f"order-{number}", "shopper_id": f"u{draw.randrange(40)}"}
    currency = draw.choice(CURRENCIES)
    lines = [
        {
            "line_number": index + 1,
            "product_id": f"p{draw.randrange(5)}",
            "seller_id": draw.choice(SELLERS),
            "quantity": draw.randint(1, 3),
            "unit_price_minor": draw.randint(0, 9_999_99),
            "discount_minor": draw.choice((0, 37)),
            "shipping_minor": draw.randrange(999),
            "tax_minor": draw.randrange(99),
            "commission_bp": 1250,
            "marketplace_minor": 25 if number % 3 == 0 else None,
            "order_voucher_id": "v" if number % 3 == 0 else None,
        }
        for index in range(draw.randint(1, 3))
    ]
    content = {**order, "currency": currency, "lines": lines}
    emit("order_placed", placed_at, **content)
    payment = {**order, "payment_id": f"pay-{number}", "currency": currency, "method": "pix"}
    if draw.random() < 0.2:
        failure = {"amount_minor": 500, "attempt": 1, "final": False, "reason": "declined"}
        emit("payment_failed", placed_at + timedelta(seconds=5), **payment, **failure)
    if draw.random() < 0.1:
        cancellation = {"reason": "payment_failed", "placed_at": at(placed_at), "confirmed_at": None}
        emit("order_cancelled", placed_at + timedelta(minutes=1), **content, **cancellation)
        return
    emit("payment_captured", placed_at + timedelta(seconds=9), **payment, installments=1, amount_minor=4321)
    confirmed_at = placed_at + timedelta(seconds=10)
    emit("order_confirmed", confirmed_at, **content, placed_at=at(placed_at))
    if draw.random() < 0.1:
        cancellation = {"reason": "shopper_request", "placed_at": at(placed_at)}
        emit(
            "order_cancelled",
            placed_at + timedelta(days=1),
            **content,
            **cancellation,
            confirmed_at=at(confirmed_at),
        )
        return
    for seller in {str(line["seller_id"]): None for line in lines}:
        parcel = {"order_id": order["order_id"], "shipment_id": f"{number}-{seller}", "seller_id": seller}
        emit("order_shipped", placed_at + timedelta(days=2), **parcel, carrier="post", tracking_code="T1")
        if draw.random() < 0.7:
            emit("order_delivered", placed_at + timedelta(days=5), **parcel)
    if draw.random() < 0.3:
        _return(draw, emit, number, placed_at, content)
    if draw.random() < 0.5:
        _review(draw, emit, number, placed_at, content)


def _return(draw: random.Random, emit: Any, number: int, placed_at: datetime, order: Event) -> None:
    line = order["lines"][0]
    head = {name: order[name] for name in ("order_id", "shopper_id", "currency")}
    head |= {"return_id": f"return-{number}", "seller_id": line["seller_id"], "placed_at": at(placed_at)}
    item = {"line_number": 1, "product_id": line["product_id"], "quantity": 1, "refund_minor": 77}
    returned_at = placed_at + timedelta(days=20)
    emit("order_returned", returned_at, **head, reason="damaged", lines=[{**item, "restocked": True}])
    if draw.random() < 0.8:
        part = {"marketplace_minor": line["marketplace_minor"]}
        refund = {"refund_id": f"f-{number}", "payment_id": f"pay-{number}", "amount_minor": 77}
        emit("payment_refunded", returned_at, **head, **refund, reason="order_returned", lines=[item | part])


def _review(draw: random.Random, emit: Any, number: int, placed_at: datetime, order: Event) -> None:
    review = {"review_id": f"review-{number}", "order_id": order["order_id"], "line_number": 1}
    review |= {"shopper_id": order["shopper_id"], "score": draw.randint(1, 5)}
    review |= {"seller_id": order["lines"][0]["seller_id"], "product_id": order["lines"][0]["product_id"]}
    written_at = placed_at + timedelta(days=9)
    emit("review_submitted", written_at, **review, title="Hm", comment=f"about {number}")
    version = {"submitted_at": at(written_at)}
    if draw.random() < 0.6:
        emit("review_published", written_at + timedelta(hours=1), **review, **version)
        if number % 5 == 0:
            reply = {name: review[name] for name in ("review_id", "order_id", "seller_id", "product_id")}
            emit("review_answered", written_at + timedelta(hours=2), **reply, text=f"Thanks for {number}")
        if number % 7 == 0:
            emit("review_withdrawn", written_at + timedelta(hours=3), **review, **version)
        if number % 11 == 0:  # written anew, and not published yet
            again_at = written_at + timedelta(hours=4)
            emit("review_withdrawn", again_at, **review, **version)
            emit("review_submitted", again_at, **review | {"score": 3}, title="Hm", comment="again")
    elif draw.random() < 0.5:
        emit("review_rejected", written_at + timedelta(hours=1), **review, **version, reason="spam")


def _visit(draw: random.Random, emit: Any, number: int) -> None:
    visitor = {"session_id": f"visit-{number}", "shopper_id": f"u{number}" if number < 40 else None}
    moment = START + timedelta(hours=34 * number)
    search = {"search_id": f"search-{number}", "query": "Lamp", "page_number": 1}
    emit(
        "search_performed",
        moment,
        **visitor,
        **search,
        result_count=number % 3,
        product_ids=["p1"] if number % 3 else [],
        filters={"category": "lamps"},
    )
    first, second = (SELLERS[(number + place) % 4] for place in range(2))
    items = [
        {"position": 1, "product_id": f"r{number % 4}0", "seller_id": first},
        {"position": 2, "product_id": f"r{number % 4}1", "seller_id": second},
    ]
    shown = {"recommendation_id": f"list-{number}", "surface": "home"}
    answered = [{**item, "score": 0.5, "source": "popular_products", "propensity": 1.0} for item in items]
    answer = {"visitor_id": visitor["shopper_id"] or visitor["session_id"], "arm_propensity": 0.98}
    answer |= {"strategy": "blend", "is_explored": False, "items": answered, "alternatives": []}
    seeds = [{"product_id": "p1", "weight": 1.0}]
    emit("recommendation_answered", moment, **shown, **answer, seeds=seeds)
    shown_at = moment + timedelta(minutes=1)
    emit("recommendation_shown", shown_at, **visitor, **shown, strategy="popular_products", items=items)
    if number % 3 == 0:
        click = {"product_id": items[0]["product_id"], "position": 1}
        emit("recommendation_clicked", moment + timedelta(minutes=2), **visitor, **shown, **click)
    for minutes in (3, 32, 63):  # the last one is 31 minutes after the one before
        seen = {"product_id": "p1", "seller_id": SELLERS[number % 4], "source": "search"}
        emit("product_viewed", moment + timedelta(minutes=minutes), **visitor, **seen)
    cart = {"cart_id": f"cart-{number}", "product_id": "p1", "seller_id": SELLERS[number % 4]}
    cart |= {"quantity_before": 0, "quantity": draw.randint(1, 2), "currency": "BRL"}
    carted_at = moment + timedelta(minutes=64)
    emit("cart_changed", carted_at, **visitor, **cart, unit_price_minor=1999)
    line = {name: cart[name] for name in ("product_id", "seller_id", "quantity")}
    other = {"product_id": "p2", "seller_id": SELLERS[(number + 1) % 4], "quantity": 1}
    emit(
        "cart_abandoned",
        carted_at + timedelta(hours=4),
        **visitor,
        cart_id=cart["cart_id"],
        changed_at=at(carted_at),
        currency="BRL",
        units=cart["quantity"] + 1,
        amount_minor=1999 * cart["quantity"] + 2500,
        lines=[line | {"unit_price_minor": 1999}, other | {"unit_price_minor": 2500}],
    )

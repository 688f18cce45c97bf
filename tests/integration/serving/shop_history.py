"""Draws the facts of a small shop: orders and what became of them, and what visitors looked at."""

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse.client import connect
from common.settings import Settings
from tests.integration.metric_tables import emptied
from tests.integration.serving.shop_visits import Visitors

SHOP = ZoneInfo("America/Sao_Paulo")
SELLERS = ("hist-ana", "hist-bea", "hist-caio")
PRODUCTS = {f"{seller}-{number}": seller for seller in SELLERS for number in range(3)}
NEVER_VIEWED = "hist-ana-0"
"""A product that is sold without a view."""

FOREIGN = ("shopper-0", "shopper-1", "shopper-2")
"""Shoppers who bought from every seller in another currency before."""

CATEGORY = {product: ("toys", "garden", None)[int(product[-1])] for product in PRODUCTS}
CATEGORY[NEVER_VIEWED] = "garden"
SHOPPERS = tuple(f"shopper-{number}" for number in range(90))
FIRST, LAST = datetime(2017, 1, 1, tzinfo=SHOP), datetime(2017, 5, 1, tzinfo=SHOP)
"""The orders are placed in this time; what follows from them may happen later."""

PAID_FROM, PAID_TO = datetime(2017, 3, 1, tzinfo=SHOP), datetime(2017, 4, 1, tzinfo=SHOP)
"""The time for which the sellers are paid."""

UNPAID = ("payment_failed", "timed_out", "out_of_stock")
CANCELLED = ("shopper_request", "seller_request", "fraud_suspected", "unknown")
LED_BY = ("search", "direct", "recommendation")
SURFACES = ("home", "product")
RETURNED = ("changed_mind", "damaged", "late")

NO_VOUCHERS = dict.fromkeys(("marketplace_minor", "line_voucher_id", "order_voucher_id"))

Events = dict[str, list[dict[str, Any]]]


class History:
    """The events of a shop by topic, drawn with a seed."""

    def __init__(self, seed: int, orders: int) -> None:
        self.events: Events = defaultdict(list)
        self._rng = random.Random(seed)
        for product, seller in PRODUCTS.items():
            self._add(
                "product_listed", datetime(2016, 1, 1, tzinfo=UTC), product_id=product, seller_id=seller,
                name=f"A {product}", category=CATEGORY[product], currency="BRL", price_minor=100,
            )  # fmt: skip
        for shopper_id in FOREIGN if orders else ():
            self._foreign_order(shopper_id)
        for number in range(orders):
            self._order(f"hist-order-{number}")
        for number in range(orders * 2):
            self._visit(f"hist-visit-{number}")
        viewed = [(product, seller) for product, seller in PRODUCTS.items() if product != NEVER_VIEWED]
        visitors = Visitors(self._add, seed, viewed, SHOPPERS)
        for number in range(orders):
            visitors.session(f"hist-session-{number}", FIRST, (LAST - FIRST).days)
        for seller_id in SELLERS if orders else ():
            self._payout(seller_id)
            self._costs(seller_id)
        for number, product_id in enumerate(PRODUCTS if orders else ()):
            self._stock(product_id, number)
            self._prices(product_id, random.Random(f"{seed} {product_id}"))
        for seller_id in SELLERS if orders else ():
            self._older_reviews(seller_id, random.Random(f"{seed} {seller_id}"))

    def _add(self, topic: str, at: datetime, **fields: Any) -> None:
        event_id = f"{topic}-{len(self.events[topic])}"
        self.events[topic].append({"event_id": event_id, "occurred_at": text(at), **fields})

    def _after(self, at: datetime, most: timedelta) -> datetime:
        return at + timedelta(milliseconds=self._rng.randrange(1, int(most.total_seconds() * 1000)))

    def _order(self, order_id: str) -> None:
        rng = self._rng
        placed_at = self._after(FIRST.astimezone(UTC), LAST - FIRST)
        shopper_id = rng.choice(SHOPPERS)
        lines = [self._line(number) for number in range(1, rng.randrange(2, 6))]
        if rng.random() < 0.5:  # a click, up to two days before the order
            shown_at = placed_at - timedelta(hours=rng.randrange(48), minutes=1)
            products = [lines[0]["product_id"], rng.choice(list(PRODUCTS))]
            self._recommend(shown_at, f"{order_id}-visit", shopper_id, products)
        order = {"order_id": order_id, "shopper_id": shopper_id}
        money = {"currency": "BRL", "lines": lines}
        estimated_at = text(placed_at + timedelta(days=9)) if rng.random() < 0.9 else None
        self._add("order_placed", placed_at, **order, **money, estimated_delivery_at=estimated_at)
        placed = {"placed_at": text(placed_at)}
        if rng.random() < 0.15:
            reason = rng.choice(UNPAID)
            self._add(
                "order_cancelled", self._after(placed_at, timedelta(hours=1)), **order, **placed, **money,
                reason=reason, confirmed_at=None,
            )  # fmt: skip
            return
        confirmed_at = self._after(placed_at, timedelta(hours=30))
        self._add("order_confirmed", confirmed_at, **order, **placed, **money)
        if rng.random() < 0.15:
            self._add(
                "order_cancelled", self._after(confirmed_at, timedelta(days=20)), **order, **placed, **money,
                reason=rng.choice(CANCELLED), confirmed_at=text(confirmed_at),
            )  # fmt: skip
            return
        for number, seller_id in enumerate(dict.fromkeys(line["seller_id"] for line in lines), start=1):
            self._parcel(order, seller_id, f"{order_id}-{number}", confirmed_at, placed, lines)

    def _foreign_order(self, shopper_id: str) -> None:
        placed_at = FIRST - timedelta(days=2)
        lines = [
            {
                "line_number": number, "product_id": f"{seller}-1", "seller_id": seller, "quantity": 1,
                "unit_price_minor": 900, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
                "commission_bp": 1_000, **NO_VOUCHERS,
            }
            for number, seller in enumerate(SELLERS, start=1)
        ]  # fmt: skip
        order = {
            "order_id": f"hist-foreign-{shopper_id}", "shopper_id": shopper_id, "currency": "EUR",
            "lines": lines,
        }  # fmt: skip
        self._add("order_placed", placed_at, **order, estimated_delivery_at=None)
        self._add("order_confirmed", placed_at, **order, placed_at=text(placed_at))

    def _line(self, number: int) -> dict[str, Any]:
        rng = self._rng
        product, seller = rng.choice(list(PRODUCTS.items()))
        quantity, price = rng.randrange(1, 5), rng.randrange(100, 9_000)
        line = {
            "line_number": number, "product_id": product, "seller_id": seller, "quantity": quantity,
            "unit_price_minor": price, "discount_minor": rng.choice([0, 0, rng.randrange(price)]),
            "shipping_minor": rng.randrange(900), "tax_minor": rng.choice([0, 37]),
            "commission_bp": rng.choice([1_000, 1_250, 733]), **NO_VOUCHERS,
        }  # fmt: skip
        if line["discount_minor"] and number % 2:
            line["line_voucher_id"] = "of the seller"
        if number % 3 == 2:
            line |= {"order_voucher_id": "of the marketplace", "marketplace_minor": 1 + price // 50}
        return line

    def _parcel(
        self,
        order: dict[str, str],
        seller_id: str,
        shipment_id: str,
        confirmed_at: datetime,
        placed: dict[str, str],
        lines: list[dict[str, Any]],
    ) -> None:
        rng = self._rng
        if rng.random() < 0.1:
            return
        parcel = {"order_id": order["order_id"], "shipment_id": shipment_id, "seller_id": seller_id}
        shipped_at = self._after(confirmed_at, timedelta(days=6))
        if rng.random() < 0.95:
            self._add("order_shipped", shipped_at, **parcel)
        if rng.random() < 0.1:
            return
        delivered_at = self._after(shipped_at, timedelta(days=12))
        self._add("order_delivered", delivered_at, **parcel)
        own = [line for line in lines if line["seller_id"] == seller_id]
        if rng.random() < 0.3:
            self._return(order, seller_id, delivered_at, placed, own)
        if rng.random() < 0.5:
            about = own[0]["product_id"] if rng.random() < 0.8 else None
            seller = seller_id if rng.random() < 0.9 else None
            self._review(
                self._after(delivered_at, timedelta(days=9)), **order,
                review_id=f"{shipment_id}-review", product_id=about, seller_id=seller,
                score=rng.randrange(1, 6),
            )  # fmt: skip

    def _review(self, at: datetime, **review: Any) -> None:
        """A review and its decision, days later. It may be taken back, or written anew in the same minute."""
        rng = random.Random(review["review_id"])
        self._add("review_submitted", at, **review)
        version, decided_at = {"submitted_at": text(at)}, at + timedelta(hours=rng.randrange(100))
        fate = rng.choice(("published",) * 20 + ("rejected", "withdrawn", "waits", "rejected later", "anew"))
        if fate not in ("rejected", "waits"):
            self._add("review_published", decided_at, **review, **version)
        ended_at = decided_at + timedelta(minutes=rng.randrange(9_000))
        if fate.startswith("rejected"):
            self._add("review_rejected", ended_at, **review, **version)
        elif fate == "withdrawn":
            self._add("review_withdrawn", ended_at, **review, **version)
        elif fate == "anew":
            again_at = at + timedelta(milliseconds=rng.randrange(1, 9_000))
            self._add("review_withdrawn", max(again_at, decided_at), **review, **version)
            anew = review | {"score": rng.randrange(1, 6)}
            self._add("review_submitted", again_at, **anew)
            self._add("review_published", max(again_at, decided_at), **anew, submitted_at=text(again_at))

    def _older_reviews(self, seller_id: str, rng: random.Random) -> None:
        """Reviews of orders from before the shop's history, several of them in the same minutes."""
        for number in range(30):
            at = FIRST.astimezone(UTC) + timedelta(days=rng.randrange(60), milliseconds=rng.randrange(90_000))
            self._review(
                at, order_id=f"{seller_id}-old-{number}", shopper_id=rng.choice(SHOPPERS),
                review_id=f"{seller_id}-old-{number}-review", product_id=None, seller_id=seller_id,
                score=rng.randrange(1, 6),
            )  # fmt: skip

    def _return(
        self,
        order: dict[str, str],
        seller_id: str,
        delivered_at: datetime,
        placed: dict[str, str],
        lines: list[dict[str, Any]],
    ) -> None:
        rng = self._rng
        returned_at = self._after(delivered_at, timedelta(days=30))
        came_back = [
            {
                "line_number": line["line_number"], "product_id": line["product_id"],
                "quantity": line["quantity"],
                "refund_minor": line["quantity"] * line["unit_price_minor"] - line["discount_minor"]
                - (line["marketplace_minor"] or 0),
                "marketplace_minor": line["marketplace_minor"],
            }
            for line in lines
        ]  # fmt: skip
        return_id = f"{order['order_id']}-{seller_id}-back"
        about = {"return_id": return_id, "seller_id": seller_id, **order, **placed}
        self._add(
            "order_returned", returned_at, **about, currency="BRL", reason=rng.choice(RETURNED),
            lines=[
                {name: line[name] for name in line if name != "marketplace_minor"}
                | {"restocked": rng.random() < 0.7}
                for line in came_back
            ],
        )  # fmt: skip
        if rng.random() < 0.8:
            self._add(
                "payment_refunded", self._after(returned_at, timedelta(days=10)), **about, currency="BRL",
                refund_id=f"{return_id}-money", payment_id=f"{order['order_id']}-paid",
                reason="order_returned", amount_minor=sum(line["refund_minor"] for line in came_back),
                lines=came_back,
            )  # fmt: skip

    def _visit(self, session_id: str) -> None:
        """Some pages that a visitor opens in a visit, some of them twice."""
        rng = self._rng
        at = self._after(FIRST.astimezone(UTC), LAST - FIRST)
        shopper_id = rng.choice([None, *SHOPPERS])
        self._recommend(at, session_id, shopper_id, list(rng.sample(list(PRODUCTS), 4)))
        for _ in range(rng.randrange(1, 6)):
            at = self._after(at, timedelta(minutes=20))
            product, seller = rng.choice([each for each in PRODUCTS.items() if each[0] != NEVER_VIEWED])
            self._add(
                "product_viewed", at, session_id=session_id, product_id=product,
                seller_id=seller if rng.random() < 0.9 else None, source=rng.choice(LED_BY),
            )  # fmt: skip

    def _recommend(self, at: datetime, session_id: str, shopper_id: str | None, products: list[str]) -> None:
        """Show a list; often its first product is clicked, sometimes twice."""
        visit = {"session_id": session_id, "shopper_id": shopper_id, "surface": self._rng.choice(SURFACES)}
        shown = {"recommendation_id": f"list-of-{session_id}"} | visit
        items = [
            {
                "position": number, "product_id": product, "score": None, "source": None,
                "seller_id": PRODUCTS[product] if self._rng.random() < 0.9 else None,
            }
            for number, product in enumerate(dict.fromkeys(products), start=1)
        ]  # fmt: skip
        self._add("recommendation_shown", at, **shown, strategy="popular_products", items=items)
        for _ in range(self._rng.randrange(3)):
            clicked_at = self._after(at, timedelta(seconds=50))
            self._add("recommendation_clicked", clicked_at, **shown, product_id=products[0], position=1)

    def _payout(self, seller_id: str) -> None:
        """Pay a seller for what was booked in March, in the first hour of April."""
        first, last = text(PAID_FROM), text(PAID_TO)

        def lines(topic: str) -> list[dict[str, Any]]:
            return [
                {"seller_id": event.get("seller_id"), **line}
                for event in self.events[topic]
                if first <= event["occurred_at"] < last
                and event.get("confirmed_at", "") is not None
                for line in event["lines"]
            ]  # fmt: skip

        def gross(line: dict[str, Any]) -> int:
            price: int = line["quantity"] * line["unit_price_minor"]
            return price - line["discount_minor"] + line["shipping_minor"]

        def commission(line: dict[str, Any]) -> int:
            of_goods = Decimal(gross(line) - line["shipping_minor"]) * line["commission_bp"] / 10_000
            return int(of_goods.quantize(Decimal(1), ROUND_HALF_UP))

        own = {
            topic: [line for line in lines(topic) if line["seller_id"] == seller_id]
            for topic in ("order_confirmed", "order_cancelled", "payment_refunded")
        }
        sold, cancelled = own["order_confirmed"], own["order_cancelled"]
        sales = sum(map(gross, sold)) - sum(map(gross, cancelled))
        kept = sum(map(commission, sold)) - sum(map(commission, cancelled))
        refunds = sum(
            line["refund_minor"] + (line["marketplace_minor"] or 0) for line in own["payment_refunded"]
        )
        self._add(
            "payout_paid", PAID_TO + timedelta(minutes=20), seller_id=seller_id,
            payout_id=f"{seller_id}-march",
            period_start_at=first, period_end_at=last, currency="BRL", gross_minor=sales,
            commission_minor=kept, refunded_minor=refunds, amount_minor=sales - kept - refunds,
        )  # fmt: skip

    def _costs(self, seller_id: str) -> None:
        """Costs of two of the three products: some corrected, removed, or in another currency."""
        first, second, third = (f"{seller_id}-{number}" for number in range(3))
        january, march, mid_march = (
            datetime(2017, month, day, tzinfo=SHOP) for month, day in ((1, 1), (3, 1), (3, 15))
        )
        for product_id, valid_from, version, unit_cost_minor, currency in (
            (first, january, 1, 900, "BRL"),
            (first, march, 1, 700, "BRL"),
            (first, march, 2, 1_250, "BRL"),
            (first, mid_march, 2, None, "BRL"),
            (first, mid_march, 1, 10, "BRL"),
            (second, mid_march, 1, 333, "BRL"),
            (third, january, 1, 400, "EUR"),
        ):
            self._add(
                "product_cost_set", datetime(2017, 4, 1, tzinfo=SHOP), product_id=product_id,
                seller_id=seller_id, currency=currency, unit_cost_minor=unit_cost_minor or 0,
                removed=unit_cost_minor is None,
                valid_from=text(valid_from), version=version,
            )  # fmt: skip

    def _prices(self, product_id: str, rng: random.Random) -> None:
        """Change the price several times, soon after each other or not, and once only the name."""
        offer = {"product_id": product_id, "seller_id": PRODUCTS[product_id]}
        listing = {**offer, "name": f"A {product_id}", "category": CATEGORY[product_id], "currency": "BRL"}
        at, price = FIRST.astimezone(UTC) + timedelta(days=rng.randrange(20)), 100
        for days in (*rng.choices((0.4, 3, 8, 20, 40), k=3), 5):
            price += rng.choice((0, 10, -7, 25))
            self._add("product_changed", at, **listing, price_minor=price, changed_fields=["price_minor"])
            at += timedelta(days=2 * days * rng.random(), minutes=1)
        if rng.random() < 0.5:
            self._add("product_delisted", at, **offer, reason="seller_request")
            self._add("product_listed", at + timedelta(days=6), **listing, price_minor=price + 5)
            self._add(
                "product_changed", at + timedelta(days=9, hours=1), **listing, price_minor=price + 9,
                changed_fields=["price_minor"],
            )  # fmt: skip

    def _stock(self, product_id: str, number: int) -> None:
        """Times in which a product was sold out: short and long ones, and one that has not ended."""
        first, second, third = (
            (
                ("01-01 10:20", 9, 0), ("01-20 08:00", 3, 1), ("02-10 14:30", 2, 2), ("02-12 09:10", 4, 0),
                ("03-20 00:00", 1, 1), ("03-22 07:00", 0, 0), ("03-25 12:59", 9, 0),
            ),
            (("02-01 00:00", 2, 0), (f"02-01 {20 + number % 4}:30", 0, 0)),
            (
                ("01-01 00:00", 5, 0), ("03-05 10:10", 0, 0), ("03-05 10:40", 7, 0), ("03-09 11:00", 0, 0),
                ("03-09 10:00", 3, 0), ("04-10 05:00", 0, 0),
            ),
        )  # fmt: skip
        for version, (at, on_hand, reserved) in enumerate((first, second, third)[number % 3], start=-2):
            self._add(
                "stock_changed", datetime.fromisoformat(f"2017-{at}").replace(tzinfo=SHOP), order_id=None,
                product_id=product_id, seller_id=PRODUCTS[product_id], change=0, on_hand=on_hand,
                reserved=reserved, reason="corrected", version=version,
            )  # fmt: skip

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a topic."""
        return self.events[name]


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def load(settings: Settings, history: History, copies: int = 2) -> None:
    """Empty the database, and insert every event, several times."""
    emptied(settings)
    with connect(settings, admin=True) as client:
        for name, events in history.events.items():
            block = "\n".join(json.dumps(event) for event in events)
            for _ in range(copies):
                client.raw_insert(name, insert_block=block, fmt="JSONEachRow")

"""Draws what visitors of the small shop do on the way to an order: views, searches, carts, orders."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Offer = tuple[str, str]
"""Product and seller."""
Add = Callable[..., None]

QUERIES = ("Lamp", " lamp ", "a  CHAIR", "chair", "nothing like it")
BREAK = timedelta(minutes=30)
STEPS = (
    *(timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=7)),
    *(BREAK - timedelta(milliseconds=1), BREAK, timedelta(hours=12)),
)
"""The times between two events of a session. The last two begin a visit; two of the last one are a day."""


KINDS, WEIGHTS = ("view", "cart", "order", "search", "click", "removal"), (6, 4, 3, 2, 1, 1)
BUYING = ("search", "view", "cart", "order")
"""How some sessions begin."""


class Visitors:
    """Draws sessions with a random generator of their own, so that the other events stay as they are."""

    def __init__(self, add: Add, seed: int, offers: Sequence[Offer], shoppers: Sequence[str]) -> None:
        self._add, self._rng = add, random.Random(seed)
        self._offers, self._shoppers = offers, shoppers
        self._orders = 0
        self._search_id: str | None = None

    def session(self, session_id: str, first: datetime, days: int) -> None:
        """Draw the events of one session, which has one or several visits."""
        rng = self._rng
        shopper_id = rng.choice([None, *self._shoppers])
        visitor = {"session_id": session_id, "shopper_id": shopper_id}
        at = first.astimezone(UTC) + timedelta(milliseconds=rng.randrange(days * 86_400_000))
        chosen = rng.sample(list(self._offers), rng.choice((1, 1, 2)))
        self._search_id = None
        buys = rng.random() < 0.4
        for number in range(rng.randrange(2, 14)):
            product, seller = rng.choice(chosen)
            kind = BUYING[number] if buys and number < len(BUYING) else rng.choices(KINDS, WEIGHTS)[0]
            self._event(kind, at, number, visitor, product, seller)
            at += rng.choices(STEPS, (30, 25, 20, 10, 10, 5))[0]

    def _event(
        self, kind: str, at: datetime, number: int, visitor: dict[str, Any], product: str, seller: str
    ) -> None:
        rng = self._rng
        offer = {"product_id": product, "seller_id": seller}
        session_id = visitor["session_id"]
        if kind == "view":
            known = offer if rng.random() < 0.9 else offer | {"seller_id": None}
            led = {"source": "search" if self._search_id else "direct", "search_id": self._search_id}
            self._add("product_viewed", at, **visitor, **known, **led)
        elif kind in ("cart", "removal"):
            before = 0 if kind == "cart" else 2
            cart = {**visitor, **offer, "cart_id": f"{session_id}-cart", "currency": "BRL"}
            cart["unit_price_minor"] = 100
            self._add("cart_changed", at, **cart, quantity_before=before, quantity=1)
            if kind == "removal":  # the shop adds units: that is no step of the visitor
                again = {"quantity_before": 1, "quantity": 2, "reason": "put_back"}
                self._add("cart_changed", at + timedelta(seconds=1), **cart, **again)
        elif kind == "order":
            self._order(at, visitor, [offer, *({"product_id": p, "seller_id": s} for p, s in self._more())])
        elif kind == "search":
            self._search_id = f"{session_id}-{number}"
            shown, query = rng.choice([[], [product], [product, "another"]]), rng.choice(QUERIES)
            shown = shown[:: 1 if number % 2 else -1]
            for page, seconds in ((1, 0), (2, 50))[: 2 if shown and rng.random() < 0.3 else 1]:
                self._add(
                    "search_performed", at + timedelta(seconds=seconds), **visitor, query=query, filters={},
                    search_id=self._search_id, page_number=page, result_count=len(shown), product_ids=shown,
                )  # fmt: skip
        else:
            self._add(
                "recommendation_clicked", at, **visitor, recommendation_id=f"{session_id}-{number}",
                surface="home", product_id=product, position=1,
            )  # fmt: skip

    def _more(self) -> list[Offer]:
        """Return further offers of an order: half of the orders have one."""
        return [self._rng.choice(list(self._offers))] if self._rng.random() < 0.5 else []

    def _order(self, at: datetime, visitor: dict[str, Any], offers: list[dict[str, str]]) -> None:
        rng = self._rng
        self._orders += 1
        shopper_id = visitor["shopper_id"] or visitor["session_id"]
        lines = [
            {
                "line_number": number, **offer, "quantity": 1, "unit_price_minor": 700 + number,
                "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 1_000,
            }
            for number, offer in enumerate(offers, start=1)
        ]  # fmt: skip
        order = {"order_id": f"visit-order-{self._orders}", "shopper_id": shopper_id, "currency": "BRL"}
        named = visitor["session_id"] if rng.random() < 0.9 else None
        content = {"lines": lines if rng.random() < 0.95 else []}
        self._add("order_placed", at, **order, **content, estimated_delivery_at=None, session_id=named)
        if rng.random() < 0.8:
            placed_at = at.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
            confirmed_at = at + timedelta(milliseconds=rng.randrange(3 * 86_400_000))
            self._add("order_confirmed", confirmed_at, **order, **content, placed_at=placed_at)

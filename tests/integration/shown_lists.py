"""Events of lists of recommendations for tests: what was answered, came into view, was clicked and bought."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from common.settings import Settings
from schemas.published_model.weights import BLENDED
from tests.integration.event_rows import insert_events


def scored_item(product: str, *scores: float | None, source: str = "item_neighbours") -> dict[str, Any]:
    values = dict(zip_longest(BLENDED, scores))
    return {
        "product_id": product, "seller_id": "ana", "score": 0.5, "source": source, "propensity": 1.0, **values
    }  # fmt: skip


class ShownLists:
    """Events of lists: `answer` gives one, `see` brings it into view, `click`, `view` and `order` follow."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: str, at: datetime, **fields: Any) -> None:
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.events[table].append(
            {"event_id": f"{table}-{len(self.events[table])}", "occurred_at": text, **fields}
        )

    def answer(
        self,
        name: str,
        visitor: str,
        at: datetime,
        *items: dict[str, Any],
        surface: str = "home",
        strategy: str = "blend",
        is_explored: bool = False,
        model_version: str | None = "v1",
        seeds: Sequence[str] = (),
        alternatives: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.add(
            "recommendation_answered", at, recommendation_id=name, visitor_id=visitor, surface=surface,
            model_version=model_version,
            arm_propensity=1.0, strategy=strategy, is_explored=is_explored,
            seeds=[{"product_id": each, "weight": 1.0} for each in seeds],
            alternatives=[
                {"strategy": each, "position": 1, "product_id": product} for each, product in alternatives
            ],
            items=[{"position": position, **one} for position, one in enumerate(items, 1)],
        )  # fmt: skip

    def see(self, name: str, at: datetime, *products: str, session: str, shopper: str | None = None) -> None:
        items = [
            {"position": position, "product_id": product} for position, product in enumerate(products, 1)
        ]
        self.add(
            "recommendation_shown", at, recommendation_id=name, session_id=session, shopper_id=shopper,
            surface="home", strategy="blend", items=items,
        )  # fmt: skip

    def view(self, at: datetime, product: str, visitor: str) -> None:
        self.add(
            "product_viewed", at, session_id=f"session of {visitor}", shopper_id=visitor, product_id=product,
            seller_id="ana", source="direct",
        )  # fmt: skip

    def put_into_cart(self, at: datetime, product: str, visitor: str, quantity_before: int = 0) -> None:
        """Change the quantity in the cart to 1."""
        self.add(
            "cart_changed", at, session_id=f"session of {visitor}", shopper_id=visitor, product_id=product,
            seller_id="ana", quantity_before=quantity_before, quantity=1, unit_price_minor=100,
            currency="BRL",
        )  # fmt: skip

    def click(self, name: str, at: datetime, product: str, session: str, shopper: str | None = None) -> None:
        self.add(
            "recommendation_clicked", at, recommendation_id=name, session_id=session, shopper_id=shopper,
            surface="home", product_id=product, position=1,
        )  # fmt: skip

    def order(
        self,
        at: datetime,
        product: str,
        shopper: str,
        session: str | None = None,
        is_confirmed: bool = True,
    ) -> None:
        line = {"line_number": 1, "product_id": product, "seller_id": "ana", "quantity": 1,
                "unit_price_minor": 100, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
                "commission_bp": 0}  # fmt: skip
        order_id = f"order-{len(self.events['order_placed'])}"
        order = {"order_id": order_id, "shopper_id": shopper, "currency": "BRL", "lines": [line]}
        self.add("order_placed", at, session_id=session, **order)
        if is_confirmed:
            placed_at = self.events["order_placed"][-1]["occurred_at"]
            self.add("order_confirmed", at + timedelta(hours=1), placed_at=placed_at, **order)

    def load(self, settings: Settings) -> None:
        """Insert all events twice."""
        insert_events(settings, self.events)

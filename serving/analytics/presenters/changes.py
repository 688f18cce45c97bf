"""Shapes what was sold in two periods into the parts of the difference. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from serving.analytics.decomposition import Effects, Sold, effects_by_product, effects_of_factors
from serving.analytics.schemas.changes import (
    ChangedPart,
    ChangeEffects,
    ChangeFactor,
    Compared,
    OtherParts,
)
from serving.kit.csv_writer import money_fields
from serving.kit.names import UNNAMED, ProductName

Row = Mapping[str, Any]
"""A row of the query `seller_sales_change`."""

FACTORS: tuple[Literal["orders", "units_per_order", "average_unit_price"], ...] = (
    "orders",
    "units_per_order",
    "average_unit_price",
)

EFFECTS = tuple(ChangeEffects.__annotations__)


@dataclass(frozen=True, slots=True)
class SalesGroup:
    """A group of rows with the effects of its products together."""

    name: str
    rows: tuple[Row, ...]
    effects: ChangeEffects


def compared(rows: Iterable[Row], column: str) -> Compared:
    """Return a sum in both periods, and the difference."""
    rows = list(rows)
    value = sum(int(row[column]) for row in rows)
    before = sum(int(row[f"compared_{column}"]) for row in rows)
    return {"value": value, "compared": before, "difference": value - before}


def by_product(rows: Sequence[Row]) -> list[SalesGroup]:
    """Return each product with its effects, the largest difference of net sales first."""
    now = {row["product_id"]: Sold(int(row["units"]), int(row["gross_minor"])) for row in rows}
    before = {
        row["product_id"]: Sold(int(row["compared_units"]), int(row["compared_gross_minor"])) for row in rows
    }
    effects = effects_by_product(before, now)
    return _largest_first(
        [SalesGroup(row["product_id"], (row,), _effects(row, effects[row["product_id"]])) for row in rows]
    )


def by_category(products: Sequence[SalesGroup]) -> list[SalesGroup]:
    """Return the products together by category, the largest difference of net sales first."""
    groups: dict[str, list[SalesGroup]] = {}
    for part in products:
        groups.setdefault(part.rows[0]["category"], []).append(part)
    return _largest_first([together(parts, category) for category, parts in groups.items()])


def together(parts: Iterable[SalesGroup], name: str = "") -> SalesGroup:
    """Return parts as one."""
    parts = list(parts)
    effects = {name: sum(cast(Mapping[str, int], part.effects)[name] for part in parts) for name in EFFECTS}
    rows = tuple(row for part in parts for row in part.rows)
    return SalesGroup(name, rows, cast(ChangeEffects, effects))


def _effects(row: Row, effects: Effects) -> ChangeEffects:
    """Return the parts of the difference of a product's net sales.

    A product that was sold in one of the periods only is new or gone only if it really is: many products sell
    nothing in some weeks.
    """
    is_new, is_delisted = bool(int(row["is_new"])), bool(int(row["is_delisted"]))
    return {
        "new": effects.only_now if is_new else 0,
        "gone": effects.only_before if is_delisted else 0,
        "only_now": 0 if is_new else effects.only_now,
        "only_before": 0 if is_delisted else effects.only_before,
        "price": effects.price,
        "quantity": effects.quantity,
        "mix": effects.mix,
        "discounts": -compared([row], "discount_minor")["difference"],
        "cancellations": -compared([row], "cancelled_minor")["difference"],
        "returns": -compared([row], "returned_minor")["difference"],
    }


def show_part(part: SalesGroup, names: Mapping[str, ProductName]) -> ChangedPart:
    """Return the net sales of a product or a category, and why they changed."""
    return {
        **compared(part.rows, "revenue_minor"),
        "id": part.name,
        "label": names.get(part.name, UNNAMED).name,
        "effects": part.effects,
    }


def show_others(parts: Sequence[SalesGroup]) -> OtherParts | None:
    """Return the parts that are not listed, together; None if there are none."""
    if not parts:
        return None
    others = together(parts)
    return {
        **compared(others.rows, "revenue_minor"),
        "count": len(parts),
        "effects": others.effects,
    }


CHANGE_COLUMNS = ("id", "label", "value", "compared", "difference", *EFFECTS)
CHANGE_MONEY = money_fields(Compared, ChangeEffects)


def change_rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the CSV form: the listed products, and all others as one."""
    for product in content["products"]:
        yield {**product, **product["effects"]}
    if others := content["other_products"]:
        yield {**others, **others["effects"], "id": "", "label": f"{others['count']} others"}


def factors(gross: Compared, orders: Compared, units: Compared) -> list[ChangeFactor] | None:
    """Return orders, units per order and price as factors of gross sales; None if one of them is 0."""
    if any(each["value"] <= 0 or each["compared"] <= 0 for each in (gross, orders, units)):
        return None
    now = _factors(gross["value"], orders["value"], units["value"])
    before = _factors(gross["compared"], orders["compared"], units["compared"])
    effects = effects_of_factors(before, now, gross["difference"])
    return [
        {"name": name, "value": round(value, 4), "compared": round(earlier, 4), "effect": effect}
        for name, value, earlier, effect in zip(FACTORS, now, before, effects, strict=True)
    ]


def _factors(gross: int, orders: int, units: int) -> tuple[float, float, float]:
    return orders, units / orders, gross / units


def _largest_first(parts: Iterable[SalesGroup]) -> list[SalesGroup]:
    return sorted(
        parts, key=lambda part: (-abs(compared(part.rows, "revenue_minor")["difference"]), part.name)
    )

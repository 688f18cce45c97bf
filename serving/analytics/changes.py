"""Explains why the net sales of a seller differ between two periods."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.decomposition import Effects, Sold, effects_by_product, effects_of_factors
from serving.analytics.sales import show_period
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.csv_writer import money_fields
from serving.kit.names import UNNAMED, ProductName
from serving.kit.periods import earlier_period
from serving.kit.response_types import AsOf, Minor, Period, Stale
from serving.kit.responses import CsvFormat


class Compared(TypedDict):
    """A sum in both periods, and the difference."""

    value: Minor
    compared: Minor
    difference: Annotated[Minor, Field(description="`value − compared`.")]


class ChangeEffects(TypedDict):
    """The parts of a difference of net sales. They add up to it exactly."""

    new: Annotated[Minor, Field(description="Products whose first sale ever is after the compared period.")]
    gone: Annotated[
        Minor, Field(description="Products that were sold in the compared period only, and are delisted.")
    ]
    only_now: Annotated[
        Minor,
        Field(description="Products that were sold in the period and before the compared one only."),
    ]
    only_before: Annotated[
        Minor,
        Field(description="Products that were sold in the compared period only, and are still on offer."),
    ]
    price: Annotated[Minor, Field(description="Higher or lower average prices of products sold in both.")]
    quantity: Annotated[Minor, Field(description="More or fewer units, at the average price of all of them.")]
    mix: Annotated[Minor, Field(description="Units that moved to dearer or cheaper products.")]
    discounts: Annotated[Minor, Field(description="Larger or smaller discounts.")]
    cancellations: Annotated[Minor, Field(description="More or fewer cancellations.")]
    returns: Annotated[Minor, Field(description="More or fewer refunded returns.")]


class ChangeFactor(TypedDict):
    """One factor of gross sales: orders × units per order × average price of a unit."""

    name: Literal["orders", "units_per_order", "average_unit_price"]
    value: Annotated[
        float, Field(description="In the period; a price is in the smallest unit of `currency`.")
    ]
    compared: float
    effect: Annotated[Minor, Field(description="Its part of the difference of gross sales, by LMDI-I.")]


class ChangedPart(Compared):
    """The net sales of a product, or of a category."""

    id: Annotated[str, Field(description="The product or the category; empty without a category.")]
    label: Annotated[str | None, Field(description="The name of a product; else null.")]
    effects: ChangeEffects


class OtherParts(Compared):
    """All products or categories that are not listed, together."""

    count: int
    effects: ChangeEffects


class SalesChange(TypedDict):
    """Why the net sales of a seller differ between two periods."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    period: Period
    compare: Literal["previous", "year"]
    compared_period: Annotated[
        Period,
        Field(description="If `period` is unfinished, only the corresponding part of the earlier one."),
    ]
    net_sales: Compared
    gross_sales: Compared
    effects: ChangeEffects
    factors: Annotated[
        list[ChangeFactor] | None,
        Field(
            description="The effects add up to the difference of gross sales. Null if nothing was sold in "
            "one of the periods."
        ),
    ]
    products: Annotated[list[ChangedPart], Field(description="The largest differences first, up or down.")]
    other_products: OtherParts | None
    categories: list[ChangedPart]
    other_categories: OtherParts | None
    as_of: AsOf
    stale: Stale


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
    return SalesGroup(name, tuple(row for part in parts for row in part.rows), cast(ChangeEffects, effects))


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


def change_rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the CSV form: the listed products, and all others as one."""
    for product in content["products"]:
        yield {**product, **product["effects"]}
    if others := content["other_products"]:
        yield {**others, **others["effects"], "id": "", "label": f"{others['count']} others"}


SALES_CHANGE_CSV = CsvFormat(
    ("id", "label", "value", "compared", "difference", *EFFECTS),
    change_rows,
    money_fields(Compared, ChangeEffects),
)


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


Compare = Literal["previous", "year"]


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What is asked: a period, the one to compare with, and how many products and categories to list."""

    period: PeriodRequest
    compare: Compare = "previous"
    top: int = 10


async def of_seller(context: AnalyticsContext, seller_id: str, request: ChangeRequest) -> SalesChange:
    """Return the effects of prices, quantities, products of one period only, discounts and lost sales.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    zone, currency = context.zone, context.currency
    as_of = await context.watermarks.as_of(("sales_lines",))
    period = await context.seller_period(seller_id, request.period)
    before = earlier_period(request.compare, period, as_of, zone)
    rows = await context.clickhouse.rows(
        "seller_sales_change",
        seller_id=seller_id,
        currency=currency,
        period_start=period.start,
        period_end=period.end,
        compared_start=before.start,
        compared_end=before.end,
    )
    await context.require_seller(seller_id, rows)
    products = by_product(rows)
    categories = by_category(products)
    listed = products[: request.top]
    names = await context.product_names(part.name for part in listed)
    gross = compared(rows, "gross_minor")
    return {
        "seller_id": seller_id,
        "currency": currency,
        "timezone": zone.key,
        "period": show_period(period, zone),
        "compare": request.compare,
        "compared_period": show_period(before, zone),
        "net_sales": compared(rows, "revenue_minor"),
        "gross_sales": gross,
        "effects": together(products).effects,
        "factors": factors(gross, compared(rows, "orders"), compared(rows, "units")),
        "products": [show_part(part, names) for part in listed],
        "other_products": show_others(products[request.top :]),
        "categories": [show_part(part, {}) for part in categories[: request.top]],
        "other_categories": show_others(categories[request.top :]),
        "as_of": context.local(as_of),
        "stale": False,
    }

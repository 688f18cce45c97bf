"""The page that says why a seller's net sales changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from fastapi import Request
from starlette.responses import Response

from serving.analytics.changes import ChangedPart, ChangeEffects, ChangeFactor, ChangeRequest, Compare
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.sales import change
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.web.formatter import Formatter
from serving.web.policy import OF_SELLER, page_router
from serving.web.presenters import metric_title
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import (
    PeriodChoiceDep,
    chosen_period,
    figures_page,
)
from serving.web.translation import N_

TOP = 8
"""How many products and categories the page lists."""

EFFECTS: Mapping[str, tuple[str, str]] = {
    "price": (N_("Prices"), N_("Higher or lower average prices of products that sold in both periods")),
    "quantity": (N_("Quantity"), N_("More or fewer units of them")),
    "mix": (N_("Mix"), N_("Their buyers moved to dearer or cheaper products")),
    "new": (N_("New products"), N_("First sold after the period before")),
    "gone": (N_("No longer offered"), N_("Sold before, and delisted since")),
    "only_now": (N_("Sold only now"), N_("Sold nothing in the period before, but earlier")),
    "only_before": (N_("Sold only before"), N_("On offer, but sold nothing now")),
    "discounts": (N_("Discounts"), N_("Larger discounts take away, smaller ones give back")),
    "cancellations": (N_("Cancellations"), N_("Orders that were cancelled after they were confirmed")),
    "returns": (N_("Returns"), N_("Refunds of what came back")),
}
"""Effect → its name and meaning, in the order of the page."""

REASONS: Mapping[str, tuple[str, str]] = {
    "price": (N_("higher price"), N_("lower price")),
    "quantity": (N_("more units"), N_("fewer units")),
    "new": (N_("new"), N_("new")),
    "gone": (N_("no longer offered"), N_("no longer offered")),
    "only_now": (N_("sold nothing before"), N_("sold nothing before")),
    "only_before": (N_("sold nothing now"), N_("sold nothing now")),
    "discounts": (N_("smaller discounts"), N_("larger discounts")),
    "cancellations": (N_("fewer cancellations"), N_("more cancellations")),
    "returns": (N_("fewer returns"), N_("more returns")),
}
"""Effect → what it means for one product or category if it raises or lowers sales."""

router = page_router(OF_SELLER)


@dataclass(frozen=True, slots=True)
class Amount:
    """A difference of money as text. `size` is the length of its bar."""

    text: str
    tone: str
    size: int


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of gross sales as text, with its effect."""

    label: str
    value: str
    before: str
    change: float | None
    effect: Amount


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A product or a category whose sales changed, and the effect that explains most of it."""

    label: str
    product_id: str
    value: str
    before: str
    difference: Amount
    reason: str


@router.get("/sell/{seller_id}/change")
async def seller_change(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    period: PeriodChoiceDep,
    compare: Compare = "previous",
) -> Response:
    """Return the page. Its links change one choice each and keep the other; it needs no script."""
    formatter = opened(request, PageRenderer).formatter
    requested = await chosen_period(dashboards, seller_id, period, formatter)
    shown = await dashboards.sales_change(seller_id, ChangeRequest(requested, compare, TOP))
    details = await dashboards.seller(seller_id)
    choices = period.choices(compare=compare)
    net = shown["net_sales"]
    return figures_page(
        request,
        "seller/change.html",
        dashboards,
        details,
        choices,
        stale=shown["stale"],
        shown=shown,
        difference=amount(net["difference"], formatter),
        change=change(net["value"], net["compared"]),
        effects=effects_of(shown["effects"], formatter),
        largest=max((abs(part) for part in _amounts(shown["effects"]).values()), default=0) or 1,
        factors=factors_of(shown["factors"] or (), formatter),
        gross=amount(shown["gross_sales"]["difference"], formatter),
        products=parts_of(shown["products"], formatter, are_products=True),
        categories=parts_of(shown["categories"], formatter, are_products=False),
        amount=lambda minor: amount(minor, formatter),
    )


def amount(minor: int, formatter: Formatter) -> Amount:
    """Return a difference with its sign."""
    sign = "+" if minor > 0 else "−" if minor < 0 else ""
    tone = "good" if minor > 0 else "bad" if minor < 0 else "flat"
    return Amount(sign + formatter.money(abs(minor)), tone, abs(minor))


def effects_of(effects: ChangeEffects, formatter: Formatter) -> list[tuple[str, str, Amount]]:
    """Return the name, the meaning and the amount of each effect, the largest first, without zeros."""
    amounts = _amounts(effects)
    order = sorted((name for name in EFFECTS if amounts[name]), key=lambda name: -abs(amounts[name]))
    return [(*EFFECTS[name], amount(amounts[name], formatter)) for name in order]


def factors_of(factors: Sequence[ChangeFactor], formatter: Formatter) -> list[Factor]:
    """Return the factors of gross sales."""
    return [
        Factor(
            metric_title(factor["name"]),
            _factor_text(factor, factor["value"], formatter),
            _factor_text(factor, factor["compared"], formatter),
            change(factor["value"], factor["compared"]),
            amount(factor["effect"], formatter),
        )
        for factor in factors
    ]


def _factor_text(factor: ChangeFactor, value: float, formatter: Formatter) -> str:
    is_money = factor["name"] == "average_unit_price"
    return formatter.money(round(value)) if is_money else formatter.number(value)


def parts_of(parts: Sequence[ChangedPart], formatter: Formatter, *, are_products: bool) -> list[ChangeRow]:
    """Return the products or categories whose sales changed."""
    return [
        ChangeRow(
            part["label"] or (part["id"] if are_products else formatter.category_label(part["id"])),
            part["id"] if are_products else "",
            formatter.money(part["value"]),
            formatter.money(part["compared"]),
            amount(part["difference"], formatter),
            _main_reason(part["effects"]),
        )
        for part in parts
        if part["difference"]
    ]


def _main_reason(effects: ChangeEffects) -> str:
    """Return what explains most of the change of one product or category.

    Its mix is a part of its units: whether they are dearer than others only matters for all together.
    """
    amounts = _amounts(effects)
    amounts["quantity"] += amounts.pop("mix")
    name = max(amounts, key=lambda name: abs(amounts[name]))
    return REASONS[name][0 if amounts[name] > 0 else 1]


def _amounts(effects: ChangeEffects) -> dict[str, int]:
    return dict(cast(Mapping[str, int], effects))

"""The domains of the catalogue, each with the module that computes its metrics."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.reference import (
    customers,
    funnel,
    money,
    products,
    recommendations,
    returns,
    sales,
    search,
    service,
)
from audit.reference.arithmetic import Value
from audit.reference.shop import Shop
from audit.reference.totals import Calendar, Sheet

Fields = Mapping[str, tuple[str, ...]]
"""Kind of an event → those of its fields that are read, besides its id and time."""

Values = dict[str, Value]
"""Metric → its value."""

Row = tuple[str, str, Values]
"""The owner and the part of the time that the values are about: see `Sheet`."""


@dataclass(frozen=True)
class Family:
    """The metrics of a domain. `collect` adds up events; `formulas` make the values from these figures."""

    domain: str
    events: Fields
    figures: Callable[[], Any]
    collect: Callable[[Shop, Sheet[Any]], None]
    formulas: Mapping[str, Callable[[Any], Value]]

    def values(
        self, shop: Shop, calendars: Callable[[str], Calendar | None], *, as_one: bool = False
    ) -> Iterator[Row]:
        """Yield the values of each owner and part of the time for which something happened."""
        sheet = Sheet(self.figures, calendars, as_one=as_one)
        self.collect(shop, sheet)
        for (owner, part), figures in sheet.figures.items():
            yield owner, part, {name: formula(figures) for name, formula in self.formulas.items()}


FAMILIES: Mapping[str, Family] = {
    family.domain: family
    for family in (
        Family("sales", sales.EVENTS, sales.Sales, sales.collect, sales.FORMULAS),
        Family("returns", returns.EVENTS, returns.Returns, returns.collect, returns.FORMULAS),
        Family("money", money.EVENTS, money.Money, money.collect, money.FORMULAS),
        Family("service", service.EVENTS, service.Service, service.collect, service.FORMULAS),
        Family("products", products.EVENTS, products.OfferFigures, products.collect, products.FORMULAS),
        Family("funnel", funnel.EVENTS, funnel.Funnel, funnel.collect, funnel.FORMULAS),
        Family("search", search.EVENTS, search.Search, search.collect, search.FORMULAS),
        Family("customers", customers.EVENTS, customers.Customers, customers.collect, customers.FORMULAS),
        Family(
            "recommendations",
            recommendations.EVENTS,
            recommendations.Recommendations,
            recommendations.collect,
            recommendations.FORMULAS,
        ),
    )
}
"""Domain → its family. A test in `tests/contracts` names a metric that no family has."""


def fields() -> Fields:
    """Return the fields of every event that some family reads."""
    found: dict[str, dict[str, None]] = {}
    for family in FAMILIES.values():
        for event, names in family.events.items():
            found.setdefault(event, {}).update(dict.fromkeys(names))
    return {event: tuple(names) for event, names in found.items()}

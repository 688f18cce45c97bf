"""A search as its page has it: words, category, filters and order, and links that change one. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from common.money import InexactMoney, to_major, to_minor
from common.request_path import in_path
from serving.kit.problems import UNUSABLE_PARAMETER
from serving.kit.product_filters import Filters
from serving.products.search.query import Sort

PRODUCTS = "/shop/products"
CATEGORIES = "/shop/categories"
PERSONAL = "/shop/found"

DEFAULT_SORT: Sort = "best"


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What a shopper has typed and chosen. Prices are in major units, attributes such as `colour:blue`."""

    q: str = ""
    category: str = ""
    sort: Sort = DEFAULT_SORT
    seller: str = ""
    price_from: str = ""
    price_to: str = ""
    rating: int | None = None
    in_stock: bool = False
    attributes: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The address of the page: a category without words has one of its own."""
        return f"{CATEGORIES}/{in_path(self.category)}" if self.category and not self.q else PRODUCTS

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the page, without those that say nothing."""
        single = {
            "q": self.q,
            "category": self.category if self.path == PRODUCTS else "",
            "sort": "" if self.sort == DEFAULT_SORT else self.sort,
            "seller": self.seller,
            "price_from": self.price_from,
            "price_to": self.price_to,
            "rating": "" if self.rating is None else str(self.rating),
            "in_stock": "true" if self.in_stock else "",
        }
        given = [(name, value) for name, value in single.items() if value]
        return given + [("attribute", each) for each in self.attributes]

    def link(self, **changes: Any) -> str:
        """Return the address of this search with some of its fields changed."""
        changed = replace(self, **changes)
        query = urlencode(changed.parameters)
        return changed.path + (f"?{query}" if query else "")

    def page_link(self, **added: str) -> str:
        """Return the address of this search with further parameters, such as a cursor."""
        return f"{self.path}?{urlencode([*self.parameters, *added.items()])}"

    def personal_link(self, **added: str) -> str:
        """Return the address of this list in the visitor's order."""
        category = [("category", self.category)] if self.path != PRODUCTS else []
        return f"{PERSONAL}?{urlencode([*self.parameters, *category, *added.items()])}"

    def without_attribute(self, pair: str) -> str:
        """Return the address of this search without one value of an attribute."""
        return self.link(attributes=tuple(each for each in self.attributes if each != pair))

    def filters(self, currency: str) -> Filters:
        """Return what products must have besides the words and the category.

        Raises:
            UNUSABLE_PARAMETER: a price is no amount, or an attribute has no value.
        """
        values: dict[str, tuple[str, ...]] = {}
        for pair in self.attributes:
            key, _, value = pair.partition(":")
            if not (key and value):
                raise UNUSABLE_PARAMETER(
                    detail=f"{pair!r} is not an attribute and a value, such as colour:blue."
                )
            values[key] = (*values.get(key, ()), value)
        return Filters(
            "",
            self.seller,
            _minor(self.price_from, currency),
            _minor(self.price_to, currency),
            self.rating,
            self.in_stock,
            tuple(sorted(values.items())),
        )

    @property
    def event_filters(self) -> dict[str, str]:
        """The filters as the event of a search has them."""
        attributes: dict[str, str] = {}
        for key, _, value in (each.partition(":") for each in self.attributes):
            attributes[key] = f"{attributes[key]},{value}" if key in attributes else value
        found = {**attributes, **dict(self.parameters), "category": self.category}
        return {
            name: value for name, value in found.items() if value and name not in ("q", "sort", "attribute")
        }


def major(minor: int | None, currency: str) -> str:
    """Return a bound of a price as the form has it; empty for None."""
    return "" if minor is None else f"{to_major(minor, currency).normalize():f}"


def _minor(amount: str, currency: str) -> int | None:
    if not amount:
        return None
    try:
        minor = to_minor(Decimal(amount), currency)
    except (InvalidOperation, InexactMoney) as error:
        raise UNUSABLE_PARAMETER(detail=f"{amount!r} is no price in {currency}, such as 149.90.") from error
    if not 0 <= minor < 2**53:
        raise UNUSABLE_PARAMETER(detail=f"{amount!r} is no price in {currency}, such as 149.90.")
    return minor

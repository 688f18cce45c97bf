"""Products, sellers and categories that an administrator's entries name. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from common.configuration.recommendation_rules import Target
from serving.kit.offers import Offer


def category_key(category: str | None) -> str | None:
    """Return a category without regard to capitals; None for a product without one."""
    return None if category is None else category.casefold()


def key(target: Target, id_: str) -> str:
    """Return the key of a product, seller or category for a look-up."""
    return id_.casefold() if target == "category" else id_


@dataclass(frozen=True, slots=True)
class Targets:
    """The values of entries by what they name. The first entry for the same target counts."""

    products: Mapping[str, float] = field(default_factory=dict)
    sellers: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[Target, str, float]]) -> "Targets":
        """Return the targets of (target, id, value)."""
        found: dict[Target, dict[str, float]] = {"product": {}, "seller": {}, "category": {}}
        for target, id_, value in entries:
            found[target].setdefault(key(target, id_), value)
        return cls(found["product"], found["seller"], found["category"])

    def __bool__(self) -> bool:
        return bool(self.products or self.sellers or self.categories)

    def match(self, card: Offer) -> bool:
        """Return whether the product of an offer, its seller or its category is among them."""
        category = category_key(card.category)
        return (
            card.product_id in self.products or card.seller_id in self.sellers or category in self.categories
        )

    def factor(self, card: Offer) -> float:
        """Return the product of the values of all that match; 1 if nothing does."""
        category = category_key(card.category) or ""
        return (
            self.products.get(card.product_id, 1.0)
            * self.sellers.get(card.seller_id, 1.0)
            * self.categories.get(category, 1.0)
        )


def is_of(card: Offer, target: Target, id_: str) -> bool:
    """Return whether an offer is of this product, seller or category."""
    if target == "category":
        return category_key(card.category) == id_.casefold()
    return id_ == (card.product_id if target == "product" else card.seller_id)

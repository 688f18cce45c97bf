"""What the rules work on: the settings, the visitor, the page, and the candidates with their places. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from common.configuration.recommendation_rules import Target
from serving.kit.offers import Offer
from serving.recommendations.repurchase import RepurchaseIntervals


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
        return (
            self.products.get(card.product_id, 1.0)
            * self.sellers.get(card.seller_id, 1.0)
            * self.categories.get(category_key(card.category) or "", 1.0)
        )


def is_of(card: Offer, target: Target, id_: str) -> bool:
    """Return whether an offer is of this product, seller or category."""
    if target == "category":
        return category_key(card.category) == id_.casefold()
    return id_ == (card.product_id if target == "product" else card.seller_id)


RuleName = Literal[
    "in_stock",
    "deliverable",
    "restricted_category",
    "block",
    "just_bought",
    "one_per_group",
    "boost",
    "pin",
    "sponsored",
    "exposure",
    "max_per_seller",
    "max_per_category",
]
"""The rules in their order (`step.py`)."""

Change = Literal["removed", "moved", "inserted", "passed_over"]
"""What a rule did to a product. `passed_over`: it would have given the product a place, but may not."""


class Effect(NamedTuple):
    """A change that a rule made to a list. `id` is a product, or the seller or category of a pin."""

    rule: RuleName
    change: Change
    id: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that may be shown.

    `rank` is its place in the ranking of the recommenders, 1 for the first; None if no recommender proposed
    it. `card` is the offer to show; None if the product was never listed. Scores are comparable only among
    products of the same sources.
    """

    product_id: str
    card: Offer | None
    score: float = 0.0
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A product in a list, and the rule that gave it this place; None for the ranking.

    `propensity` is the probability with which a draw gave the product this place; None without a draw.
    """

    candidate: Candidate
    rule: RuleName | None = None
    propensity: float | None = None

    @property
    def sponsored(self) -> bool:
        """Whether somebody pays for the place."""
        return self.rule == "sponsored"


@dataclass(frozen=True, slots=True)
class Draft:
    """A list between two rules.

    `ranked` are the products that fill the free places, best first. `placed` are the products with a place
    of their own, by place: 0 is the first.
    """

    ranked: Sequence[Candidate]
    placed: Mapping[int, Placed] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()

    def at(self, place: int, placed: Placed) -> "Draft":
        """Return the draft with a product at a free place. It leaves the ranking if it is in it."""
        candidate = placed.candidate
        rest = [each for each in self.ranked if each.product_id != candidate.product_id]
        change: Change = "moved" if len(rest) < len(self.ranked) else "inserted"
        return Draft(
            rest,
            {**self.placed, place: placed},
            (*self.effects, Effect(placed.rule or "pin", change, candidate.product_id)),
        )

    def passing_over(self, rule: RuleName, id_: str) -> "Draft":
        """Return the draft with the note that a rule could not place something."""
        return Draft(self.ranked, self.placed, (*self.effects, Effect(rule, "passed_over", id_)))

    def has_placed(self, product_id: str) -> bool:
        """Return whether a product has a place of its own."""
        return any(each.candidate.product_id == product_id for each in self.placed.values())


@dataclass(frozen=True, slots=True)
class PinnedPlace:
    """A pin that applies now. `place` 0 is the first."""

    place: int
    target: Target
    id: str


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The settings that apply on one page at one moment. Categories are without capitals."""

    blocks: Targets = field(default_factory=Targets)
    boosts: Targets = field(default_factory=Targets)
    pins: tuple[PinnedPlace, ...] = ()
    sponsored: tuple[str, ...] = ()
    sponsored_places: tuple[int, ...] = ()
    """Places from 0, ascending."""
    max_sponsored: int = 0
    max_per_seller: int = 50
    max_per_category: int = 50
    restricted: frozenset[str] = frozenset()
    consumables: frozenset[str] = frozenset()
    repurchase_days: int = 30
    intervals: RepurchaseIntervals = field(default_factory=RepurchaseIntervals)
    exposure_share: float = 0.0

    @property
    def looks_deeper(self) -> bool:
        """Whether a product far down in the ranking may get a better place."""
        return bool(self.boosts) or any(pin.target != "product" for pin in self.pins)


def without_entries(rules: ActiveRules) -> ActiveRules:
    """Return the rules without what administrators decided about single products, and without draws."""
    return replace(without_places(rules), boosts=Targets(), blocks=Targets())


def without_places(rules: ActiveRules) -> ActiveRules:
    """Return the rules without those that give a product a place of its own."""
    return replace(rules, pins=(), sponsored=(), exposure_share=0.0)


@dataclass(frozen=True, slots=True)
class ExposurePool:
    """The products that wait for exposure: those listed a short time ago, newest first, and others."""

    newest: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both, the newest first."""
        return (*self.newest, *self.others)


@dataclass(frozen=True, slots=True)
class RuleContext:
    """A request, as the rules see it.

    `excluded` are products that the list must not have, such as the one of the page and those viewed. A pin
    or a sponsored place may show a viewed product again, but none of `unwanted`: the one of the page, those
    in the cart and those that the page shows in another row. `bought` has the time of the last purchase in
    Unix seconds. `pool` are the products that wait for exposure. The same `seed` makes the same draws.
    """

    rules: ActiveRules = field(default_factory=ActiveRules)
    now_s: float = 0.0
    seed: str = ""
    currency: str | None = None
    page_category: str | None = None
    """The category of the page's product, without capitals."""
    suspended: Set[str] = frozenset()
    excluded: Set[str] = frozenset()
    unwanted: Set[str] = frozenset()
    bought: Mapping[str, float] = field(default_factory=dict)
    pool: ExposurePool = field(default_factory=ExposurePool)
    page_group: str | None = None
    """The group of the page's product, whose variants the page shows already."""

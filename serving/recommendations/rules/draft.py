"""What the rules work on: ranked candidates, and the products that have a place of their own. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from serving.kit.offers import Offer

RuleName = Literal[
    "in_stock",
    "deliverable",
    "restricted_category",
    "block",
    "just_bought",
    "boost",
    "pin",
    "sponsored",
    "exposure",
    "max_per_seller",
    "max_per_category",
]
"""The rules in their order (`step.py`)."""

Change = Literal["removed", "moved", "inserted", "passed_over"]
"""What a rule did to a product. `passed_over`: another rule forbids the place that it would have."""


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
        rule = placed.rule or "pin"
        return Draft(
            rest,
            {**self.placed, place: placed},
            (*self.effects, Effect(rule, change, candidate.product_id)),
        )

    def passing_over(self, rule: RuleName, id_: str) -> "Draft":
        """Return the draft with the note that a rule could not place something."""
        return Draft(self.ranked, self.placed, (*self.effects, Effect(rule, "passed_over", id_)))

    def has_placed(self, product_id: str) -> bool:
        """Return whether a product has a place of its own."""
        return any(each.candidate.product_id == product_id for each in self.placed.values())

"""The strategies (arms of experiments), the sources that each asks, and which one answers a visitor."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from common.clock import Clock
from common.configuration.definitions import EXPERIMENTS, EXPLORATION_SHARE, HOLDOUT_SHARE
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT, Assignment, assign
from common.experiments.definition import Experiment, StrategyName
from common.experiments.reading import read_experiments
from schemas.published_model.weights import BLENDED, DEFAULT_WEIGHTS, Weights

Source = Literal[
    "item_neighbours",
    "trained_neighbours",
    "similar_content",
    "similar_attributes",
    "popular_in_category",
    "popular_products",
]
"""The name of a recommender: what others viewed together with the visitor's products until a moment ago, what
the trained model says, products with similar names and categories in that model, products of the same
category with similar attributes, popular in the visitor's categories, popular in the whole shop."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """The sources of an answer: those whose scores are added up, then those that fill up a list in turn.

    With `is_learned`, the weights of the sources and the discount of popularity are those learned from clicks
    on its lists. They say what each source adds to all others, so a strategy of some of the sources has the
    default weights, and no discount.

    `until_supported` is a source that is blended, too, as far as visits do not support what goes with the
    visitor's products. Its weight follows from that and is not learned.
    """

    blended: tuple[str, ...]
    fallbacks: tuple[str, ...]
    is_learned: bool = False
    until_supported: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources."""
        return self.blended + self.fallbacks

    def weights(self, learned: Weights, surface: str) -> Mapping[str, float]:
        """Return the weight of each source on a surface, and the discount (`DISCOUNT`)."""
        return (learned if self.is_learned else DEFAULT_WEIGHTS)[surface]


def single_sources(strategies: Mapping[StrategyName, Strategy]) -> list[Strategy]:
    """Return a strategy for each source that one of these blends: its products alone, not filled up."""
    sources = dict.fromkeys(source for strategy in strategies.values() for source in strategy.blended)
    return [Strategy((source,), ()) for source in sources]


FALLBACKS = ("popular_in_category", "popular_products")

UNTIL_SUPPORTED = "similar_attributes"

STRATEGIES: Mapping[StrategyName, Strategy] = {
    "live": Strategy(("item_neighbours",), FALLBACKS, until_supported=UNTIL_SUPPORTED),
    "trained": Strategy(("trained_neighbours", "similar_content"), FALLBACKS),
    "blend": Strategy(BLENDED, FALLBACKS, is_learned=True, until_supported=UNTIL_SUPPORTED),
    "popular": Strategy((), ("popular_products",)),
}


class StrategyChoice:
    """Assigns visitors by the present definitions, and decides which answers explore.

    A change of the definitions is in effect as soon as this process has read it, within about a second.
    """

    def __init__(self, values: SettingValues, clock: Clock, random: Random) -> None:
        self._values, self._clock, self._random = values, clock, random
        self._text = ""
        self._experiments: tuple[Experiment, ...] = ()

    def strategy_for(self, visitor_id: str, surface: str) -> Assignment:
        """Return the assignment of a shopper or session on a surface now."""
        text = self._values.get(EXPERIMENTS)
        if text != self._text:
            self._experiments, self._text = read_experiments(text), text
        return assign(self._experiments, self._values.get(HOLDOUT_SHARE), visitor_id, surface, self._clock())

    def explores(self, assignment: Assignment) -> bool:
        """Return whether the next answer is a random list; of all answers, the share of the setting is.

        The hold-out gets none, because it always gets popular products.
        """
        is_held_out = assignment.experiment == HOLDOUT
        return not is_held_out and self._random.random() < self._values.get(EXPLORATION_SHARE)

    def shuffled(self, count: int) -> list[int]:
        """Return 0 to `count` - 1 in a random order, each order with the same probability."""
        order = list(range(count))
        self._random.shuffle(order)
        return order

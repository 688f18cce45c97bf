"""The strategies (arms of experiments) and the sources that each of them asks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from common.experiments.definition import StrategyName
from schemas.published_model.weights import BLENDED, DEFAULT_WEIGHTS, Weights

Source = Literal[
    "item_neighbours", "trained_neighbours", "similar_content", "popular_in_category", "popular_products"
]
"""The name of a recommender: what others viewed together with the visitor's products until a moment ago, what
the trained model says, products with similar names and categories, popular in the visitor's categories,
popular in the whole shop."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """The sources of an answer: those whose scores are added up, then those that fill up a list in turn.

    With `is_learned`, the weights of the sources and the discount of popularity are those learned from clicks
    on its lists. They say what each source adds to all others, so a strategy of some of the sources has the
    default weights, and no discount.
    """

    blended: tuple[str, ...]
    fallbacks: tuple[str, ...]
    is_learned: bool = False

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

STRATEGIES: Mapping[StrategyName, Strategy] = {
    "live": Strategy(("item_neighbours",), FALLBACKS),
    "trained": Strategy(("trained_neighbours", "similar_content"), FALLBACKS),
    "blend": Strategy(BLENDED, FALLBACKS, is_learned=True),
    "popular": Strategy((), ("popular_products",)),
}

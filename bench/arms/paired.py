"""What each strategy would show for the same requests, and the true expected clicks on these lists."""

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

import numpy as np

from bench.arms.lists import LIST_LENGTH, ListRequest, Sources
from bench.arms.shop import Shop
from experiments.intervals import Interval, fixed_interval
from producers.simulator.decisions import DecisionModel
from producers.simulator.randomness import Floats
from serving.recommendations.strategies import STRATEGIES


@dataclass
class PairedClicks:
    """Expected clicks on the lists of all strategies: surface → strategy → one number for each request.

    Every strategy answers the same requests, a random `share` of all, so differences are free of those
    between visitors.
    """

    share: float
    clicks: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(
        self, shop: Shop, decisions: DecisionModel, request: ListRequest, shopper: int, random: Random
    ) -> None:
        """Compare the lists for some requests; those of visitors without a history are all the same."""
        if random.random() >= self.share:
            return
        sources = Sources(shop, request)
        if not sources.has_history:
            return
        for name, strategy in STRATEGIES.items():
            products, _ = sources.chosen(strategy, LIST_LENGTH)
            codes = np.array([shop.code_of[each] for each in products], np.int64)
            chance = decisions.click_probability(
                np.full(len(codes), shopper), codes, np.arange(1, len(codes) + 1)
            )
            self.clicks[request.surface][name].append(float(chance.sum()))

    def mean(self, surface: str, strategy: str) -> Interval:
        """Return the mean of the expected clicks on a list."""
        return _mean(np.array(self.clicks[surface][strategy]))

    def difference(self, surface: str, strategy: str, other: str) -> Interval:
        """Return the mean of the differences of a strategy from another one."""
        of_surface = self.clicks[surface]
        return _mean(np.array(of_surface[strategy]) - np.array(of_surface[other]))


def _mean(values: Floats) -> Interval:
    if len(values) < 2:
        return Interval(0.0, 0.0, 0.0)
    return fixed_interval(float(values.mean()), float(values.var(ddof=1)) / len(values))

"""Chooses the strategy that answers a visitor: that of their arm in the experiment of the surface."""

from random import Random

from common.clock import Clock
from common.configuration.definitions import EXPERIMENTS, EXPLORATION_SHARE, HOLDOUT_SHARE
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT, Assignment, assign
from common.experiments.definition import Experiment
from common.experiments.reading import read_experiments


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
        if assignment.experiment == HOLDOUT:
            return False
        return self._random.random() < self._values.get(EXPLORATION_SHARE)

    def shuffled(self, count: int) -> list[int]:
        """Return 0 to `count` - 1 in a random order, each order with the same probability."""
        order = list(range(count))
        self._random.shuffle(order)
        return order

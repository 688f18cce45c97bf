"""Strategies judged on a log of random lists, against the click rates that they truly have."""

from random import Random
from typing import Any

import numpy as np
import pytest

from recommenders.experiments.judgement import ExploredLog, difference, judge, winner
from serving.recommendations.ranker import explored

LENGTH = 6
EXAMINED = 1 / np.sqrt(np.arange(1, LENGTH + 1))
"""Place → the chance that a visitor looks at it."""


class Shop:
    """Visitors with tastes. `good` shows what they like best, `bad` what is most popular, `same` as `bad`."""

    def __init__(self, visitors: int, seed: int) -> None:
        rng, random = np.random.default_rng(seed), Random(seed)
        self.rows: list[dict[str, Any]] = []
        truths: dict[str, list[float]] = {"good": [], "bad": []}
        for visitor in range(visitors):
            taste = rng.beta(1, 6, 20)
            good = np.argsort(-taste)[:LENGTH]
            bad = np.arange(LENGTH)
            lists = {"good": good, "bad": bad, "same": bad}
            for name, found in truths.items():
                found.append(float((EXAMINED * taste[lists[name]]).mean()))
            self._answer(f"v{visitor}", lists, taste, rng, random)
        self.truth = {name: float(np.mean(found)) for name, found in truths.items()}
        self.log = ExploredLog.of(self.rows)

    def _answer(self, visitor: str, lists: Any, taste: Any, rng: Any, random: Random) -> None:
        items: Any = {name: [{"product_id": str(one)} for one in shown] for name, shown in lists.items()}

        def shuffled(count: int) -> list[int]:
            return random.sample(range(count), count)

        drawn, propensity = explored(items.values(), LENGTH, shuffled)
        for place, item in enumerate(drawn):
            chance = EXAMINED[place] * taste[int(item["product_id"])]
            self.rows.append(
                {
                    "visitor_id": visitor,
                    "position": place + 1,
                    "product_id": item["product_id"],
                    "propensity": propensity,
                    "clicked": rng.random() < chance,
                    "strategies": {name: str(shown[place]) for name, shown in lists.items()},
                }
            )


def test_the_true_click_rate_is_inside_36_of_40_intervals() -> None:
    shops = [Shop(600, seed) for seed in range(40)]
    for strategy in ("good", "bad"):
        found = [(judge(shop.log, strategy), shop.truth[strategy]) for shop in shops]
        for estimator in ("ips", "snips", "doubly_robust"):
            inside = sum(getattr(one, estimator).interval.contains(truth) for one, truth in found)
            assert inside >= 36, (strategy, estimator)


def test_the_better_strategy_wins_and_equal_ones_do_not() -> None:
    log = Shop(3_000, 100).log
    assert winner(log, "good", "bad") == "good"
    assert winner(log, "bad", "good") == "good"
    assert winner(log, "same", "bad") is None
    assert difference(log, "same", "bad").estimate == 0


def test_a_small_log_decides_nothing() -> None:
    log = Shop(20, 1).log
    assert not judge(log, "good").is_conclusive
    assert winner(log, "good", "bad") is None


def test_a_strategy_that_shows_nothing_earns_nothing() -> None:
    rows = Shop(200, 2).rows
    empty = ExploredLog.of([row | {"strategies": {"empty": ""}} for row in rows])
    found = judge(empty, "empty")
    assert found.ips.interval.estimate == 0
    assert found.doubly_robust.interval.estimate == 0


def test_an_unknown_strategy_and_an_empty_log_are_told_apart() -> None:
    with pytest.raises(KeyError):
        judge(Shop(5, 3).log, "unknown")
    assert ExploredLog.of([]).strategies == {}

"""Experiments in the simulator's marketplace, whose true probabilities of clicks and orders are known."""

from datetime import UTC, datetime

import numpy as np
import pytest

from common.experiments.assignment import arm_of
from common.experiments.definition import Arm, Experiment
from producers.simulator.decisions import DecisionModel
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.world.shape import WorldShape
from recommenders.experiments.verdicts import MetricResult, compare, sample_ratio
from tests.unit.experiments.simulated_experiment import moments_of

END_MS = 1_767_225_600_000
LENGTH, CANDIDATES = 12, 60
SHOPPERS, VISITORS = 12_000, 5_000
EXPERIMENTS = 20


class Marketplace:
    """Lists of popular products and lists by taste, with each shopper's true chances under both."""

    def __init__(self, seed: int) -> None:
        shape = WorldShape(seed=seed, sellers=20, products=300, shoppers=SHOPPERS)
        history = SimulatedHistory(HistoryPlan(shape, END_MS, events=20_000))
        decisions, world = history.decisions, history.world
        by_popularity = np.argsort(-world.tastes.popular)
        shoppers = np.arange(SHOPPERS)
        liking = np.stack(
            [decisions._affinity(shoppers, np.full(SHOPPERS, one)) for one in by_popularity[:CANDIDATES]]
        )
        best = np.argsort(-liking.T, axis=1)[:, :LENGTH]
        self.chances = {
            "popular": self._of(decisions, np.tile(by_popularity[:LENGTH], (SHOPPERS, 1))),
            "taste": self._of(decisions, by_popularity[best]),
        }

    def _of(self, decisions: DecisionModel, lists: np.ndarray) -> dict[str, np.ndarray]:
        """Return metric → the chance in one session, for each shopper."""
        shopper = np.repeat(np.arange(SHOPPERS), LENGTH)
        product, place = lists.ravel(), np.tile(np.arange(1, LENGTH + 1), SHOPPERS)
        click = decisions.click_probability(shopper, product, place)
        carted = click * decisions.in_cart_probability(shopper, product, np.full(len(shopper), END_MS))
        buys = decisions.checkout_probability(np.arange(SHOPPERS), np.ones(SHOPPERS, bool))
        nothing, empty = ((1 - p.reshape(SHOPPERS, LENGTH)).prod(axis=1) for p in (click, carted))
        return {"click_rate": 1 - nothing, "conversion": buys * (1 - empty)}

    def truth(self, metric: str, treated: str) -> float:
        return float((self.chances[treated][metric] - self.chances["popular"][metric]).mean())

    def experiment(self, salt: int, treated: str) -> dict[str, MetricResult]:
        """Run an experiment of `treated` against popular lists with two sessions a visitor on average."""
        rng = np.random.default_rng([11, salt])
        visitors = rng.choice(SHOPPERS, VISITORS, replace=False)
        sessions = 1 + rng.poisson(1, VISITORS)
        arms = (Arm("popular", "popular", 0.5), Arm("treated", "blend", 0.5))
        definition = Experiment(
            "campaign", "home", "visitor", str(salt), datetime(2025, 1, 1, tzinfo=UTC), None, arms
        )
        assigned = [arm_of(definition, f"shopper-{visitor}") for visitor in visitors.tolist()]
        is_treated = np.array([arm is not None and arm.name == "treated" for arm in assigned])
        counts = [int((~is_treated).sum()), int(is_treated.sum())]
        assert not sample_ratio(counts, [0.5, 0.5]).mismatch
        results = {}
        for metric in ("click_rate", "conversion"):
            chance = np.where(
                is_treated, self.chances[treated][metric][visitors], self.chances["popular"][metric][visitors]
            )
            y = rng.binomial(sessions, chance).astype(float)
            before = rng.binomial(2, self.chances["popular"][metric][visitors]).astype(float)
            control, other = (
                moments_of(zip(*(each[rows].tolist() for each in (y, sessions, before)), strict=True))
                for rows in (~is_treated, is_treated)
            )
            results[metric] = compare(control, other)
        return results


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 6))]


@pytest.fixture(scope="module", params=SEEDS)
def shop(request: pytest.FixtureRequest) -> Marketplace:
    return Marketplace(request.param)


def test_the_true_uplift_is_inside_at_least_18_of_20_intervals(shop: Marketplace) -> None:
    found = [shop.experiment(salt, "taste") for salt in range(EXPERIMENTS)]
    for metric in ("click_rate", "conversion"):
        truth = shop.truth(metric, "taste")
        assert truth > 0
        assert sum(one[metric].sequence.contains(truth) for one in found) >= 18
        assert sum(one[metric].interval.contains(truth) for one in found) >= 17
        assert not any(one[metric].verdict == "worse" for one in found)
    assert sum(one["click_rate"].verdict == "better" for one in found) >= 18


def test_identical_arms_are_found_identical_in_at_least_18_of_20(shop: Marketplace) -> None:
    found = [shop.experiment(100 + salt, "popular") for salt in range(EXPERIMENTS)]
    for metric in ("click_rate", "conversion"):
        assert sum(one[metric].verdict in ("better", "worse") for one in found) <= 2

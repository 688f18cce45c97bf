"""Off-policy estimates against the known truth of simulated logs."""

import numpy as np
import pytest

from recommenders.experiments.judgement import doubly_robust, effective_sample_size, ips, snips

PRODUCTS, CONTEXTS = 6, 4
EXPLORED = 0.3


class Log:
    """Lists of one place: in each context, the shown product is usually the logged favourite."""

    def __init__(self, places: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rates = np.random.default_rng(99).uniform(0.02, 0.3, (CONTEXTS, PRODUCTS))
        self.target = np.argmax(self.rates, axis=1)
        favourite = np.argsort(self.rates, axis=1)[:, 2]
        self.truth = float(self.rates[np.arange(CONTEXTS), self.target].mean())
        self.context = rng.integers(0, CONTEXTS, places)
        self.clusters = np.arange(places) // 3
        explores = rng.random(places) < EXPLORED
        self.shown = np.where(explores, rng.integers(0, PRODUCTS, places), favourite[self.context])
        self.propensity = EXPLORED / PRODUCTS + (1 - EXPLORED) * (self.shown == favourite[self.context])
        self.rewards = (rng.random(places) < self.rates[self.context, self.shown]).astype(float)

    @property
    def weights(self) -> np.ndarray:
        return (self.shown == self.target[self.context]) / self.propensity


def estimates(log: Log, predicted: np.ndarray) -> dict[str, tuple[float, bool]]:
    logged, target = predicted[log.context, log.shown], predicted[log.context, log.target[log.context]]
    found = {
        "ips": ips(log.rewards, log.weights, log.clusters),
        "snips": snips(log.rewards, log.weights, log.clusters),
        "dr": doubly_robust(log.rewards, log.weights, logged, target, log.clusters),
    }
    return {name: (one.interval.estimate, one.interval.contains(log.truth)) for name, one in found.items()}


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_the_truth_is_inside_95_of_100_intervals(name: str) -> None:
    logs = [Log(6_000, seed) for seed in range(100)]
    wrong_model = np.full((CONTEXTS, PRODUCTS), 0.1)
    found = [estimates(log, wrong_model)[name] for log in logs]
    assert np.mean([value for value, _ in found]) == pytest.approx(logs[0].truth, rel=0.03)
    assert sum(inside for _, inside in found) >= 90


def test_the_mean_of_the_log_is_not_the_truth() -> None:
    log = Log(20_000, 1)
    assert abs(log.rewards.mean() - log.truth) > 0.05


def test_a_right_model_makes_the_doubly_robust_interval_narrower() -> None:
    log = Log(20_000, 2)
    target = log.rates[log.context, log.target[log.context]]
    robust = doubly_robust(
        log.rewards, log.weights, log.rates[log.context, log.shown], target, log.clusters
    ).interval
    plain = ips(log.rewards, log.weights, log.clusters).interval
    assert robust.high - robust.low < 0.9 * (plain.high - plain.low)


def test_doubly_robust_survives_wrong_propensities_with_a_right_model() -> None:
    held = {"dr": 0, "ips": 0}
    for seed in range(40):
        log = Log(20_000, seed)
        logged, target = (log.rates[log.context, of] for of in (log.shown, log.target[log.context]))
        wrong = 2 * log.weights
        robust = doubly_robust(log.rewards, wrong, logged, target, log.clusters)
        held["dr"] += robust.interval.contains(log.truth)
        held["ips"] += ips(log.rewards, wrong, log.clusters).interval.contains(log.truth)
    assert held["dr"] >= 35
    assert held["ips"] == 0


def test_the_variance_counts_visitors_and_not_places() -> None:
    rng = np.random.default_rng(4)
    rewards = np.repeat(rng.random(500) < 0.5, 10).astype(float)
    weights = np.ones(5_000)
    together = ips(rewards, weights, np.arange(5_000) // 10).interval
    apart = ips(rewards, weights, np.arange(5_000)).interval
    assert together.high - together.low == pytest.approx(np.sqrt(10) * (apart.high - apart.low), rel=0.01)


def test_the_effective_sample_size_is_that_of_kish() -> None:
    assert effective_sample_size(np.ones(50)) == 50
    assert effective_sample_size(np.array([10.0, 0, 0, 0])) == 1
    assert effective_sample_size(np.zeros(3)) == 0


def test_a_log_that_never_shows_the_target_gives_no_information() -> None:
    found = snips(np.ones(4), np.zeros(4), np.arange(4))
    assert found.effective_sample_size == 0


@pytest.mark.parametrize("weight", [np.inf, np.nan, -1.0])
def test_an_impossible_propensity_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        ips(np.ones(1), np.array([weight]), np.zeros(1, np.int64))

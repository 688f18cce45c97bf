"""The formulas of the analysis against scipy, numpy's regression, the bootstrap and known distributions."""

from dataclasses import astuple
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from common.experiments.definition import Guardrail
from recommenders.experiments.effects import Moments, effect
from recommenders.experiments.intervals import confidence_sequence, fixed_interval
from recommenders.experiments.verdicts import breached, chi_square_tail, compare, sample_ratio, seller_uplift
from tests.unit.experiments.simulated_experiment import moments_of


def moments(y: np.ndarray, d: np.ndarray | None = None, c: np.ndarray | None = None) -> Moments:
    d, c = np.ones(len(y)) if d is None else d, np.zeros(len(y)) if c is None else c
    return Moments(len(y), *map(float, (y.sum(), d.sum(), c.sum(), y @ y, d @ d, c @ c, y @ d, y @ c, d @ c)))


def test_a_mean_has_the_interval_of_the_two_sample_z_test() -> None:
    rng = np.random.default_rng(1)
    control, treated = rng.gamma(2, 3, 400), rng.gamma(2, 3.2, 500)
    found = effect(moments(control), moments(treated))
    assert found.difference == pytest.approx(treated.mean() - control.mean())
    assert found.variance == pytest.approx(stats.sem(control) ** 2 + stats.sem(treated) ** 2)
    interval = fixed_interval(found.difference, found.variance)
    low, high = stats.norm.interval(0.95, found.difference, sqrt(found.variance))
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_the_variance_of_a_ratio_is_that_of_the_bootstrap() -> None:
    rng = np.random.default_rng(2)
    sessions = rng.geometric(0.4, 3_000).astype(float)
    orders = rng.binomial(sessions.astype(int), rng.beta(2, 20, 3_000)).astype(float)
    arm = moments(orders, sessions)
    picks = rng.integers(0, 3_000, (2_000, 3_000))
    bootstrap = (orders[picks].sum(1) / sessions[picks].sum(1)).var()
    assert arm.ratio == pytest.approx(orders.sum() / sessions.sum())
    assert arm.linearised_variance / arm.units == pytest.approx(bootstrap, rel=0.1)


def test_cuped_is_the_regression_on_the_covariate() -> None:
    rng = np.random.default_rng(3)
    before = rng.gamma(2, 10, 4_000)
    treated = np.repeat([0.0, 1.0], 2_000)
    y = 0.8 * before + 2 * treated + rng.normal(0, 5, 4_000)
    found = effect(moments(y[:2_000], c=before[:2_000]), moments(y[2_000:], c=before[2_000:]))
    design = np.column_stack([np.ones(4_000), treated, before])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    assert found.difference == pytest.approx(coefficients[1], rel=1e-9)
    assert found.theta == pytest.approx(coefficients[2], rel=1e-9)
    residuals = y - design @ coefficients
    squared_error = (residuals @ residuals / 3_997) * np.linalg.inv(design.T @ design)[1, 1]
    assert found.variance == pytest.approx(squared_error, rel=0.01)
    unadjusted = effect(moments(y[:2_000]), moments(y[2_000:]))
    assert found.variance < 0.2 * unadjusted.variance


def test_a_covariate_that_says_nothing_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(10, 2, 1_000)
    with_zeros = effect(moments(y[:500]), moments(y[500:]))
    without = effect(moments(y[:500]), moments(y[500:]), adjusted=False)
    assert with_zeros == without


def test_moments_add_up() -> None:
    rng = np.random.default_rng(5)
    y, d, c = rng.random((3, 100))
    parts = moments(y[:40], d[:40], c[:40]) + moments(y[40:], d[40:], c[40:])
    whole = moments(y, d, c)
    assert parts.units == whole.units
    assert parts.yc == pytest.approx(whole.yc)
    assert astuple(moments_of(zip(y, d, c, strict=True))) == pytest.approx(astuple(whole))


def test_the_sequence_is_the_published_formula_and_narrowest_near_the_planned_units() -> None:
    # By hand: ρ² = (5.9915 + ln 6.9915) / 5000 = 0.00158727, Nρ² + 1 = 8.93636 at N = 5000.
    sequence = confidence_sequence(0.0, 1 / 5_000, 5_000)
    rho = 0.00158727
    expected = sqrt(2 * (5_000 * rho + 1) / (5_000**2 * rho) * np.log(sqrt(5_000 * rho + 1) / 0.05))
    assert sequence.high == pytest.approx(expected, rel=1e-5)
    assert sequence.low == -sequence.high
    ratio = {
        n: confidence_sequence(0.0, 1 / n, n).high / fixed_interval(0.0, 1 / n).high
        for n in (50, 5_000, 500_000)
    }
    assert ratio[5_000] == min(ratio.values())
    assert 1.3 < ratio[5_000] < 1.6


@given(st.floats(0, 200), st.integers(1, 9))
def test_the_tail_of_chi_square_is_that_of_scipy(statistic: float, degrees: int) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-9)


@given(st.lists(st.integers(50, 5_000), min_size=2, max_size=5))
def test_the_sample_ratio_is_that_of_scipy(units: list[int]) -> None:
    shares = [1.0 + index for index in range(len(units))]
    expected = np.array(shares) / sum(shares) * sum(units)
    assert sample_ratio(units, shares).p == pytest.approx(stats.chisquare(units, expected).pvalue, rel=1e-9)


def test_a_mismatch_needs_significance_and_a_deviation() -> None:
    assert sample_ratio([5_000, 5_400], [0.5, 0.5]).mismatch
    assert not sample_ratio([5_000, 5_100], [0.5, 0.5]).mismatch
    many = sample_ratio([50_040_000, 49_960_000], [0.5, 0.5])
    assert many.p is not None
    assert many.p < 0.001
    assert not many.mismatch
    assert sample_ratio([5_000, 5_400], [0.5, 0.5], comparisons=10_000).mismatch is False
    assert sample_ratio([4, 9], [0.5, 0.5]).p is None
    assert sample_ratio([], []).mismatch is False


def test_the_relative_interval_covers_the_true_uplift() -> None:
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        control, treated = rng.gamma(1, 10, 800), rng.gamma(1, 12, 800)
        found = effect(moments(control), moments(treated))
        assert found.relative is not None
        covered += fixed_interval(found.relative, found.relative_variance).contains(0.2)
    assert 0.93 <= covered / 400 <= 0.97


@pytest.mark.parametrize(
    ("uplift", "verdict"), [(0.03, "better"), (-0.03, "worse"), (0.0, "no_difference_found")]
)
def test_a_clear_difference_is_found(uplift: float, verdict: str) -> None:
    rng = np.random.default_rng(7)
    control = (rng.random(20_000) < 0.1).astype(float)
    treated = (rng.random(20_000) < 0.1 + uplift).astype(float)
    assert compare(moments(control), moments(treated)).verdict == verdict


def test_without_enough_units_or_orders_there_is_no_verdict() -> None:
    few, none = moments(np.ones(50)), moments(np.zeros(50_000))
    assert compare(few, few).verdict == "not_enough_data"
    assert compare(none, none).verdict == "not_enough_data"
    assert compare(Moments(), Moments()).verdict == "not_enough_data"


def test_a_mismatch_of_the_sample_ratio_withdraws_the_verdict() -> None:
    rng = np.random.default_rng(8)
    control, treated = (moments((rng.random(20_000) < share).astype(float)) for share in (0.1, 0.15))
    assert compare(control, treated, is_mismatched=True).verdict == "sample_ratio_mismatch"


def test_a_guardrail_stops_an_arm_only_when_the_loss_is_certain() -> None:
    rng = np.random.default_rng(9)
    control, worse = (moments((rng.random(20_000) < share).astype(float)) for share in (0.1, 0.07))
    rails = [Guardrail("revenue", 0.0), Guardrail("conversion", 0.1)]
    results = {"conversion": compare(control, worse)}
    assert breached(rails, results) == rails[1]
    assert breached([Guardrail("conversion", 0.4)], results) is None
    assert breached(rails, {"conversion": compare(control, control)}) is None
    assert breached(rails, {"conversion": compare(worse, control)}) is None


def test_the_uplift_of_a_seller_is_the_difference_times_the_shoppers() -> None:
    rng = np.random.default_rng(10)
    held_out = (rng.random(2_000) < 0.05) * rng.gamma(2, 2_000, 2_000)
    recommended = (rng.random(50_000) < 0.06) * rng.gamma(2, 2_000, 50_000)
    found = seller_uplift(moments(held_out), moments(recommended))
    assert found.total is not None
    assert found.sequence is not None
    assert found.total.estimate == pytest.approx(50_000 * (recommended.mean() - held_out.mean()))
    assert found.total.contains(50_000 * 0.01 * 4_000)
    assert found.sequence.low < found.total.low
    nothing = seller_uplift(moments(held_out[:20]), moments(recommended))
    assert (nothing.held_out, nothing.total) == (20, None)

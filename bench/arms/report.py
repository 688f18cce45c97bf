"""The figures of all experiments: each arm, and the differences of the blend, by seed and pooled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.arms.experiment import METRICS, ArmsResult
from common.experiments.definition import DEFAULT_STRATEGY, STRATEGIES, StrategyName
from experiments.effects import effect
from experiments.intervals import ALPHA, Interval, fixed_interval
from schemas.published_model.weights import SURFACES

TITLES = {
    "clicks": "clicks",
    "expected_clicks": "expected clicks",
    "purchases": "purchases",
    "purchases_from_lists": "of clicked products",
    "expected_purchases": "expected",
    "revenue_minor": "revenue",
}
"""Metric → its heading. All figures are per session."""

DIGITS = {"revenue_minor": 2}
OTHERS = tuple(each for each in STRATEGIES if each != DEFAULT_STRATEGY)


@dataclass(frozen=True)
class ArmFigures:
    """An arm of one seed or of several: its sessions and visitors, and each metric per session."""

    sessions: int
    visitors: int
    metrics: dict[str, Interval]


@dataclass(frozen=True)
class ExperimentFigures:
    """What is printed of one seed or of all. `differences` are of the blend from each other arm."""

    arms: Mapping[StrategyName, ArmFigures]
    differences: Mapping[StrategyName, Mapping[str, Interval]]


def figures(result: ArmsResult) -> ExperimentFigures:
    """Return the figures of one experiment.

    Intervals are for one look, by visitor (delta method). Differences are adjusted by what each visitor did
    before the experiment (CUPED, `experiments.effects`).
    """
    moments = {arm: {name: result.moments(arm, name) for name in METRICS} for arm in STRATEGIES}
    arms = {
        arm: ArmFigures(
            result.sessions(arm),
            len(result.visitors[arm]),
            {
                name: fixed_interval(each.ratio, each.linearised_variance / max(1, each.units))
                for name, each in of_arm.items()
            },
        )
        for arm, of_arm in moments.items()
    }
    differences = {}
    for other in OTHERS:
        effects = {name: effect(moments[other][name], moments[DEFAULT_STRATEGY][name]) for name in METRICS}
        differences[other] = {
            name: fixed_interval(each.difference, each.variance) for name, each in effects.items()
        }
    return ExperimentFigures(arms, differences)


def pooled(of_seeds: Sequence[ExperimentFigures]) -> ExperimentFigures:
    """Return the means over independent experiments, with their intervals."""
    return ExperimentFigures(
        {
            arm: ArmFigures(
                sum(each.arms[arm].sessions for each in of_seeds),
                sum(each.arms[arm].visitors for each in of_seeds),
                {name: mean([each.arms[arm].metrics[name] for each in of_seeds]) for name in METRICS},
            )
            for arm in STRATEGIES
        },
        {
            other: {name: mean([each.differences[other][name] for each in of_seeds]) for name in METRICS}
            for other in OTHERS
        },
    )


def mean(intervals: Sequence[Interval]) -> Interval:
    """Return the mean of independent estimates, with the interval of its normal approximation."""
    z = NormalDist().inv_cdf(1 - ALPHA / 2)
    variance = sum(((each.high - each.low) / (2 * z)) ** 2 for each in intervals) / len(intervals) ** 2
    return fixed_interval(sum(each.estimate for each in intervals) / len(intervals), variance)


def show_one(result: ArmsResult, console: Console) -> None:
    """Print the figures of one experiment, and the weights that were learned in it."""
    _show(figures(result), f"seed {result.plan.seed}, model {result.model}", console)
    _show_paired([result], console)
    for surface, weights in result.weights.items():
        values = ", ".join(f"{name} {weight:.4g}" for name, weight in weights.items())
        console.print(f"{surface}: {values} ({result.reasons.get(surface, 'not learned')})")


def show_pooled(results: Sequence[ArmsResult], console: Console) -> None:
    """Print the means over experiments with different seeds."""
    _show(pooled([figures(each) for each in results]), f"{len(results)} seeds", console)
    _show_paired(results, console)


def _show_paired(results: Sequence[ArmsResult], console: Console) -> None:
    """Print what all strategies would show for the same requests."""
    table = Table("surface", "requests", *STRATEGIES, *(f"{DEFAULT_STRATEGY} - {other}" for other in OTHERS),
                  title="expected clicks on a list, for the same requests")  # fmt: skip
    for surface in SURFACES:
        paired = [each.paired for each in results]
        requests = sum(len(each.clicks[surface][DEFAULT_STRATEGY]) for each in paired)
        means = [mean([each.mean(surface, name) for each in paired]) for name in STRATEGIES]
        gains = [mean([each.difference(surface, DEFAULT_STRATEGY, other) for each in paired])
                 for other in OTHERS]  # fmt: skip
        values = [f"{each.estimate:.4f}" for each in means]
        table.add_row(surface, f"{requests:,}", *values, *(_value(surface, each, "+") for each in gains))
    console.print(table)


def _show(found: ExperimentFigures, title: str, console: Console) -> None:
    table = Table("arm", "sessions", "visitors", *TITLES.values(), title=title)
    for arm, each in found.arms.items():
        values = [_value(name, each.metrics[name]) for name in TITLES]
        table.add_row(arm, f"{each.sessions:,}", f"{each.visitors:,}", *values)
    for other, metrics in found.differences.items():
        values = [_value(name, metrics[name], sign="+") for name in TITLES]
        table.add_row(f"{DEFAULT_STRATEGY} - {other}", "", "", *values)
    table.caption = "per session; ± is half of a 95 % interval"
    console.print(table)


def _value(name: str, interval: Interval, sign: str = "") -> str:
    scale = 100 if name == "revenue_minor" else 1
    digits = DIGITS.get(name, 4)
    half = (interval.high - interval.low) / 2
    return f"{interval.estimate / scale:{sign}.{digits}f} ± {half / scale:.{digits}f}"


def as_plain(results: Sequence[ArmsResult]) -> dict[str, Any]:
    """Return all figures as plain values for JSON."""
    of_seeds = [figures(each) for each in results]
    return {
        "seeds": {
            str(result.plan.seed): _plain(each)
            | {"model": result.model, "weights": result.weights, "reasons": result.reasons}
            | {"paired": _plain_paired(result)}
            for result, each in zip(results, of_seeds, strict=True)
        },
        "pooled": _plain(pooled(of_seeds)),
    }  # fmt: skip


def _plain_paired(result: ArmsResult) -> dict[str, Any]:
    paired = result.paired
    return {
        surface: {name: paired.mean(surface, name).estimate for name in STRATEGIES}
        | {
            f"{DEFAULT_STRATEGY}-{other}": [each.estimate, each.low, each.high]
            for other in OTHERS
            for each in (paired.difference(surface, DEFAULT_STRATEGY, other),)
        }
        for surface in SURFACES
    }


def _plain(found: ExperimentFigures) -> dict[str, Any]:
    def of(metrics: Mapping[str, Interval]) -> dict[str, Any]:
        return {name: [each.estimate, each.low, each.high] for name, each in metrics.items()}

    return {
        "arms": {
            arm: {"sessions": each.sessions, "visitors": each.visitors} | of(each.metrics)
            for arm, each in found.arms.items()
        },
        "differences": {other: of(each) for other, each in found.differences.items()},
    }

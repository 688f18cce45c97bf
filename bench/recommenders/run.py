"""Measures recommenders on public data: quality beside published figures, cost and answer times."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.recommenders import latency as recommender_latency
from bench.recommenders.latency import AnswerLatency
from bench.recommenders.published_results import MATCHED_SHARE, TASKS, EvaluationTask, command_line
from bench.recommenders.simulated_marketplace import METRIC, Attained, marketplace
from bench.recommenders.simulated_marketplace import attained as attained_in
from common.errors import SoukError
from common.settings import ROOT
from recommenders.evaluation.intervals import Interval
from recommenders.evaluation.metrics import METRICS, Metric, evaluate_lists
from recommenders.evaluation.sets import ProductSets

Card = Mapping[str, Any]
"""The JSON object that `./souk evaluate --json` prints."""

INTERACTIONS = 1_000_000
PER_SHOPPER = 10


@dataclass(frozen=True)
class RecommendersBenchResult:
    """Evaluation cards by task, answer latencies by kind, and seconds to judge a million interactions.

    `attained`: model → its share of the best reachable ranking of a simulated marketplace. `beaten`: task →
    the judged baselines whose intervals the chosen model must exceed. `matched`: task → the judged single
    models of which the chosen model must match the best.
    """

    cards: Mapping[str, Card]
    latencies: Mapping[str, AnswerLatency]
    attained: Mapping[str, Attained]
    judging_s: float
    beaten: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    matched: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class RecommendersBenchPlan:
    """The tasks to evaluate on a directory of data sets, the models to time, and how much of each."""

    directory: Path
    tasks: Sequence[str]
    budget_s: float
    timed: Sequence[str]
    answers: int
    simulated_events: int
    seed: int


def run(plan: RecommendersBenchPlan, console: Console) -> RecommendersBenchResult:
    """Run the plan. Each task runs in its own process, so that its memory can be measured.

    Raises:
        SoukError: a task failed; its own error message was printed before.
        UserError: a data set is missing.
    """
    console.print("judging a million interactions")
    judging_s = seconds_to_judge(plan.seed)
    console.print("timing answers")
    latencies = recommender_latency.measure(plan.timed, plan.answers, plan.seed) if plan.timed else {}
    attained: Mapping[str, Attained] = {}
    if plan.simulated_events:
        market = marketplace(plan.seed, products=2_000, shoppers=8_000, events=plan.simulated_events)
        attained = attained_in(market, lambda name: console.print(f"simulated marketplace: {name}"))
    cards, beaten, matched = {}, {}, {}
    for name in plan.tasks:
        console.print(TASKS[name].title)
        cards[name] = evaluate(TASKS[name], plan, "auto")
        beaten[name] = [_judged(model, cards[name], plan, TASKS[name]) for model in TASKS[name].beaten]
        matched[name] = judged_singles(TASKS[name], plan)
    return RecommendersBenchResult(cards, latencies, attained, judging_s, beaten, matched)


def judged_singles(task: EvaluationTask, plan: RecommendersBenchPlan) -> list[Mapping[str, Any]]:
    """Evaluate each single model of `task.matched` by name, tuned within the same budget as `auto`.

    Raises:
        SoukError: an evaluation failed.
    """
    return [evaluate(task, plan, model)["judged"][0] for model in task.matched]


def share_of_best_single(
    chosen: Mapping[str, Any], singles: Sequence[Mapping[str, Any]]
) -> tuple[str, float]:
    """Return the best single model, and the chosen one's mean of all metrics relative to that of the best."""
    best = max(singles, key=_mean_figure)
    return best["candidate"]["model"], _mean_figure(chosen) / _mean_figure(best)


def seconds_to_judge(seed: int) -> float:
    """Return the seconds to judge lists of 20 for a million interactions by every metric, with intervals."""
    rng = np.random.default_rng(seed)
    shoppers = INTERACTIONS // PER_SHOPPER
    truth = ProductSets.of(
        np.repeat(np.arange(shoppers), PER_SHOPPER),
        rng.integers(0, recommender_latency.PRODUCTS, INTERACTIONS),
        shoppers,
    )
    first = rng.integers(0, recommender_latency.PRODUCTS, (shoppers, 1))
    ranked = ((first + 7 * np.arange(20)) % recommender_latency.PRODUCTS).astype(np.int32)
    began_s = time.perf_counter()
    evaluate_lists(ranked, truth, [Metric(name, 20) for name in METRICS]).figures(seed)
    return time.perf_counter() - began_s


def evaluate(task: EvaluationTask, plan: RecommendersBenchPlan, model: str) -> Card:
    """Run `./souk evaluate` with a model (or `auto`) on a task, tuned within the budget, and return its card.

    Raises:
        SoukError: the evaluation failed.
    """
    with command_line(task, plan.directory) as arguments:
        options = ["--model", model, "--budget", f"{plan.budget_s:g}", "--seed", str(plan.seed), "--json"]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "cli", "evaluate", *arguments, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=False,
        )
    if done.returncode:
        raise SoukError(f"{task.title} could not be evaluated (exit code {done.returncode})")
    card: Card = json.loads(done.stdout)
    return card


def _judged(model: str, card: Card, plan: RecommendersBenchPlan, task: EvaluationTask) -> Mapping[str, Any]:
    """Return a model's judgement from the card if it is there, or evaluate the model."""
    judged_models: dict[str, Mapping[str, Any]] = {
        each["candidate"]["model"]: each for each in card["judged"]
    }
    return judged_models.get(model) or evaluate(task, plan, model)["judged"][0]


def show(result: RecommendersBenchResult, console: Console) -> None:
    """Print tables of figures and latencies."""
    table = Table("data", "metric", "published", "floor", "aim", "chosen", "best baseline", "popularity")
    for row in rows(result.cards):
        table.add_row(*row)
    console.print(table)
    for line in (*comparisons_with_baselines(result), *comparisons_with_singles(result)):
        console.print(line, soft_wrap=True)
    costs = Table("data", "model", "tuning, s", "fit, s", "memory, MB")
    for name, card in result.cards.items():
        costs.add_row(TASKS[name].title, *_cost(card))
    console.print(costs)
    latencies = Table("one answer, one thread", "answers", "p50, µs", "p99, µs")
    for title, each in result.latencies.items():
        latencies.add_row(title, f"{each.answers:,}", f"{each.p50_us:,.0f}", f"{each.p99_us:,.0f}")
    aims = recommender_latency.FOLD_IN_AIM_US
    session_us = recommender_latency.SESSION_AIM_US
    latencies.caption = f"aims: fold-in {aims[0]} and {aims[1]} µs, a visit {session_us} µs"
    console.print(latencies)
    shares = Table("simulated marketplace", str(METRIC), "share of the best reachable")
    for name, reached in result.attained.items():
        shares.add_row(name, f"{reached.value:.4f}", f"{reached.share:.1%}")
    console.print(shares)
    console.print(f"{INTERACTIONS:,} interactions are judged in {result.judging_s:.1f} s")


def rows(cards: Mapping[str, Card]) -> list[list[str]]:
    """Return a row for each metric of each task: title, metric, goals, and the figures of three models."""
    table_rows = []
    for name, card in cards.items():
        judged = {each["candidate"]["model"]: each for each in reversed(card["judged"])}
        chosen, *others = card["judged"]
        baseline = next((each for each in others if each["candidate"]["model"] != "popularity"), None)
        for metric, goal in TASKS[name].goals.items():
            goals = ["–" if value is None else f"{value:.4f}" for value in asdict(goal).values()]
            three = [_figure(each, metric) for each in (chosen, baseline, judged.get("popularity"))]
            table_rows.append([TASKS[name].title, metric, *goals, *three])
    return table_rows


def comparisons_with_baselines(result: RecommendersBenchResult) -> list[str]:
    """Return a line for each baseline that says whether the chosen model is above it with intervals apart."""
    lines = []
    for name, others in result.beaten.items():
        for metric, other in product(TASKS[name].goals, others):
            chosen = result.cards[name]["judged"][0]
            first, second = (Interval(**each["figures"]["all"][metric]) for each in (chosen, other))
            is_above = first.is_disjoint(second) and first.mean > second.mean
            verdict = "above, intervals apart" if is_above else "not above with intervals apart"
            lines.append(
                f"{TASKS[name].title}: {_figure(chosen, metric)} against {_figure(other, metric)}: {verdict}"
            )
    return lines


def comparisons_with_singles(result: RecommendersBenchResult) -> list[str]:
    """Return a line for each task whose chosen model must match the best single model."""
    lines = []
    for name, singles in result.matched.items():
        if singles:
            best, share = share_of_best_single(result.cards[name]["judged"][0], singles)
            verdict = "matched" if share >= MATCHED_SHARE else "not matched"
            lines.append(f"{TASKS[name].title}: {share:.3f} of the best single model, {best}: {verdict}")
    return lines


def _mean_figure(judged: Mapping[str, Any]) -> float:
    return float(np.mean([figure["mean"] for figure in judged["figures"]["all"].values()]))


def as_markdown(result: RecommendersBenchResult) -> str:
    """Return the figures as a Markdown table for the documentation."""
    head = ["data", "metric", "published", "floor", "aim", "chosen by auto", "best baseline", "popularity"]
    lines = [head, ["---"] * len(head), *rows(result.cards)]
    table = [f"| {' | '.join(line)} |" for line in lines]
    comparisons = (*comparisons_with_baselines(result), *comparisons_with_singles(result))
    return "\n".join([*table, *(f"\n{line}" for line in comparisons)])


def as_json(result: RecommendersBenchResult) -> str:
    """Return the result as one JSON object."""
    return json.dumps(asdict(result), indent=2)


def _figure(judged: Mapping[str, Any] | None, metric: str) -> str:
    if judged is None:
        return "–"
    figure = judged["figures"]["all"][metric]
    return (
        f"{judged['candidate']['model']} {figure['mean']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"
    )


def _cost(card: Card) -> tuple[str, str, str, str]:
    chosen = card["judged"][0]
    tuning_s = card["searched"]["seconds"] if card["searched"] else 0.0
    return (
        chosen["candidate"]["model"],
        f"{tuning_s:,.0f}",
        f"{chosen['fit_s']:,.1f}",
        f"{card['peak_memory_mb']:,.0f}",
    )

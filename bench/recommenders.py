"""How good recommenders are on public data beside what is published, what they cost, how soon they answer."""

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

from bench import answering
from bench.answering import Latency
from bench.published import TASKS, Task, command_line
from bench.simulated import METRIC, Attained, marketplace
from bench.simulated import attained as simulated
from common.errors import SoukError
from common.settings import ROOT
from jobs.recommenders.evaluation.intervals import Interval
from jobs.recommenders.evaluation.judge import judge
from jobs.recommenders.evaluation.metrics import METRICS, Metric
from jobs.recommenders.evaluation.sets import ProductSets

Card = Mapping[str, Any]
"""What `./souk evaluate --json` prints."""

INTERACTIONS = 1_000_000
PER_SHOPPER = 10


@dataclass(frozen=True)
class Measured:
    """Task → its card; what is answered → how soon; seconds to judge a million interactions.

    `attained`: model → what it attains of the best that can be reached in a simulated marketplace. `beaten`:
    task → what was judged of the models that the chosen one must be above.
    """

    cards: Mapping[str, Card]
    latencies: Mapping[str, Latency]
    attained: Mapping[str, Attained]
    judging_s: float
    beaten: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to run: tasks on the data sets of a directory, the models to time, and how thoroughly."""

    directory: Path
    tasks: Sequence[str]
    budget_s: float
    timed: Sequence[str]
    answers: int
    simulated_events: int
    seed: int


def run(plan: Plan, console: Console) -> Measured:
    """Measure everything of the plan; each task in a process of its own, so that its memory is its own.

    Raises:
        SoukError: a task failed; its own message stands above.
        UserError: a data set is not there.
    """
    console.print("judging a million interactions")
    judging_s = judging(plan.seed)
    console.print("timing answers")
    latencies = answering.measure(plan.timed, plan.answers, plan.seed) if plan.timed else {}
    attained: Mapping[str, Attained] = {}
    if plan.simulated_events:
        market = marketplace(plan.seed, products=2_000, shoppers=8_000, events=plan.simulated_events)
        attained = simulated(market, lambda name: console.print(f"simulated marketplace: {name}"))
    cards, beaten = {}, {}
    for name in plan.tasks:
        console.print(TASKS[name].title)
        cards[name] = evaluate(TASKS[name], plan, "auto")
        beaten[name] = [_judged(model, cards[name], plan, TASKS[name]) for model in TASKS[name].beaten]
    return Measured(cards, latencies, attained, judging_s, beaten)


def judging(seed: int) -> float:
    """Seconds to judge lists of 20 for a million interactions by every metric, with intervals."""
    rng = np.random.default_rng(seed)
    shoppers = INTERACTIONS // PER_SHOPPER
    truth = ProductSets.of(
        np.repeat(np.arange(shoppers), PER_SHOPPER),
        rng.integers(0, answering.PRODUCTS, INTERACTIONS),
        shoppers,
    )
    first = rng.integers(0, answering.PRODUCTS, (shoppers, 1))
    ranked = ((first + 7 * np.arange(20)) % answering.PRODUCTS).astype(np.int32)
    began_s = time.perf_counter()
    judge(ranked, truth, [Metric(name, 20) for name in METRICS]).figures(seed)
    return time.perf_counter() - began_s


def evaluate(task: Task, plan: Plan, model: str) -> Card:
    """The card of what `./souk evaluate` says of a model, or chooses, for a task, tuned within the budget.

    Raises:
        SoukError: it failed.
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


def _judged(model: str, card: Card, plan: Plan, task: Task) -> Mapping[str, Any]:
    """What was judged of a model: from the card, which has what the chosen one was compared with, or anew."""
    known: dict[str, Mapping[str, Any]] = {each["candidate"]["model"]: each for each in card["judged"]}
    return known.get(model) or evaluate(task, plan, model)["judged"][0]


def show(measured: Measured, console: Console) -> None:
    """Print tables of figures and latencies."""
    table = Table("data", "metric", "published", "floor", "aim", "chosen", "best baseline", "popularity")
    for row in rows(measured.cards):
        table.add_row(*row)
    console.print(table)
    for line in above(measured):
        console.print(line, soft_wrap=True)
    costs = Table("data", "model", "tuning, s", "fit, s", "memory, MB")
    for name, card in measured.cards.items():
        costs.add_row(TASKS[name].title, *_cost(card))
    console.print(costs)
    latencies = Table("one answer, one thread", "answers", "p50, µs", "p99, µs")
    for title, each in measured.latencies.items():
        latencies.add_row(title, f"{each.answers:,}", f"{each.p50_us:,.0f}", f"{each.p99_us:,.0f}")
    aims = answering.FOLD_IN_AIM_US
    latencies.caption = f"aims: fold-in {aims[0]} and {aims[1]} µs, a visit {answering.SESSION_AIM_US} µs"
    console.print(latencies)
    shares = Table("simulated marketplace", str(METRIC), "share of the best reachable")
    for name, reached in measured.attained.items():
        shares.add_row(name, f"{reached.value:.4f}", f"{reached.share:.1%}")
    console.print(shares)
    console.print(f"{INTERACTIONS:,} interactions are judged in {measured.judging_s:.1f} s")


def rows(cards: Mapping[str, Card]) -> list[list[str]]:
    """For each metric of each task: title, metric, published, floor, aim, and the figures of the three."""
    found = []
    for name, card in cards.items():
        judged = {each["candidate"]["model"]: each for each in reversed(card["judged"])}
        chosen, *others = card["judged"]
        baseline = next((each for each in others if each["candidate"]["model"] != "popularity"), None)
        for metric, goal in TASKS[name].goals.items():
            goals = ["–" if value is None else f"{value:.4f}" for value in asdict(goal).values()]
            three = [_figure(each, metric) for each in (chosen, baseline, judged.get("popularity"))]
            found.append([TASKS[name].title, metric, *goals, *three])
    return found


def above(measured: Measured) -> list[str]:
    """Whether the interval of what was chosen is above that of each model that it must beat, a line each."""
    found = []
    for name, others in measured.beaten.items():
        for metric, other in product(TASKS[name].goals, others):
            chosen = measured.cards[name]["judged"][0]
            first, second = (Interval(**each["figures"]["all"][metric]) for each in (chosen, other))
            is_above = first.apart(second) and first.mean > second.mean
            said = "above, intervals apart" if is_above else "not above with intervals apart"
            found.append(
                f"{TASKS[name].title}: {_figure(chosen, metric)} against {_figure(other, metric)}: {said}"
            )
    return found


def as_markdown(measured: Measured) -> str:
    """The figures as a table for the documentation."""
    head = ["data", "metric", "published", "floor", "aim", "chosen by auto", "best baseline", "popularity"]
    lines = [head, ["---"] * len(head), *rows(measured.cards)]
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*table, *(f"\n{line}" for line in above(measured))])


def as_json(measured: Measured) -> str:
    """Everything measured, as one JSON object."""
    return json.dumps(asdict(measured), indent=2)


def _figure(judged: Mapping[str, Any] | None, metric: str) -> str:
    if judged is None:
        return "–"
    found = judged["figures"]["all"][metric]
    return f"{judged['candidate']['model']} {found['mean']:.4f} ({found['low']:.4f} to {found['high']:.4f})"


def _cost(card: Card) -> tuple[str, str, str, str]:
    chosen = card["judged"][0]
    tuning_s = card["searched"]["seconds"] if card["searched"] else 0.0
    return (
        chosen["candidate"]["model"],
        f"{tuning_s:,.0f}",
        f"{chosen['fit_s']:,.1f}",
        f"{card['peak_memory_mb']:,.0f}",
    )

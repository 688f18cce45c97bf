"""Runs one experiment with the arms `live`, `trained`, `blend` and `popular` in a simulated marketplace."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import numpy as np

from bench.arms.log import InteractionLog, ShownLog
from bench.arms.nights import Nights
from bench.arms.paired import PairedClicks
from bench.arms.shop import DAY_S, Shop
from bench.arms.visits import VisitOutcome, VisitRunner
from bench.recommenders.simulated_marketplace import END_MS
from common.configuration.definitions import EXPLORATION_SHARE, HOLDOUT_SHARE
from common.experiments.assignment import Assignment, assign
from common.experiments.definition import STRATEGIES, Arm, Experiment
from experiments.moments import Moments
from producers.simulator.decisions import Behaviour
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import EVENTS_PER_VISIT, HistoryPlan
from producers.simulator.visits import Views, Visits
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.shape import WorldShape
from schemas.published_model.weights import Weights

METRICS: Mapping[str, Callable[[VisitOutcome], float]] = {
    "clicks": lambda one: float(one.clicks),
    "expected_clicks": lambda one: one.expected_clicks,
    "purchases": lambda one: float(one.purchases),
    "purchases_from_lists": lambda one: float(one.from_lists),
    "expected_purchases": lambda one: one.expected_purchases,
    "revenue_minor": lambda one: float(one.revenue_minor),
}
"""What is measured, each per session. Expected figures follow from the true probabilities of the lists."""


SPARE = 1.1
"""Days of the week differ, so a tenth more sessions are drawn. The experiment ends when it has enough."""


@dataclass(frozen=True)
class ArmsPlan:
    """The sizes of an experiment: `sessions` of it, after `warm_up_days` of `days` days in all.

    While it warms up, everybody gets the default strategy. `model` is trained every night; empty means that
    the first training chooses it, within `budget_s`. All strategies are compared on `paired_share` of the
    requests.
    """

    seed: int
    sessions: int = 200_000
    days: int = 28
    warm_up_days: int = 7
    products: int = 3_000
    shoppers: int = 20_000
    sellers: int = 50
    budget_s: float = 30.0
    model: str = ""
    paired_share: float = 0.05

    def history(self) -> SimulatedHistory:
        """Return the marketplace; no visit is a control without lists, because the arms are compared."""
        shape = WorldShape(self.seed, self.sellers, self.products, self.shoppers)
        weeks = -(-self.days // 7)
        registrations = 2 * self.sellers + 2 * self.products + self.shoppers
        per_day = SPARE * self.sessions / (self.days - self.warm_up_days)
        events = registrations + int(7 * weeks * per_day * EVENTS_PER_VISIT)
        plan = HistoryPlan(shape, END_MS, weeks, events)
        return SimulatedHistory(plan, Behaviour(holdout_share=0.0))


@dataclass
class ArmSums:
    """Sums of one visitor: sessions, and each metric by its name, in the experiment and before."""

    sessions: int = 0
    totals: dict[str, float] = field(default_factory=lambda: dict.fromkeys(METRICS, 0.0))
    before: dict[str, float] = field(default_factory=lambda: dict.fromkeys(METRICS, 0.0))


@dataclass
class ExperimentSums:
    """arm → visitor → sums, what visitors did before the experiment, and the sessions of it so far."""

    visitors: dict[str, dict[str, ArmSums]] = field(default_factory=lambda: defaultdict(dict))
    past: dict[str, dict[str, float]] = field(default_factory=dict)
    sessions: int = 0

    def add(self, arm: str | None, visitor: str, outcome: VisitOutcome) -> None:
        """Add a session to the sums of a visitor; without an arm it is before the experiment."""
        nothing = dict.fromkeys(METRICS, 0.0)
        if arm is None:
            totals = self.past.setdefault(visitor, nothing)
        else:
            of_arm = self.visitors[arm]
            if visitor not in of_arm:
                of_arm[visitor] = ArmSums(before=self.past.get(visitor, nothing))
            of_arm[visitor].sessions += 1
            totals = of_arm[visitor].totals
        for name, of in METRICS.items():
            totals[name] += of(outcome)


@dataclass(frozen=True)
class ArmsResult:
    """Each arm's visitors, the model that was trained, the last weights, and why they were learned.

    `paired` compares the strategies on the same requests.
    """

    plan: ArmsPlan
    visitors: Mapping[str, Mapping[str, ArmSums]]
    model: str
    weights: Weights
    reasons: Mapping[str, str]
    paired: PairedClicks

    def moments(self, arm: str, metric: str) -> Moments:
        """Return the moments of a metric per session; the covariate is the metric before the experiment."""
        return Moments.of(
            (one.totals[metric], float(one.sessions), one.before[metric])
            for one in self.visitors[arm].values()
        )

    def sessions(self, arm: str) -> int:
        """Return the number of sessions of an arm."""
        return sum(one.sessions for one in self.visitors[arm].values())


def run(plan: ArmsPlan, on_day: Callable[[int, Mapping[str, str]], None] = lambda *_: None) -> ArmsResult:
    """Simulate an experiment, and return what each visitor of each arm did."""
    history = plan.history()
    world = history.world
    categories = [LEAVES[each].name for each in world.products.category.tolist()]
    shop = Shop(dict(zip(world.products.ids, categories, strict=True)))
    interactions, shown = InteractionLog(), ShownLog()
    nights = Nights(world, plan.budget_s, plan.model)
    start_s = history.plan.start_ms / 1_000
    first_s = start_s + plan.warm_up_days * DAY_S
    assigned = assignments(plan, first_s)
    runner = VisitRunner(shop, history.decisions, interactions, shown, assigned,
                         EXPLORATION_SHARE.default, plan.paired_share, plan.seed)  # fmt: skip
    sums = ExperimentSums()
    for number in range(plan.days):
        day = history.draw_day(number)
        outcomes = []
        for row, first, last in _each_visit(day.visits, day.organic):
            arm = assigned(runner.visitor(day.visits, row), "home", day.visits.started[row] / 1_000).arm
            is_measured = number >= plan.warm_up_days and arm is not None
            outcomes.append(
                (arm if is_measured else None, runner.run(day.visits, day.organic, row, first, last))
            )
            sums.sessions += is_measured
            if sums.sessions == plan.sessions:
                break
        runner.settle()
        for arm, (visitor, outcome) in outcomes:
            sums.add(arm, visitor, outcome)
        shop.end_day()
        if sums.sessions == plan.sessions:
            break
        nights.train(shop, interactions, shown, start_s + (number + 1) * DAY_S)
        on_day(number, nights.reasons)
    model = shop.model.name if shop.model else ""
    return ArmsResult(plan, sums.visitors, model, shop.weights, nights.reasons, runner.paired)


def assignments(plan: ArmsPlan, first_s: float) -> Callable[[str, str, float], Assignment]:
    """Return which arm a visitor gets on a surface at a time; each strategy is an arm of the same share."""
    start = datetime.fromtimestamp(first_s, UTC)
    arms = tuple(Arm(name, name, 1 / len(STRATEGIES)) for name in STRATEGIES)
    experiment = Experiment("arms", "all", "visitor", str(plan.seed), start, None, arms)
    before = datetime.fromtimestamp(first_s - 1, UTC)

    @cache
    def at(visitor: str, surface: str, running: bool) -> Assignment:
        return assign((experiment,), HOLDOUT_SHARE.default, visitor, surface, start if running else before)

    return lambda visitor, surface, at_s: at(visitor, surface, at_s >= first_s)


def _each_visit(visits: Visits, views: Views) -> Iterator[tuple[int, int, int]]:
    """Return each visit, oldest first, with its first view and the one after its last."""
    ends = np.searchsorted(views.visit, np.arange(len(visits)), side="right")
    firsts = np.searchsorted(views.visit, np.arange(len(visits)))
    for row in np.argsort(visits.started, kind="stable").tolist():
        yield row, int(firsts[row]), int(ends[row])

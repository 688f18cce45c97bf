"""Simulates weeks in which visitors click what is recommended, and what they click is recommended next.

Each strategy has a marketplace of its own, with the same shoppers, visits and organic views. In each visit a
list is chosen by the scoring of `serving/recommendations/`, and the simulator says how probable a click on
each place is. A click is a view: it counts in co-visits, in popularity and in the next training, which is at
the end of each week. Rules of the shop, such as limits and exposure, are not applied.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.recommenders.blend import (
    K,
    ViewLog,
    best_list,
    live_rows,
    mixed,
    scores_of,
    trained_rows,
)
from bench.recommenders.co_visits import CoVisits
from bench.recommenders.simulated_marketplace import END_MS
from beyond_accuracy.concentration import RankedSums, gini
from beyond_accuracy.exposure import discount
from beyond_accuracy.reach import catalogue_coverage, popularity_lift
from beyond_accuracy.variety import dominance, intra_list_diversity
from jobs.recommendations.logic import MAX_POPULAR, MAX_RECENT
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.randomness import named_rng
from producers.simulator.world.shape import WorldShape
from schemas.published_model.weights import MAX_DISCOUNT
from serving.recommendations.category_rankings import CategoryRanking, popular_in, relative
from serving.recommendations.recommender import CATEGORIES
from serving.recommendations.scoring import (
    SUPPORT,
    Neighbours,
    Seed,
    covisit_unit,
    favourite_categories,
    fold_in_seeds,
    history,
    seeds,
)


@dataclass(frozen=True)
class DriftStrategy:
    """The weights of co-visits, of the model and of what is popular in the visitor's categories.

    `discounts` says whether popular products rank lower by the largest exponent. Without weights, everybody
    gets popular products.
    """

    weights: tuple[float, float, float] = (0.0, 0.0, 0.0)
    discounts: bool = False


STRATEGIES = {
    "blend of categories": DriftStrategy((0.0, 0.05, 0.95), discounts=True),
    "discounted blend": DriftStrategy((1.0, 1.0, 0.0), discounts=True),
    "blend": DriftStrategy((1.0, 1.0, 0.0)),
    "live": DriftStrategy((1.0, 0.0, 0.0)),
    "popular": DriftStrategy(),
}
"""The first has about the weights that `./souk bench arms` learns."""

WARM_UP_WEEKS = 2
"""Weeks of organic views before the first list, of which the first model learns."""

CLICK_DELAY_S = 30.0


@dataclass(frozen=True)
class DriftBenchPlan:
    """A marketplace, and the weeks in which lists are shown: about `events` / 10 visits in all weeks."""

    seed: int
    weeks: int
    products: int
    shoppers: int
    events: int
    model: str

    def history(self) -> SimulatedHistory:
        """Return the marketplace with its visits and organic views."""
        shape = WorldShape(seed=self.seed, sellers=50, products=self.products, shoppers=self.shoppers)
        return SimulatedHistory(HistoryPlan(shape, END_MS, WARM_UP_WEEKS + self.weeks, self.events))


@dataclass(frozen=True)
class WeekOfLists:
    """The figures of a week (`beyond_accuracy`). `lift` is of the views in this week."""

    lists: int
    click_rate: float
    coverage: float
    gini: float
    lift: float
    diversity: float
    largest_category: float


@dataclass
class ShownInWeek:
    """What was shown and viewed in a week; `categories` are those of each visitor's lists."""

    exposure: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    views: Counter[int] = field(default_factory=Counter)
    categories: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    diversities: list[float] = field(default_factory=list)
    clicked: int = 0

    def add(self, visitor: int, shown: Sequence[int], categories: Sequence[str]) -> None:
        """Count a list."""
        for position, product in enumerate(shown, 1):
            self.exposure[product] += discount(position)
        self.categories[visitor] += categories
        self.diversities.append(intra_list_diversity(categories) or 0.0)

    def figures(self, products: int) -> WeekOfLists:
        """Return the figures over a catalogue of so many products."""
        total = sum(self.exposure.values())
        popularity = sum(self.views[product] * part for product, part in self.exposure.items()) / total
        return WeekOfLists(
            len(self.diversities),
            self.clicked / len(self.diversities),
            catalogue_coverage(len(self.exposure), products) or 0.0,
            gini(RankedSums.of(self.exposure.values()), products) or 0.0,
            popularity_lift(popularity, self.views.total() / products) or 0.0,
            mean(self.diversities),
            mean(dominance(each) or 0.0 for each in self.categories.values()),
        )


class FeedbackLoop:
    """A marketplace in which one strategy recommends."""

    def __init__(self, strategy: DriftStrategy, model: str, categories: Sequence[str]) -> None:
        self._strategy, self._model = strategy, model
        self._category_of = {str(product): category for product, category in enumerate(categories)}
        self._in_category: dict[str, CategoryRanking] = {}
        self._covisits = CoVisits()
        self._recent: dict[int, dict[str, float]] = defaultdict(dict)
        self._views: list[tuple[float, int, int, int]] = []
        self._rows: dict[str, Neighbours] = {}
        self._decay = 1.0
        self._popular: list[str] = []

    def view(self, visitor: int, visit: int, product: int, at_s: float) -> None:
        """Count a view."""
        self._views.append((at_s, visitor, visit, product))
        self._covisits.touch(str(visit), str(product), at_s)
        viewed = self._recent[visitor]
        viewed.pop(str(product), None)
        viewed[str(product)] = at_s
        while len(viewed) > MAX_RECENT:
            del viewed[next(iter(viewed))]

    def train(self) -> None:
        """Learn a model of all views so far, in their order in time, if the strategy has one."""
        if self._strategy.weights[1]:
            times, visitors, visits, products = zip(*sorted(self._views), strict=True)
            log = ViewLog("drift", visitors, visits, products, times)
            self._rows, self._decay = trained_rows(log, len(times), self._model)

    def read_popular(self) -> None:
        """Read the most viewed products anew."""
        interest = self._covisits.interest
        best_first = sorted(interest, key=lambda each: (-interest[each], each))
        self._popular = best_first[: K + MAX_RECENT]
        of_category: dict[str, list[str]] = defaultdict(list)
        for product in best_first:
            of_category[self._category_of[product]].append(product)
        self._in_category = {
            category: relative([(each, interest[each]) for each in products[:MAX_POPULAR]])
            for category, products in of_category.items()
        }

    def recommend(self, visitor: int, now_s: float) -> list[int]:
        """Return a list for a visitor, without what they have viewed."""
        viewed, weights = self._recent[visitor], self._strategy.weights
        scores: dict[str, float] = {}
        if any(weights) and viewed:
            weighted = seeds(viewed, {})
            of_model = fold_in_seeds(history(viewed, {}, {}), self._decay)
            sources = (
                scores_of(weighted, live_rows(self._covisits, weighted, SUPPORT, now_s), viewed),
                scores_of(of_model, self._rows, viewed),
                self._of_categories(weighted, viewed),
            )
            scores = mixed(sources, weights)
            if self._strategy.discounts:
                unit, interest = covisit_unit(now_s), self._covisits.interest
                scores = {
                    each: score / (1.0 + interest.get(each, 0.0) / unit) ** MAX_DISCOUNT
                    for each, score in scores.items()
                }
        return [int(each) for each in best_list(scores, self._popular, viewed)]

    def _of_categories(self, weighted: Sequence[Seed], viewed: Mapping[str, float]) -> dict[str, float]:
        favourites = favourite_categories(weighted, self._category_of, CATEGORIES)
        rankings = {category: self._in_category.get(category, []) for category in favourites}
        found = popular_in(favourites, rankings, viewed, 2 * K)
        best = max((one.score for one in found), default=1.0)
        return {one.product_id: one.score / best for one in found}


def run(plan: DriftBenchPlan, strategy: str) -> list[WeekOfLists]:
    """Return the figures of each week in which a strategy recommends."""
    market = plan.history()
    categories = [str(each) for each in market.world.products.category]
    loop = FeedbackLoop(STRATEGIES[strategy], plan.model, categories)
    weeks, visits_before = [], 0
    for week in range(market.plan.weeks):
        shown_in_week = ShownInWeek()
        for number in range(7 * week, 7 * week + 7):
            day = market.draw_day(number)
            draws = named_rng(plan.seed, "clicks of the drift", number).random((len(day.visits), K))
            views: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for visit, product, at in zip(
                day.organic.visit, day.organic.product, day.organic.at, strict=True
            ):
                views[int(visit)].append((int(product), int(at)))
            loop.read_popular()
            for visit in np.argsort(day.visits.started, kind="stable").tolist():
                shopper, at = int(day.visits.shopper[visit]), int(day.visits.started[visit])
                for product, at in views[visit]:
                    loop.view(shopper, visits_before + visit, product, at / 1_000)
                    shown_in_week.views[product] += 1
                shown = loop.recommend(shopper, at / 1_000) if week >= WARM_UP_WEEKS else []
                if not shown:
                    continue
                shown_in_week.add(shopper, shown, [categories[product] for product in shown])
                positions, codes = np.arange(1, len(shown) + 1), np.array(shown)
                chance = market.decisions.click_probability(np.full(len(shown), shopper), codes, positions)
                clicked = codes[draws[visit][: len(shown)] < chance].tolist()
                shown_in_week.clicked += bool(clicked)
                for place, product in enumerate(clicked, 1):
                    loop.view(shopper, visits_before + visit, product, at / 1_000 + place * CLICK_DELAY_S)
                    shown_in_week.views[product] += 1
            visits_before += len(day.visits)
        loop.train()
        if week >= WARM_UP_WEEKS:
            weeks.append(shown_in_week.figures(len(categories)))
    return weeks


def show(plan: DriftBenchPlan, console: Console) -> None:
    """Simulate every strategy, and print the figures of each week."""
    columns = ("week", "lists", "clicked", "coverage", "Gini", "popularity", "diversity", "largest category")
    table = Table("strategy", *columns, title=f"drift, seed {plan.seed}, {plan.products:,} products")
    for strategy in STRATEGIES:
        for number, week in enumerate(run(plan, strategy), 1):
            table.add_row(
                strategy if number == 1 else "",
                str(number),
                f"{week.lists:,}",
                f"{week.click_rate:.3f}",
                f"{week.coverage:.3f}",
                f"{week.gini:.3f}",
                f"{week.lift:+.2f}",
                f"{week.diversity:.3f}",
                f"{week.largest_category:.3f}",
            )
    table.caption = f"popularity is the lift of views over the catalogue; model {plan.model}"
    console.print(table)

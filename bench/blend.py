"""Replays a log of views, and measures with which weights and support the blend predicts the next product.

A model is trained on the first part of the log. Co-visits are added up while the log is replayed, event by
event, as job `recommendations` does. Before an event, each source ranks products that are new to the visitor;
the product of the event is the hit. The ranking is that of `serving/recommendations/`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.simulated_marketplace import marketplace
from jobs.recommenders.interactions import DAY_S, from_columns
from jobs.recommenders.registry import build
from jobs.training.neighbour_rows import NEIGHBOURS, ServedModel
from serving.recommendations.recommender import CANDIDATES
from serving.recommendations.scoring import (
    COVISIT_HALF_LIFE_S,
    Neighbours,
    Seed,
    cosines,
    fold_in_seeds,
    history,
    score,
    seeds,
)

TRAINED_SHARE, LIVE_SHARE = 0.6, 0.2
"""The share of events of which a model is learned, and the next share, which is before the first case."""

MAX_OF_VISIT = 10
"""The first products of a visit whose pairs count, as in job `recommendations`."""

MAX_RECENT = 20
"""The number of newest products of a visitor, as job `recommendations` stores them."""

K = 12
"""The length of a list, that of the home page."""

GRID = ((1.0, 0.0), (0.0, 1.0), (1.0, 0.25), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0), (0.25, 1.0))
"""Weights of live co-visits and of the trained model."""

SUPPORTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Numbers of co-visits at which a cosine is halved."""


@dataclass(frozen=True)
class ViewLog:
    """Views in the order of time. `times` is in Unix seconds, all columns are [events]."""

    name: str
    visitors: Sequence[int]
    visits: Sequence[int]
    products: Sequence[int]
    times: Sequence[float]


@dataclass
class CoVisits:
    """The sums that job `recommendations` stores, decayed from `start_s` on."""

    start_s: float
    together: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    interest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    of_visit: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, visit: int, product: str, time_s: float) -> None:
        """Count a view."""
        others = self.of_visit[visit]
        if product in others or len(others) >= MAX_OF_VISIT:
            return
        weight = 2.0 ** ((time_s - self.start_s) / COVISIT_HALF_LIFE_S)
        self.interest[product] += weight
        for other in others:
            for one, two in ((product, other), (other, product)):
                self.together[one][two] = self.together[one].get(two, 0.0) + weight
        others.append(product)

    def neighbours(self, product: str, support: float, now_s: float) -> Neighbours:
        """Return the neighbours as `NeighbourCache` does: those with the largest sums, by cosine."""
        best = sorted(self.together[product].items(), key=lambda each: (-each[1], each[0]))[:NEIGHBOURS]
        unit = 2.0 ** ((now_s - self.start_s) / COVISIT_HALF_LIFE_S)
        return cosines(best, self.interest[product], self.interest, support * unit)


@dataclass(frozen=True)
class Case:
    """A product that a visitor viewed next, and the scores of each source, relative to its best.

    `live` has those of the co-visits by support.
    """

    target: str
    live: Mapping[float, Mapping[str, float]]
    trained: Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """Hit rate and mean reciprocal rank at `K`.

    `gain` is the difference of the latter from that of co-visits without support, with 95 % of `half_width`.
    """

    hit_rate: float
    mrr: float
    gain: float
    half_width: float


@dataclass(frozen=True)
class BlendBenchResult:
    """What was measured on one log: co-visits alone by support, and blends by their two weights.

    The blends use the co-visits with `support`.
    """

    log: str
    model: str
    cases: int
    support: float
    by_support: Mapping[float, Measured]
    by_weights: Mapping[tuple[float, float], Measured]


def sessions(path: Path, days: float) -> ViewLog:
    """Read visits without times: columns session, position and item. They are spread evenly over `days`.

    Views of a visit are a minute apart.
    """
    table = pq.read_table(path).sort_by([("session", "ascending"), ("position", "ascending")])
    visits, items = (table[name].to_numpy() for name in ("session", "item"))
    _, number = np.unique(visits, return_inverse=True)
    times = number * (days * DAY_S / (number.max() + 1)) + 60.0 * table["position"].to_numpy()
    order = np.argsort(times, kind="stable")
    columns = (each[order].tolist() for each in (visits, visits, items, times))
    return ViewLog(path.parent.name, *columns)


def simulated(seed: int, products: int, shoppers: int, events: int) -> ViewLog:
    """Return the organic views of a simulated marketplace."""
    market = marketplace(seed, products, shoppers, events)
    days = [market.draw_day(number) for number in range(market.plan.days)]
    firsts = np.cumsum([0, *(len(day.visits.shopper) for day in days)])
    columns = (
        np.concatenate([day.visits.shopper[day.organic.visit] for day in days]),
        np.concatenate([day.organic.visit + first for day, first in zip(days, firsts, strict=False)]),
        np.concatenate([day.organic.product for day in days]),
        np.concatenate([day.organic.at for day in days]) / 1_000,
    )
    order = np.argsort(columns[3], kind="stable")
    return ViewLog(f"simulator, seed {seed}", *(each[order].tolist() for each in columns))


def measure(log: ViewLog, model: str, cases: int, anchored: bool, support: float) -> BlendBenchResult:
    """Replay a log. With `anchored`, the newest product is that of the open page, as on a product page."""
    found = list(_cases(log, model, cases, anchored))
    before = _reciprocal_ranks(found, lambda case: case.live[0.0])
    by_support = {
        each: _measured(_reciprocal_ranks(found, lambda case, each=each: case.live[each]), before)  # type: ignore[misc]
        for each in SUPPORTS
    }
    by_weights = {
        weights: _measured(
            _reciprocal_ranks(found, lambda case, w=weights: _mixed(case, support, *w)),  # type: ignore[misc]
            before,
        )
        for weights in GRID
    }
    return BlendBenchResult(log.name, model, len(found), support, by_support, by_weights)


def show(result: BlendBenchResult, console: Console) -> None:
    """Print the result."""
    table = Table("ranking", f"HR@{K}", f"MRR@{K}", "difference", title=f"{result.log}, {result.model}")
    for support, measured in result.by_support.items():
        table.add_row(f"co-visits, support {support:g}", *_cells(measured))
    for (live, trained), measured in result.by_weights.items():
        table.add_row(f"blend {live:g} : {trained:g}, support {result.support:g}", *_cells(measured))
    table.caption = f"{result.cases:,} cases; the difference of MRR@{K} is from co-visits with support 0"
    console.print(table)


def _cells(measured: Measured) -> tuple[str, ...]:
    difference = f"{measured.gain:+.4f} ± {measured.half_width:.4f}"
    return f"{measured.hit_rate:.4f}", f"{measured.mrr:.4f}", difference


def _cases(log: ViewLog, model: str, cases: int, anchored: bool) -> Iterator[Case]:
    """Replay the log and return about `cases` cases, spread evenly over its newest part."""
    count = len(log.products)
    trained_until, cases_from = int(count * TRAINED_SHARE), int(count * (TRAINED_SHARE + LIVE_SHARE))
    rows, decay = _trained_rows(log, trained_until, model)
    covisits = CoVisits(log.times[0])
    recent: dict[int, dict[str, float]] = defaultdict(dict)
    chosen = set(np.linspace(cases_from, count - 1, cases).astype(int).tolist())
    events = zip(log.visitors, log.visits, log.products, log.times, strict=True)
    for number, (visitor, visit, code, time_s) in enumerate(events):
        product, viewed = str(code), recent[visitor]
        if number in chosen and viewed and product not in viewed:
            anchor = max(viewed, key=viewed.__getitem__) if anchored else None
            weighted = seeds(viewed, {}, anchor)
            live = {
                support: _shares(
                    weighted,
                    {
                        one.product_id: covisits.neighbours(one.product_id, support, time_s)
                        for one in weighted
                    },
                    viewed,
                )
                for support in SUPPORTS
            }
            folded = fold_in_seeds(history(viewed, {}, {}, anchor), decay)
            yield Case(product, live, _shares(folded, rows, viewed))
        covisits.add(visit, product, time_s)
        viewed.pop(product, None)
        viewed[product] = time_s
        while len(viewed) > MAX_RECENT:
            del viewed[next(iter(viewed))]


def _trained_rows(log: ViewLog, until: int, model: str) -> tuple[dict[str, Neighbours], float]:
    """Return the neighbours as they are published, by product, and the decay of the model."""
    columns = (np.array(each[:until]) for each in (log.visitors, log.products, log.times, log.visits))
    visitors, products, times, visits = columns
    fitted = build(model).fit(from_columns(visitors, products, times=times, sessions=visits))
    served = ServedModel.of(fitted)
    rows: dict[str, Neighbours] = {
        product_id: {served.ids[one.code]: one.score for one in row.trained}
        for product_id, row in served.rows()
    }
    return rows, served.trained.decay


def _shares(
    weighted: Sequence[Seed], neighbours: Mapping[str, Neighbours], viewed: Mapping[str, float]
) -> dict[str, float]:
    found = score(weighted, neighbours, CANDIDATES, viewed)
    return {one.product_id: one.score / found[0].score for one in found}


def _mixed(case: Case, support: float, live: float, trained: float) -> dict[str, float]:
    totals = {product: live * share for product, share in case.live[support].items()}
    for product, share in case.trained.items():
        totals[product] = totals.get(product, 0.0) + trained * share
    return totals


def _reciprocal_ranks(
    cases: Sequence[Case], scores_of: Callable[[Case], Mapping[str, float]]
) -> NDArray[np.float64]:
    """Return 1 / rank of each case's target, 0 below `K`: float64 [cases]."""
    found = np.zeros(len(cases))
    for number, case in enumerate(cases):
        scores = scores_of(case)
        if (mine := scores.get(case.target, 0.0)) > 0:
            rank = 1 + sum((other > mine or (other == mine and product < case.target))
                           for product, other in scores.items())  # fmt: skip
            found[number] = 1 / rank if rank <= K else 0.0
    return found


def _measured(ranks: NDArray[np.float64], before: NDArray[np.float64]) -> Measured:
    differences = ranks - before
    half_width = 1.96 * differences.std(ddof=1) / np.sqrt(len(differences))
    return Measured(
        float((ranks > 0).mean()), float(ranks.mean()), float(differences.mean()), float(half_width)
    )

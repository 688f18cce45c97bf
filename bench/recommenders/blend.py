"""Replays a log of views, and measures which support and which weights of the blend choose the best lists.

A model is trained on the first part of the log. Co-visits are added up while the log is replayed, event by
event, as job `recommendations` does. Before an event, each ranking chooses products that are new to the
visitor; the product of the event is the hit. In a simulated marketplace, the expected clicks on the list
are known, too. The rankings are those of `serving/recommendations/`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.recommenders.co_visits import CoVisits
from bench.recommenders.simulated_marketplace import marketplace
from jobs.recommendations.logic import MAX_RECENT
from jobs.recommenders.interactions import DAY_S, from_columns
from jobs.recommenders.registry import build
from jobs.training.neighbour_rows import ServedModel
from producers.simulator.history.days import SimulatedHistory
from serving.recommendations.recommender import CANDIDATES
from serving.recommendations.scoring import (
    Neighbours,
    Seed,
    cosines,
    covisit_unit,
    fold_in_seeds,
    history,
    score,
    seeds,
)

TRAINED_SHARE, LIVE_SHARE = 0.6, 0.2
"""The share of events of which a model is learned, and the next share, which is before the first case."""

K = 12
"""The length of a list, that of the home page."""

SUPPORTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Numbers of co-visits at which a cosine is halved."""

WILSON_Z = 1.0
"""Standard errors of the alternative to the support: the lower bound of the share of co-visits."""

GRID = ((0.0, 1.0), (0.25, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.5), (1.0, 0.25))
"""Weights of live co-visits and of the trained model."""

POPULAR_EVERY = 500
"""The number of cases for which one ranking by popularity is used."""

REFERENCE = "co-visits, support 0"

ClickProbability = Callable[[int, Sequence[str]], float]
"""Visitor and list → the expected number of clicks."""


@dataclass(frozen=True)
class ViewLog:
    """Views in the order of time. `times` is in Unix seconds; all columns are [events].

    `clicks` is known of a simulated log.
    """

    name: str
    visitors: Sequence[int]
    visits: Sequence[int]
    products: Sequence[int]
    times: Sequence[float]
    clicks: ClickProbability | None = None


def by_wilson(covisits: CoVisits, product: str, now_s: float) -> Neighbours:
    """Return the neighbours by their cosine, times the lower bound of their share, relative to the share.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927.
    """
    own, unit = covisits.interest[product], covisit_unit(now_s)
    found = {}
    for other, cosine in cosines(covisits.best(product), own, covisits.interest).items():
        n, share = own / unit, min(1.0, covisits.together[product][other] / own)
        middle = share + WILSON_Z**2 / (2 * n)
        width = WILSON_Z * (share * (1 - share) / n + WILSON_Z**2 / (4 * n * n)) ** 0.5
        found[other] = cosine * (middle - width) / (1 + WILSON_Z**2 / n) / share
    return {other: value for other, value in found.items() if value > 0}


@dataclass(frozen=True)
class Outcomes:
    """Of each case: 1 / rank of the product that was viewed next, else 0, and the expected clicks."""

    reciprocal_ranks: NDArray[np.float64]
    clicks: NDArray[np.float64]


@dataclass(frozen=True)
class BlendBenchResult:
    """The outcomes of each ranking by its name."""

    log: str
    model: str
    outcomes: Mapping[str, Outcomes]


def view_log(sessions_file: Path | None, days: float, seed: int, simulated_events: int) -> ViewLog:
    """Return the log of a file, spread over `days`, or that of a simulated marketplace without a file."""
    if sessions_file:
        return sessions(sessions_file, days)
    return simulated(seed, 3_000, 20_000, simulated_events)


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
    return organic_views(marketplace(seed, products, shoppers, events), seed)


def organic_views(market: SimulatedHistory, seed: int) -> ViewLog:
    """Return the organic views of a marketplace, which the seed names."""
    days = [market.draw_day(number) for number in range(market.plan.days)]
    firsts = np.cumsum([0, *(len(day.visits.shopper) for day in days)])
    columns = (
        np.concatenate([day.visits.shopper[day.organic.visit] for day in days]),
        np.concatenate([day.organic.visit + first for day, first in zip(days, firsts, strict=False)]),
        np.concatenate([day.organic.product for day in days]),
        np.concatenate([day.organic.at for day in days]) / 1_000,
    )
    order = np.argsort(columns[3], kind="stable")

    def clicks(visitor: int, shown: Sequence[str]) -> float:
        codes = np.array([int(each) for each in shown], np.int64)
        positions = np.arange(1, len(codes) + 1)
        shopper = np.full(len(codes), visitor)
        return float(market.decisions.click_probability(shopper, codes, positions).sum())

    visitors, visits, viewed, times = (each[order].tolist() for each in columns)
    return ViewLog(f"simulator, seed {seed}", visitors, visits, viewed, times, clicks)


def measure(log: ViewLog, model: str, cases: int, anchored: bool, support: float) -> BlendBenchResult:
    """Replay a log. With `anchored`, the newest product is that of the open page, as on a product page."""
    ranks: dict[str, list[float]] = defaultdict(list)
    clicks: dict[str, list[float]] = defaultdict(list)
    for visitor, target, lists in _cases(log, model, cases, anchored, support):
        for name, shown in lists.items():
            ranks[name].append(1 / (1 + shown.index(target)) if target in shown else 0.0)
            clicks[name].append(log.clicks(visitor, shown) if log.clicks else np.nan)
    outcomes = {name: Outcomes(np.array(ranks[name]), np.array(clicks[name])) for name in ranks}
    return BlendBenchResult(log.name, model, outcomes)


def show(result: BlendBenchResult, console: Console) -> None:
    """Print the result: differences are from co-visits without support, with 95 % of their half-width."""
    table = outcomes_table(f"{result.log}, {result.model}", result.outcomes, REFERENCE)
    table.caption = f"{table.caption}; differences are from {REFERENCE}"
    console.print(table)


def outcomes_table(title: str, outcomes: Mapping[str, Outcomes], reference: str) -> Table:
    """Return a table of all rankings and their differences from one; the caption counts the lists."""
    columns = (f"HR@{K}", f"MRR@{K}", "difference", "clicks", "difference")
    table = Table("ranking", *columns, title=title)
    before = outcomes[reference]
    for name, each in outcomes.items():
        table.add_row(
            name,
            f"{(each.reciprocal_ranks > 0).mean():.4f}",
            f"{each.reciprocal_ranks.mean():.4f}",
            paired_difference(each.reciprocal_ranks, before.reciprocal_ranks),
            f"{each.clicks.mean():.4f}",
            paired_difference(each.clicks, before.clicks),
        )
    table.caption = f"{len(before.clicks):,} lists of {K}"
    return table


def paired_difference(values: NDArray[np.float64], before: NDArray[np.float64]) -> str:
    """Return the mean difference with half the width of its 95 % interval."""
    gains = values - before
    return f"{gains.mean():+.4f} ± {1.96 * gains.std(ddof=1) / np.sqrt(len(gains)):.4f}"


def _cases(
    log: ViewLog, model: str, cases: int, anchored: bool, support: float
) -> Iterator[tuple[int, str, Mapping[str, Sequence[str]]]]:
    """Yield the visitor, the product that is viewed next, and the list of each ranking; about `cases` times.

    The cases are spread evenly over the newest part of the log.
    """
    count = len(log.products)
    trained_until, cases_from = int(count * TRAINED_SHARE), int(count * (TRAINED_SHARE + LIVE_SHARE))
    rows, decay = trained_rows(log, trained_until, model)
    covisits = CoVisits()
    recent: dict[int, dict[str, float]] = defaultdict(dict)
    chosen = set(np.linspace(cases_from, count - 1, cases).astype(int).tolist())
    popular: list[str] = []
    done = 0
    events = zip(log.visitors, log.visits, log.products, log.times, strict=True)
    for number, (visitor, visit, code, time_s) in enumerate(events):
        product, viewed = str(code), recent[visitor]
        if number in chosen and viewed and product not in viewed:
            if done % POPULAR_EVERY == 0:
                interest = covisits.interest
                popular = sorted(interest, key=interest.__getitem__, reverse=True)[: K + MAX_RECENT]
            done += 1
            anchor = max(viewed, key=viewed.__getitem__) if anchored else None
            weighted = seeds(viewed, {}, anchor)
            live = {
                each: scores_of(weighted, live_rows(covisits, weighted, each, time_s), viewed)
                for each in SUPPORTS
            }
            wilson = {each.product_id: by_wilson(covisits, each.product_id, time_s) for each in weighted}
            trained = scores_of(fold_in_seeds(history(viewed, {}, {}, anchor), decay), rows, viewed)
            scores = {f"co-visits, support {each:g}": found for each, found in live.items()}
            scores[f"co-visits, Wilson's bound, z {WILSON_Z:g}"] = scores_of(weighted, wilson, viewed)
            for weights in GRID:
                name = "blend {:g} : {:g}, support {:g}".format(*weights, support)
                scores[name] = mixed((live[support], trained), weights)
            scores["popular"] = {}
            yield (
                visitor,
                product,
                {name: best_list(found, popular, viewed) for name, found in scores.items()},
            )
        covisits.touch(str(visit), product, time_s)
        viewed.pop(product, None)
        viewed[product] = time_s
        while len(viewed) > MAX_RECENT:
            del viewed[next(iter(viewed))]


def trained_rows(log: ViewLog, until: int, model: str) -> tuple[dict[str, Neighbours], float]:
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


def live_rows(
    covisits: CoVisits, weighted: Sequence[Seed], support: float, now_s: float
) -> dict[str, Neighbours]:
    """Return the neighbours of each seed among the co-visits until `now_s`."""
    return {each.product_id: covisits.neighbours(each.product_id, now_s, support) for each in weighted}


def scores_of(
    weighted: Sequence[Seed], neighbours: Mapping[str, Neighbours], viewed: Mapping[str, float]
) -> dict[str, float]:
    """Return the candidates with their scores, relative to the best."""
    found = score(weighted, neighbours, CANDIDATES, viewed)
    return {one.product_id: one.score / found[0].score for one in found}


def mixed(sources: Sequence[Mapping[str, float]], weights: Sequence[float]) -> dict[str, float]:
    """Return the weighted sums of the scores that are above 0."""
    totals: dict[str, float] = defaultdict(float)
    for scores, weight in zip(sources, weights, strict=True):
        for product, share in scores.items():
            totals[product] += weight * share
    return {product: total for product, total in totals.items() if total > 0}


def best_list(scores: Mapping[str, float], popular: Sequence[str], viewed: Mapping[str, float]) -> list[str]:
    """Return the list of the best `K` products, filled up with popular ones."""
    best = sorted(scores, key=lambda product: (-scores[product], product))[:K]
    others = (each for each in popular if each not in viewed and each not in scores)
    return best + [product for product, _ in zip(others, range(K - len(best)), strict=False)]

"""Replays a log of views, and measures what it brings to train more often than every night.

At each time, a ranking uses the model of the last training, and all use the co-visits until now. A training
every few hours is the upper bound of every refresh between two nights that learns from the same events. The
rankings are those of `bench.recommenders.blend`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np
from rich.console import Console

from bench.recommenders.blend import (
    Outcomes,
    ViewLog,
    best_list,
    live_rows,
    mixed,
    outcomes_table,
    scores_of,
    trained_rows,
)
from bench.recommenders.co_visits import CoVisits
from jobs.recommendations.logic import MAX_RECENT
from jobs.recommenders.interactions import DAY_S
from serving.recommendations.scoring import Neighbours, fold_in_seeds, history, seeds

HOUR_S = 3_600.0
NIGHT_H = 24.0
"""The period of the ranking with which the others are compared."""

BLENDED = "blend, trained every {:g} h"
TRAINED = "model alone, trained every {:g} h"


@dataclass(frozen=True)
class ModelAgeResult:
    """The outcomes of each ranking by its name, and the CPU seconds and the number of the fits."""

    log: str
    model: str
    outcomes: Mapping[str, Outcomes]
    fit_s: float
    fits: int


@dataclass
class _Trainings:
    """The newest model of each period. All periods begin with the log."""

    log: ViewLog
    model: str
    fit_s: float = 0.0
    fits: int = 0

    def __post_init__(self) -> None:
        self._times = np.array(self.log.times)
        self._newest: dict[float, tuple[float, tuple[dict[str, Neighbours], float]]] = {}

    def rows(self, period_h: float, now_s: float) -> tuple[dict[str, Neighbours], float]:
        """Return the neighbours and the decay of the model that was trained last before `now_s`."""
        start_s, period_s = self.log.times[0], period_h * HOUR_S
        trained_s = start_s + (now_s - start_s) // period_s * period_s
        known = self._newest.get(period_h)
        if known is None or known[0] != trained_s:
            began_s = process_time()
            rows = trained_rows(self.log, int(np.searchsorted(self._times, trained_s)), self.model)
            self.fit_s, self.fits = self.fit_s + process_time() - began_s, self.fits + 1
            self._newest[period_h] = known = (trained_s, rows)
        return known[1]


def measure(
    log: ViewLog, model: str, cases: int, periods_h: Sequence[float], days: float, support: float
) -> ModelAgeResult:
    """Replay a log, and choose lists in its last `days` with a model of each period, about `cases` times."""
    trainings = _Trainings(log, model)
    ranks: dict[str, list[float]] = defaultdict(list)
    clicks: dict[str, list[float]] = defaultdict(list)
    for visitor, target, lists in _cases(log, trainings, cases, [NIGHT_H, *periods_h], days, support):
        for name, shown in lists.items():
            ranks[name].append(1 / (1 + shown.index(target)) if target in shown else 0.0)
            clicks[name].append(log.clicks(visitor, shown) if log.clicks else np.nan)
    outcomes = {name: Outcomes(np.array(ranks[name]), np.array(clicks[name])) for name in ranks}
    return ModelAgeResult(log.name, model, outcomes, trainings.fit_s, trainings.fits)


def _cases(
    log: ViewLog, trainings: _Trainings, cases: int, periods_h: Sequence[float], days: float, support: float
) -> Iterator[tuple[int, str, Mapping[str, Sequence[str]]]]:
    """Yield the visitor, the product that is viewed next, and the list of each ranking."""
    count = len(log.products)
    first = int(np.searchsorted(np.array(log.times), log.times[-1] - days * DAY_S))
    chosen = set(np.linspace(first, count - 1, cases).astype(int).tolist())
    covisits, recent = CoVisits(), defaultdict[int, dict[str, float]](dict)
    events = zip(log.visitors, log.visits, log.products, log.times, strict=True)
    for number, (visitor, visit, code, time_s) in enumerate(events):
        product, viewed = str(code), recent[visitor]
        if number in chosen and viewed and product not in viewed:
            weighted = seeds(viewed, {}, None)
            live = scores_of(weighted, live_rows(covisits, weighted, support, time_s), viewed)
            lists = {"co-visits alone": best_list(live, (), viewed)}
            for period_h in periods_h:
                rows, decay = trainings.rows(period_h, time_s)
                trained = scores_of(fold_in_seeds(history(viewed, {}, {}, None), decay), rows, viewed)
                lists[BLENDED.format(period_h)] = best_list(mixed((live, trained), (1, 1)), (), viewed)
                lists[TRAINED.format(period_h)] = best_list(trained, (), viewed)
            yield visitor, product, lists
        covisits.touch(str(visit), product, time_s)
        viewed.pop(product, None)
        viewed[product] = time_s
        while len(viewed) > MAX_RECENT:
            del viewed[next(iter(viewed))]


def show(result: ModelAgeResult, console: Console) -> None:
    """Print the result: differences are from the blend that is trained every night, with 95 % intervals."""
    table = outcomes_table(f"{result.log}, {result.model}", result.outcomes, BLENDED.format(NIGHT_H))
    cost = f"{result.fits} trainings of {result.fit_s / result.fits:.1f} s of CPU"
    table.caption = f"{table.caption}; {cost}"
    console.print(table)

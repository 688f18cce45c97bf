"""Runs trials: fits a candidate, evaluates it on validation splits, and records its duration.

The duration of a trial is predicted from those of earlier trials.
"""

import resource
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import log
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from recommenders.base import Model
from recommenders.evaluation.cases import EvaluationSplit
from recommenders.evaluation.metrics import Metric
from recommenders.evaluation.sets import Floats
from recommenders.model_selection.candidates import Candidate, Models, TrialResult
from recommenders.models.hybrid import FitCache, Hybrid

_DEFAULT_HYBRID_FACTOR = {False: 1.5, True: 4.0}
"""The initial `hybrid_factor` of `CostModel`."""

_MIN_HYBRID_FACTOR = 0.5

_DEFAULT_EXPONENT = 0.8
_EXPONENTS = 0.3, 1.3
"""The exponent of `CostModel` before two sizes were measured, and its bounds."""


class TrialSeconds(NamedTuple):
    """The seconds to fit a model, and to predict and evaluate all cases."""

    fit: float
    predict: float


@dataclass
class CostModel:
    """Predicts the duration of a trial from the last trial of each model.

    `last_fit` maps a model's name to the events and the seconds of its last fit, and `first_fits` to the
    seconds of its first fit on each number of events. The duration of a fit is expected to grow with a power
    of the number of events, which the first fits on the two largest numbers of events give: small for a model
    that inverts a matrix of all products, and near 1 for most others. `predict_s_per_case` maps a
    model's name to seconds. Models without a trial are expected to take no time.

    A hybrid fits those members that are not in the cache, and predicts with all members. If its order is
    learned, it does both twice, first on the split that it learns from. `hybrid_factor` maps whether the
    order is learned to the ratio of a hybrid's prediction time to that of its members. It includes the time
    to learn the order.
    """

    last_fit: dict[str, tuple[int, float]] = field(default_factory=dict)
    first_fits: dict[str, dict[int, float]] = field(default_factory=dict)
    predict_s_per_case: dict[str, float] = field(default_factory=dict)
    hybrid_factor: dict[bool, float] = field(default_factory=lambda: dict(_DEFAULT_HYBRID_FACTOR))

    def expected(self, model: Model, eval_split: EvaluationSplit, cache: FitCache) -> TrialSeconds:
        """Return the expected duration of a trial, given the models in the cache."""
        members: Sequence[Model] = model.member_models if isinstance(model, Hybrid) else [model]
        logs, cases = [eval_split.log], len(eval_split.cases)
        if isinstance(model, Hybrid) and model.learns:
            logs.append(cache.cached_log(eval_split.log, model.learned_from, model.order) or eval_split.log)
            cases += model.learned_from
        fit = sum(
            self.fit_s(each.NAME, len(events))
            for events in logs
            for each in members
            if not cache.has_model(each, events)
        )
        predict = cases * sum(self.predict_s_per_case.get(each.NAME, 0.0) for each in members)
        factor = self.hybrid_factor[model.learns] if isinstance(model, Hybrid) else 1.0
        return TrialSeconds(fit, predict * factor)

    def record(
        self, model: Model, eval_split: EvaluationSplit, expected: TrialSeconds, actual: TrialSeconds
    ) -> None:
        """Update the costs from a trial. A fit that was expected to take no time came from the cache."""
        if isinstance(model, Hybrid):
            members_s = expected.predict / self.hybrid_factor[model.learns]
            if members_s > 0:
                self.hybrid_factor[model.learns] = max(
                    _MIN_HYBRID_FACTOR, (sum(actual) - expected.fit) / members_s
                )
            return
        self.predict_s_per_case[model.NAME] = actual.predict / max(len(eval_split.cases), 1)
        if expected.fit or model.NAME not in self.last_fit:
            events = len(eval_split.log)
            self.last_fit[model.NAME] = events, actual.fit
            self.first_fits.setdefault(model.NAME, {}).setdefault(events, actual.fit)

    def fit_s(self, name: str, events: int) -> float:
        """Return the expected seconds to fit a model on this many events; 0 before its first trial."""
        if name not in self.last_fit:
            return 0.0
        last_events, seconds = self.last_fit[name]
        return float(seconds * (events / last_events) ** self._exponent(name))

    def _exponent(self, name: str) -> float:
        *others, (largest, largest_s) = sorted(self.first_fits[name].items())
        smaller = [(events, seconds) for events, seconds in others if 2 * events <= largest]
        if not smaller or not smaller[-1][1] or not largest_s:
            return _DEFAULT_EXPONENT
        events, seconds = smaller[-1]
        low, high = _EXPONENTS
        return min(max(log(largest_s / seconds) / log(largest / events), low), high)


FIT_CACHE_BYTES = 800_000_000
"""The largest size of the fitted models that a search keeps for reuse."""

FIT_CACHE_SHARE = 0.25
"""Their largest share of the memory that the process may allocate, if that is limited."""

TrialKey = tuple[Candidate, tuple[tuple[str, int, int], ...]]
"""A candidate, and the name and the numbers of events and cases of each split."""


@dataclass
class TrialRunner:
    """Runs each candidate at most once on splits of the same sizes.

    `skipped` maps the name of a model that can't be fitted to the reason.
    """

    models: Models
    metrics: Sequence[Metric]
    repeats: bool
    clock: Callable[[], float]
    skipped: dict[str, str] = field(default_factory=dict)
    cache: FitCache = field(default_factory=lambda: FitCache(cache_bytes()))
    costs: CostModel = field(default_factory=CostModel)
    results: dict[TrialKey, TrialResult] = field(default_factory=dict)

    def expected_s(self, candidate: Candidate, eval_splits: Sequence[EvaluationSplit]) -> float:
        """Return the expected seconds of a trial; 0 if the candidate has run or its model is skipped."""
        if candidate.model in self.skipped or _key(candidate, eval_splits) in self.results:
            return 0.0
        model = candidate.build(self.models)
        return sum(sum(self.costs.expected(model, eval_split, self.cache)) for eval_split in eval_splits)

    def fit_s(self, candidate: Candidate, eval_split: EvaluationSplit) -> float:
        """Return the expected seconds to fit without a cache, including the time to learn an order."""
        without_cases = replace(eval_split, cases=eval_split.cases.sample(0, 0))
        return sum(self.costs.expected(candidate.build(self.models), without_cases, FitCache()))

    def run_all(
        self, candidates: Sequence[Candidate], stage: str, eval_splits: Sequence[EvaluationSplit]
    ) -> list[TrialResult]:
        """Return the results of all candidates except those that can't be fitted.

        All candidates run on one split before the next split, so that hybrids share fitted members.
        """
        outcomes: dict[Candidate, list[tuple[Floats, float]]] = {
            each: [] for each in candidates if _key(each, eval_splits) not in self.results
        }
        for eval_split in eval_splits:
            for candidate, by_split in outcomes.items():
                if candidate.model not in self.skipped:
                    by_split += self._run(candidate, eval_split)
        for candidate, by_split in outcomes.items():
            if len(by_split) == len(eval_splits):
                mean_metrics, seconds = zip(*by_split, strict=True)
                self.results[_key(candidate, eval_splits)] = TrialResult(
                    candidate, stage, mean_metrics, len(eval_splits[0].log), sum(seconds)
                )
        keys = [_key(each, eval_splits) for each in candidates]
        return [replace(self.results[key], stage=stage) for key in keys if key in self.results]

    def mean_metrics(self, model: Model, eval_split: EvaluationSplit) -> Floats:
        """Return the mean of the metrics for each case of a split, float64 [cases]."""
        ranked = eval_split.cases.rank_with(model, max(metric.k for metric in self.metrics), self.repeats)
        by_metric = eval_split.cases.evaluate(ranked, self.metrics)["all"].by_metric
        return np.asarray(np.mean([by_metric[metric] for metric in self.metrics], axis=0))

    def _run(self, candidate: Candidate, eval_split: EvaluationSplit) -> list[tuple[Floats, float]]:
        model = candidate.build(self.models)
        expected = self.costs.expected(model, eval_split, self.cache)
        began_s = self.clock()
        try:
            model = self._fitted_in_memory(model, eval_split)
            fitted_s = self.clock()
            mean_metrics = self.mean_metrics(model, eval_split)
        except UserError as error:
            self.skipped[candidate.model] = str(error)
            return []
        except MemoryError:
            self.skipped[candidate.model] = "it needs more memory than there is"
            return []
        actual = TrialSeconds(fitted_s - began_s, self.clock() - fitted_s)
        self.costs.record(model, eval_split, expected, actual)
        return [(mean_metrics, sum(actual))]

    def _fitted_in_memory(self, model: Model, eval_split: EvaluationSplit) -> Model:
        """Fit, and if the memory is not enough, once more without what the cache holds."""
        with suppress(MemoryError):
            return self._fitted(model, eval_split)
        self.cache.clear()
        return self._fitted(model, eval_split)

    def _fitted(self, model: Model, eval_split: EvaluationSplit) -> Model:
        if not isinstance(model, Hybrid):
            return self.cache.fit(model, eval_split.log)
        model.cache = self.cache
        return model.fit(eval_split.log)


def cache_bytes() -> int:
    """Return how many bytes of fitted models a search keeps in this process."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit == resource.RLIM_INFINITY:
        return FIT_CACHE_BYTES
    return min(FIT_CACHE_BYTES, int(FIT_CACHE_SHARE * limit))


def _key(candidate: Candidate, eval_splits: Sequence[EvaluationSplit]) -> TrialKey:
    return candidate, tuple((each.name, len(each.log), len(each.cases)) for each in eval_splits)

"""Tries candidates on validation cuts: fits, asks, judges, and notes what each took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from common.errors import UserError
from jobs.recommenders.auto.candidates import Candidate, Models
from jobs.recommenders.auto.costs import CostModel, TrialSeconds
from jobs.recommenders.auto.trials import TrialResult
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.cases import EvaluationSplit
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.sets import Floats
from jobs.recommenders.fit_cache import FitCache
from jobs.recommenders.models.hybrid import Hybrid

FIT_CACHE_BYTES = 800_000_000
"""Bytes of fitted models that are kept while a search may ask for them again."""

TrialKey = tuple[Candidate, tuple[tuple[int, int], ...]]


@dataclass
class TrialRunner:
    """Tries each candidate once on cuts of the same sizes. `skipped`: why a model can't be used, by name."""

    models: Models
    metrics: Sequence[Metric]
    repeats: bool
    clock: Callable[[], float]
    skipped: dict[str, str] = field(default_factory=dict)
    cache: FitCache = field(default_factory=lambda: FitCache(FIT_CACHE_BYTES))
    costs: CostModel = field(default_factory=CostModel)
    results: dict[TrialKey, TrialResult] = field(default_factory=dict)

    def expected_s(self, candidate: Candidate, eval_splits: Sequence[EvaluationSplit]) -> float:
        """Seconds that a try will take, as far as its model was tried before; 0 if it is known already."""
        if candidate.model in self.skipped or _key(candidate, eval_splits) in self.results:
            return 0.0
        model = candidate.build(self.models)
        return sum(sum(self.costs.expected(model, eval_split, self.cache)) for eval_split in eval_splits)

    def fit_s(self, candidate: Candidate, eval_split: EvaluationSplit) -> float:
        """Seconds to fit where nothing is remembered, and nobody is asked but to learn from."""
        nobody = replace(eval_split, cases=eval_split.cases.sample(0, 0))
        return sum(self.costs.expected(candidate.build(self.models), nobody, FitCache()))

    def run_all(
        self, candidates: Sequence[Candidate], stage: str, eval_splits: Sequence[EvaluationSplit]
    ) -> list[TrialResult]:
        """What was found of candidates, all of them on one cut before the next, so that hybrids find their
        members fitted. Who can't be fitted is left out.
        """
        found: dict[Candidate, list[tuple[Floats, float]]] = {
            each: [] for each in candidates if _key(each, eval_splits) not in self.results
        }
        for eval_split in eval_splits:
            for candidate, on_cuts in found.items():
                if candidate.model not in self.skipped:
                    on_cuts += self._run(candidate, eval_split)
        for candidate, on_cuts in found.items():
            if len(on_cuts) == len(eval_splits):
                mean_metrics, seconds = zip(*on_cuts, strict=True)
                result = TrialResult(candidate, stage, mean_metrics, len(eval_splits[0].log), sum(seconds))
                self.results[_key(candidate, eval_splits)] = result
        keys = [_key(each, eval_splits) for each in candidates]
        return [replace(self.results[key], stage=stage) for key in keys if key in self.results]

    def mean_metrics(self, model: Model, eval_split: EvaluationSplit) -> Floats:
        """The mean of the metrics in each case of a cut, float64 [cases]."""
        ranked = eval_split.cases.rank_with(model, max(metric.k for metric in self.metrics), self.repeats)
        by_metric = eval_split.cases.evaluate(ranked, self.metrics)["all"].by_metric
        mean: Floats = np.mean([by_metric[metric] for metric in self.metrics], axis=0)
        return mean

    def _run(self, candidate: Candidate, eval_split: EvaluationSplit) -> list[tuple[Floats, float]]:
        model = candidate.build(self.models)
        expected = self.costs.expected(model, eval_split, self.cache)
        began_s = self.clock()
        try:
            model = self._fitted(model, eval_split)
        except UserError as error:
            self.skipped[candidate.model] = str(error)
            return []
        fitted_s = self.clock()
        mean_metrics = self.mean_metrics(model, eval_split)
        took = TrialSeconds(fitted_s - began_s, self.clock() - fitted_s)
        self.costs.record(model, eval_split, expected, took)
        return [(mean_metrics, sum(took))]

    def _fitted(self, model: Model, eval_split: EvaluationSplit) -> Model:
        if not isinstance(model, Hybrid):
            return self.cache.fit(model, eval_split.log)
        model.cache = self.cache
        return model.fit(eval_split.log)


def _key(candidate: Candidate, eval_splits: Sequence[EvaluationSplit]) -> TrialKey:
    return candidate, tuple((len(eval_split.log), len(eval_split.cases)) for eval_split in eval_splits)

"""Tries candidates on validation cuts: fits, asks, judges, and notes what each took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from common.errors import UserError
from jobs.recommenders.auto.candidates import Candidate, Models
from jobs.recommenders.auto.costs import Costs, Seconds
from jobs.recommenders.auto.tried import Tried
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.cases import Trial
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.sets import Floats
from jobs.recommenders.memo import Memo
from jobs.recommenders.models.hybrid import Hybrid

REMEMBERED = 800_000_000
"""Bytes of fitted models that are kept while a search may ask for them again."""

Key = tuple[Candidate, tuple[tuple[int, int], ...]]


@dataclass
class Trying:
    """Tries each candidate once on cuts of the same sizes. `skipped`: why a model can't be used, by name."""

    models: Models
    metrics: Sequence[Metric]
    repeats: bool
    clock: Callable[[], float]
    skipped: dict[str, str] = field(default_factory=dict)
    memo: Memo = field(default_factory=lambda: Memo(REMEMBERED))
    costs: Costs = field(default_factory=Costs)
    known: dict[Key, Tried] = field(default_factory=dict)

    def expected_s(self, candidate: Candidate, trials: Sequence[Trial]) -> float:
        """Seconds that a try will take, as far as its model was tried before; 0 if it is known already."""
        if candidate.model in self.skipped or _key(candidate, trials) in self.known:
            return 0.0
        model = candidate.build(self.models)
        return sum(sum(self.costs.expected(model, trial, self.memo)) for trial in trials)

    def fit_s(self, candidate: Candidate, trial: Trial) -> float:
        """Seconds to fit where nothing is remembered, and nobody is asked but to learn from."""
        nobody = replace(trial, cases=trial.cases.sample(0, 0))
        return sum(self.costs.expected(candidate.build(self.models), nobody, Memo()))

    def all_of(self, candidates: Sequence[Candidate], stage: str, trials: Sequence[Trial]) -> list[Tried]:
        """What was found of candidates, all of them on one cut before the next, so that hybrids find their
        members fitted. Who can't be fitted is left out.
        """
        found: dict[Candidate, list[tuple[Floats, float]]] = {
            each: [] for each in candidates if _key(each, trials) not in self.known
        }
        for trial in trials:
            for candidate, on_cuts in found.items():
                if candidate.model not in self.skipped:
                    on_cuts += self._on(candidate, trial)
        for candidate, on_cuts in found.items():
            if len(on_cuts) == len(trials):
                values, seconds = zip(*on_cuts, strict=True)
                tried = Tried(candidate, stage, values, len(trials[0].log), sum(seconds))
                self.known[_key(candidate, trials)] = tried
        keys = [_key(each, trials) for each in candidates]
        return [replace(self.known[key], stage=stage) for key in keys if key in self.known]

    def values(self, model: Model, trial: Trial) -> Floats:
        """The mean of the metrics in each case of a cut, float64 [cases]."""
        ranked = trial.cases.ask(model, max(metric.k for metric in self.metrics), self.repeats)
        by_metric = trial.cases.judge(ranked, self.metrics)["all"].by_metric
        mean: Floats = np.mean([by_metric[metric] for metric in self.metrics], axis=0)
        return mean

    def _on(self, candidate: Candidate, trial: Trial) -> list[tuple[Floats, float]]:
        model = candidate.build(self.models)
        expected = self.costs.expected(model, trial, self.memo)
        began_s = self.clock()
        try:
            model = self._fitted(model, trial)
        except UserError as error:
            self.skipped[candidate.model] = str(error)
            return []
        fitted_s = self.clock()
        values = self.values(model, trial)
        took = Seconds(fitted_s - began_s, self.clock() - fitted_s)
        self.costs.note(model, trial, expected, took)
        return [(values, sum(took))]

    def _fitted(self, model: Model, trial: Trial) -> Model:
        if not isinstance(model, Hybrid):
            return self.memo.fit(model, trial.log)
        model.memo = self.memo
        return model.fit(trial.log)


def _key(candidate: Candidate, trials: Sequence[Trial]) -> Key:
    return candidate, tuple((len(trial.log), len(trial.cases)) for trial in trials)

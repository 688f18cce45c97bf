"""What a search is given, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recommenders.evaluation.cases import EvaluationSplit
from recommenders.evaluation.loaders.dataset import Dataset
from recommenders.evaluation.metrics import Metric
from recommenders.model_selection.candidates import Candidate, Models
from recommenders.model_selection.comparison import EvaluationOptions
from recommenders.model_selection.trials import TrialResult, best_first

OnProgress = Callable[[int, int, str], None]
"""Is called with the elapsed seconds, the total seconds, and a description of the current step."""


@dataclass(frozen=True)
class SearchPlan:
    """The models to search, the validation splits, the metrics whose mean decides, and the time budget.

    The last stage uses `confirmation_splits`, or the same splits if there are none. The same plan runs the
    same candidates in the same order. Only their number and the sizes of samples depend on the machine.
    """

    models: Models
    eval_splits: Sequence[EvaluationSplit]
    metrics: Sequence[Metric]
    repeats: bool
    budget_s: float
    seed: int
    confirmation_splits: Sequence[EvaluationSplit] = ()

    @classmethod
    def of(cls, dataset: Dataset, options: EvaluationOptions, budget_s: float) -> "SearchPlan":
        """Return the plan for a data set."""
        return cls(
            options.models,
            dataset.validation_splits(options.seed),
            options.metrics,
            options.repeats,
            budget_s,
            options.seed,
            dataset.confirmation_splits(options.seed) if dataset.confirmation_splits else (),
        )


@dataclass(frozen=True)
class SearchResult:
    """The best trial, all trials, the stages with too little time, and why models can't be fitted.

    `split_names` are the names of the validation splits of the best trial.
    """

    best: TrialResult
    trials: Sequence[TrialResult]
    cut_short: Sequence[str]
    skipped: dict[str, str]
    split_names: Sequence[str]

    def best_of(self, names: Sequence[str]) -> Candidate | None:
        """Return the best candidate of the given models in the last stage that any of them reached."""
        trials = [each for each in self.trials if each.candidate.model in names]
        if not trials:
            return None
        return best_first([each for each in trials if each.stage == trials[-1].stage])[0].candidate

"""Searches models and their settings, stage by stage, for the best candidate on all validation splits."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from common.errors import UserError
from jobs.recommenders.auto import rounds
from jobs.recommenders.auto.candidates import Candidate, Models, hybrid_candidate, sample_candidates
from jobs.recommenders.auto.comparison import EvaluationOptions
from jobs.recommenders.auto.stages import (
    CONFIRM_SHARE,
    STAGES,
    WARM_UP,
    SampleSize,
    Stage,
    affordable,
    fitting_subset,
    subsample,
)
from jobs.recommenders.auto.trial_runner import TrialRunner
from jobs.recommenders.auto.trials import TrialResult, best_first, complementary_models
from jobs.recommenders.evaluation.cases import EvaluationSplit
from jobs.recommenders.evaluation.loaders.dataset import Dataset
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.models.hybrid import Hybrid

OnProgress = Callable[[int, int, str], None]
"""Is called with the elapsed seconds, the total seconds, and a description of the current step."""

FINAL_FIT_MARGIN = 1.25
"""The time reserved for the final fit, relative to its expected time."""

FIRST_ROUND_SHARE = 0.5
"""The share of the remaining time that the first round of a stage may take."""

OVERRUN_SHARE = 0.1
"""How far a stage may overrun if trials are slower than expected, relative to the remaining time."""


@dataclass(frozen=True)
class SearchPlan:
    """The models to search, the validation splits, the metrics whose mean decides, and the time budget.

    The same plan runs the same candidates in the same order. Only their number depends on the machine.
    """

    models: Models
    eval_splits: Sequence[EvaluationSplit]
    metrics: Sequence[Metric]
    repeats: bool
    budget_s: float
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, options: EvaluationOptions, budget_s: float) -> "SearchPlan":
        """Return the plan for a data set."""
        eval_splits = dataset.validation_splits(options.seed)
        return cls(options.models, eval_splits, options.metrics, options.repeats, budget_s, options.seed)


@dataclass(frozen=True)
class SearchResult:
    """The best trial, all trials, the stages with too little time, and why models can't be fitted."""

    best: TrialResult
    trials: Sequence[TrialResult]
    cut_short: Sequence[str]
    skipped: dict[str, str]

    def best_of(self, names: Sequence[str]) -> Candidate | None:
        """Return the best candidate of the given models in the last stage that any of them reached."""
        trials = [each for each in self.trials if each.candidate.model in names]
        if not trials:
            return None
        return best_first([each for each in trials if each.stage == trials[-1].stage])[0].candidate


def choose(
    plan: SearchPlan, on_progress: OnProgress, clock: Callable[[], float] = time.monotonic
) -> SearchResult:
    """Search within the budget. Time for the final fit is reserved, and not used for the search.

    Raises:
        UserError: no model can be fitted on this log.
    """
    runner = TrialRunner(plan.models, plan.metrics, plan.repeats, clock)
    return _Search(plan, on_progress, clock, runner).run()


@dataclass
class _Search:
    plan: SearchPlan
    on_progress: OnProgress
    clock: Callable[[], float]
    runner: TrialRunner
    trials: list[TrialResult] = field(default_factory=list)
    leaders: list[TrialResult] = field(default_factory=list)
    """All trials with the sample size of the last trial, best first."""
    size: SampleSize = WARM_UP
    eval_splits: dict[SampleSize, list[EvaluationSplit]] = field(default_factory=dict)
    cut_short: list[str] = field(default_factory=list)
    began_s: float = 0.0

    def run(self) -> SearchResult:
        self._warm_up()
        self.began_s = self.clock()
        for stage in STAGES:
            self._run_stage(stage)
        skipped = self.runner.skipped
        if not self.leaders:
            reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
            raise UserError(f"no model can be fitted on this log ({reasons})")
        return SearchResult(self.leaders[0], self.trials, self.cut_short, skipped)

    def _warm_up(self) -> None:
        """Run every model on a tiny sample, so that the budget excludes the one-time compilation."""
        eval_split = subsample(self.plan.eval_splits[0], WARM_UP, self.plan.seed)
        for candidate in sample_candidates(self.plan.models, 0, self.plan.seed):
            self.on_progress(0, round(self.plan.budget_s), f"compiling {candidate.model}")
            with suppress(UserError):  # the first trial of the model records the error
                model = candidate.build(self.plan.models).fit(eval_split.log)
                self.runner.mean_metrics(model, eval_split)

    def _rounds(self, stage: Stage) -> Iterator[list[Candidate]]:
        models, log = self.plan.models, self.plan.eval_splits[0].log
        rounds_of: dict[str, Callable[[], Iterator[list[Candidate]]]] = {
            "explore": lambda: rounds.explore(models, self.plan.seed),
            "narrow": lambda: rounds.narrow(lambda: self.leaders),
            "refine": lambda: rounds.refine(lambda: self.leaders, models),
            "combine": lambda: rounds.combine(lambda: self.leaders, models, log),
            "confirm": lambda: rounds.confirm(lambda: self.leaders),
        }
        return rounds_of[stage.name]()

    def _run_stage(self, stage: Stage) -> None:
        size = stage.size or self.size
        eval_splits, began_s = self._subsampled(size), self.clock()
        for place, candidates in enumerate(self._rounds(stage)):
            left_s = max(self._end_s() - began_s, 0.0)
            until_s = began_s + min(stage.share * left_s, left_s - self._confirm_reserve_s(stage))
            first_s = began_s + max(stage.share, FIRST_ROUND_SHARE) * left_s if place == 0 else until_s
            if stage.batched:
                chosen = self._fitting_subset(candidates, eval_splits, first_s)
            else:
                chosen = self._affordable(candidates, eval_splits, until_s)
                min_candidates = min(stage.min_candidates, len(candidates)) if place == 0 else 0
                if len(chosen) < min_candidates:
                    chosen = self._affordable(candidates[:min_candidates], eval_splits, first_s)
                    chosen = chosen if len(chosen) == min_candidates or not self.trials else []
            latest_s = min(first_s + OVERRUN_SHARE * left_s, began_s + left_s)
            results, in_time = self._run_round(chosen, stage, eval_splits, latest_s)
            self._update_leaders(size, results)
            if not in_time or (not chosen and place == 0):
                self.cut_short.append(stage.name)
            if not in_time or not results or (len(chosen) < len(candidates) and not stage.batched):
                return

    def _end_s(self) -> float:
        return self.began_s + self.plan.budget_s - self._final_fit_s()

    def _subsampled(self, size: SampleSize) -> list[EvaluationSplit]:
        """Return the splits of this sample size, from a cache."""
        if size not in self.eval_splits:
            self.eval_splits[size] = [
                subsample(eval_split, size, self.plan.seed) for eval_split in self.plan.eval_splits
            ]
        return self.eval_splits[size]

    def _affordable(
        self, candidates: Sequence[Candidate], eval_splits: Sequence[EvaluationSplit], until_s: float
    ) -> Sequence[Candidate]:
        """Return the first candidates for which there is time; at least one if there was no trial yet."""
        expected_s = [self.runner.expected_s(each, eval_splits) for each in candidates]
        return candidates[: max(affordable(expected_s, until_s - self.clock()), 0 if self.trials else 1)]

    def _fitting_subset(
        self, candidates: Sequence[Candidate], eval_splits: Sequence[EvaluationSplit], until_s: float
    ) -> Sequence[Candidate]:
        expected_s = [self.runner.expected_s(each, eval_splits) for each in candidates]
        return [candidates[place] for place in fitting_subset(expected_s, until_s - self.clock())]

    def _run_round(
        self,
        candidates: Sequence[Candidate],
        stage: Stage,
        eval_splits: Sequence[EvaluationSplit],
        latest_s: float,
    ) -> tuple[list[TrialResult], bool]:
        """Run candidates. Return the results, and whether there was time for all.

        A trial that is expected to end after `latest_s` is not started.
        """
        results: list[TrialResult] = []
        groups = [candidates] if stage.batched and candidates else [[each] for each in candidates]
        for group in groups:
            spent_s = self.clock() - self.began_s
            expected_s = sum(self.runner.expected_s(each, eval_splits) for each in group)
            if self.clock() + expected_s > latest_s and self.trials and not stage.batched:
                return results, False
            self.on_progress(
                min(int(spent_s), round(self.plan.budget_s)),
                round(self.plan.budget_s),
                f"{stage.name}: {', '.join(dict.fromkeys(each.model for each in group))}",
            )
            new = self.runner.run_all(group, stage.name, eval_splits)
            self.trials += new
            results += new
        return results, True

    def _confirm_reserve_s(self, stage: Stage) -> float:
        """Return the seconds to reserve for the last stage."""
        if stage is STAGES[-1] or not self.leaders:
            return 0.0
        eval_splits = self._subsampled(STAGES[-1].size or self.size)
        best = chain(*rounds.confirm(lambda: self.leaders))
        needed_s = sum(self.runner.expected_s(each, eval_splits) for each in best)
        return min(needed_s, CONFIRM_SHARE * self.plan.budget_s)

    def _update_leaders(self, size: SampleSize, results: Sequence[TrialResult]) -> None:
        if results:
            self.leaders = best_first([*(self.leaders if size == self.size else []), *results])
            self.size = size

    def _final_fit_s(self) -> float:
        """Return the seconds to reserve for the final fit: of a hybrid until one ran, then of the leader."""
        if not self.leaders:
            return 0.0
        best = self.leaders[0].candidate
        members = complementary_models(self.leaders)[: rounds.MEMBERS]
        has_hybrid = any(each.candidate.model == Hybrid.NAME for each in self.trials)
        if Hybrid.NAME in self.plan.models and len(members) > 1 and not has_hybrid:
            best = hybrid_candidate(members, "last")
        return min(
            FINAL_FIT_MARGIN * self.runner.fit_s(best, self.plan.eval_splits[0]), self.plan.budget_s / 2
        )

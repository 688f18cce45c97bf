"""Searches models and their settings, stage by stage, for the best candidate on all validation splits."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

from common.errors import UserError
from recommenders.evaluation.cases import Dataset, EvaluationSplit
from recommenders.evaluation.metrics import Metric
from recommenders.model_selection import rounds
from recommenders.model_selection.candidates import (
    Candidate,
    Models,
    TrialResult,
    best_first,
    complementary_models,
    hybrid_candidate,
    sample_candidates,
    select_winner,
)
from recommenders.model_selection.comparison import EvaluationOptions
from recommenders.model_selection.stages import (
    CONFIRM_SHARE,
    CONFIRM_SIZE,
    PILOT,
    PILOTS,
    STAGES,
    WARM_UP,
    Samples,
    SampleSize,
    Stage,
    affordable,
    fitting_subset,
    subsample,
)
from recommenders.model_selection.trial_runner import TrialRunner
from recommenders.models.hybrid import Hybrid

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


FINAL_FIT_MARGIN = 1.25
"""The time reserved for the final fit, relative to its expected time."""

OVERRUN_SHARE = 0.1
"""How far a stage may overrun if trials are slower than expected, relative to the remaining time."""


def choose(
    plan: SearchPlan, on_progress: OnProgress, clock: Callable[[], float] = time.monotonic
) -> SearchResult:
    """Search within the budget. Time for the final fit is reserved, and not used for the search.

    Raises:
        UserError: no model can be fitted on this log.
    """
    runner = TrialRunner(plan.models, plan.metrics, plan.repeats, clock)
    samples = Samples(plan.eval_splits, plan.confirmation_splits, plan.seed)
    return _Search(plan, on_progress, clock, runner, samples).run()


@dataclass
class _Search:
    plan: SearchPlan
    on_progress: OnProgress
    clock: Callable[[], float]
    runner: TrialRunner
    samples: Samples
    trials: list[TrialResult] = field(default_factory=list)
    leaders: list[TrialResult] = field(default_factory=list)
    """All trials with the current sample size, best first."""
    size: SampleSize = WARM_UP
    confirmed: list[TrialResult] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    began_s: float = 0.0
    may_combine: bool = True
    """Whether the first hybrid may still come."""

    def run(self) -> SearchResult:
        self._warm_up()
        self.began_s = self.clock()
        self._run_pilot()
        for stage in STAGES:
            self._run_stage(stage)
            self.may_combine = self.may_combine and stage.name != "combine"
        skipped = self.runner.skipped
        if not self.leaders:
            reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
            raise UserError(f"no model can be fitted on this log ({reasons})")
        best = select_winner(self.confirmed or self.leaders)
        names = [each.name for each in self.plan.eval_splits]
        if self.confirmed and self.plan.confirmation_splits:
            names = [self.plan.confirmation_splits[0].name]
        return SearchResult(best, self.trials, self.cut_short, skipped, names)

    @property
    def _ordered(self) -> bool:
        return self.plan.eval_splits[0].log.ordered

    def _warm_up(self) -> None:
        """Run every model on a tiny sample, so that the budget excludes the one-time compilation.

        A MemoryError is not caught: OpenBLAS, whose buffers are not allocated yet, waits for ever for memory.
        """
        eval_split = subsample(self.plan.eval_splits[0], WARM_UP, self.plan.seed)
        for candidate in sample_candidates(self.plan.models, 0, self.plan.seed, self._ordered):
            self.on_progress(0, round(self.plan.budget_s), f"compiling {candidate.model}")
            with suppress(UserError):  # the first trial of the model records the error
                model = candidate.build(self.plan.models).fit(eval_split.log)
                self.runner.mean_metrics(model, eval_split)

    def _run_pilot(self) -> None:
        """Run every model on small samples of a large log, to predict the duration of larger trials."""
        if len(self.plan.eval_splits[0].log) <= PILOT.events:
            return
        for size in PILOTS:
            for candidate in next(rounds.explore(self.plan.models, self.plan.seed, self._ordered)):
                if self.clock() < self._end_s() or not self.trials:
                    self._update_leaders(size, self._run_group([candidate], "pilot", self.samples.of(size)))

    def _rounds(self, stage: Stage) -> Iterator[list[Candidate]]:
        models, seed, log = self.plan.models, self.plan.seed, self.plan.eval_splits[0].log
        rounds_of: dict[str, Callable[[], Iterator[list[Candidate]]]] = {
            "explore": lambda: rounds.explore(models, seed, log.ordered),
            "narrow": lambda: rounds.narrow(lambda: self.leaders),
            "refine": lambda: rounds.refine(lambda: self.leaders, models, log.ordered),
            "combine": lambda: rounds.combine(lambda: self.leaders, models, log),
            "extend": lambda: rounds.extend(lambda: self.leaders, models, seed, log.ordered),
        }
        return rounds_of[stage.name]()

    def _run_stage(self, stage: Stage) -> None:
        began_s = self.clock()
        if stage is STAGES[-1]:
            self._confirm()
            return
        for place, candidates in enumerate(self._rounds(stage)):
            if place == 0 and stage.sizes:
                if not self._run_whole_round(stage, candidates):
                    return
                continue
            left_s = max(self._end_s() - began_s, 0.0)
            until_s = began_s + min(stage.share * left_s, left_s - self._confirm_reserve_s(stage))
            chosen = self._that_fit(stage, candidates, until_s)
            latest_s = min(until_s + OVERRUN_SHARE * left_s, began_s + left_s)
            results, in_time = self._run_round(chosen, stage, latest_s)
            self._update_leaders(self.size, results)
            if (not in_time or (not chosen and place == 0)) and not stage.optional:
                self.cut_short.append(stage.name)
            if stage.batched and place == 0:
                continue  # the next round is smaller if nothing fitted
            if not in_time or not results or (len(chosen) < len(candidates) and not stage.packed):
                return

    def _run_whole_round(self, stage: Stage, candidates: Sequence[Candidate]) -> bool:
        """Run all candidates on the largest sample with enough time. Return whether all of them have run.

        The first stage begins with a small sample if the expected times are uncertain, and then repeats the
        round on a larger one. If there was no time for all candidates, results are not compared.
        """
        size, events = self._fitting_size(stage, candidates), 0
        while size is not None and len(self.samples.of(size)[0].log) > events:
            results, all_ran = self._run_all(stage, candidates, size)
            if all_ran or not self.leaders:
                self._update_leaders(size, results)
            if not results or not all_ran:
                self.cut_short.append(stage.name)
                return False
            events = len(self.samples.of(size)[0].log)
            size = self._fitting_size(stage, candidates) if stage is STAGES[0] else None
        if events < len(self.samples.of(stage.sizes[0])[0].log):
            self.cut_short.append(f"{stage.name} (on {events:,} events)" if events else stage.name)
        return events > 0

    def _confirm(self) -> None:
        """Compare the finalists on the largest sample with enough time; if there is little, fewer of them."""
        most = 0
        for finalists in rounds.confirm(lambda: self.leaders):
            most = max(most, len(finalists))
            size = self._fitting_size(STAGES[-1], finalists)
            results, all_ran = self._run_all(STAGES[-1], finalists, size) if size else ([], False)
            if not results or not all_ran:
                continue
            self.confirmed = [each.pooled() for each in results] if self.plan.confirmation_splits else results
            if len(finalists) < most:
                self.cut_short.append(f"{STAGES[-1].name} (with {len(finalists)} candidates)")
            return
        self.cut_short.append(STAGES[-1].name)

    def _run_all(
        self, stage: Stage, candidates: Sequence[Candidate], size: SampleSize
    ) -> tuple[list[TrialResult], bool]:
        """Run the candidates, cheap ones first. Return the results, and whether there was time for all."""
        eval_splits = self.samples.of(size, confirms=stage is STAGES[-1])
        results: list[TrialResult] = []
        for each in sorted(candidates, key=lambda each: self.runner.expected_s(each, eval_splits)):
            expected_s = self.runner.expected_s(each, eval_splits)
            if self.trials and expected_s and self.clock() + expected_s > self._end_s():
                return results, False
            results += self._run_group([each], stage.name, eval_splits)
        return results, True

    def _fitting_size(self, stage: Stage, candidates: Sequence[Candidate]) -> SampleSize | None:
        """Return the first size of the stage for which there is time, not smaller than the current one.

        The first stage always returns a size. None means that there is no time for any.
        """
        is_last = stage is STAGES[-1]
        left_s = self._end_s() - self.clock() - self._confirm_reserve_s(stage)
        least = len(self.samples.of(self.size, is_last)[0].log) if self.leaders else 0
        for size in stage.sizes:
            eval_splits = self.samples.of(size, is_last)
            expected_s = sum(self.runner.expected_s(each, eval_splits) for each in candidates)
            if len(eval_splits[0].log) >= least and expected_s <= stage.first_share * max(left_s, 0.0):
                return size
        return stage.sizes[-1] if stage is STAGES[0] else None

    def _end_s(self) -> float:
        return self.began_s + self.plan.budget_s - self._final_fit_s()

    def _that_fit(self, stage: Stage, candidates: Sequence[Candidate], until_s: float) -> Sequence[Candidate]:
        """Return the candidates for which there is time: the first ones or, for a packed stage, any."""
        eval_splits = self.samples.of(self.size)
        expected_s = [self.runner.expected_s(each, eval_splits) for each in candidates]
        left_s = until_s - self.clock()
        if stage.batched:  # a hybrid whose final fit is too long can't win
            end_s = self.began_s + self.plan.budget_s
            latest_s = [end_s - self._final_fit_of_s(each) - self.clock() for each in candidates]
            expected_s = [
                each if each <= latest else inf for each, latest in zip(expected_s, latest_s, strict=True)
            ]
        if stage.packed:
            return [candidates[place] for place in fitting_subset(expected_s, left_s)][: stage.per_round]
        return candidates[: affordable(expected_s, left_s)]

    def _run_round(
        self, candidates: Sequence[Candidate], stage: Stage, latest_s: float
    ) -> tuple[list[TrialResult], bool]:
        """Run candidates. Return the results, and whether there was time for all.

        A trial that is expected to end after `latest_s` is not started.
        """
        results: list[TrialResult] = []
        eval_splits = self.samples.of(self.size)
        groups = [candidates] if stage.batched and candidates else [[each] for each in candidates]
        for group in groups:
            expected_s = sum(self.runner.expected_s(each, eval_splits) for each in group)
            if self.clock() + expected_s > latest_s and not stage.batched:
                return results, False
            results += self._run_group(group, stage.name, eval_splits)
        return results, True

    def _run_group(
        self, candidates: Sequence[Candidate], stage: str, eval_splits: Sequence[EvaluationSplit]
    ) -> list[TrialResult]:
        budget_s = round(self.plan.budget_s)
        models = ", ".join(dict.fromkeys(each.model for each in candidates))
        self.on_progress(min(int(self.clock() - self.began_s), budget_s), budget_s, f"{stage}: {models}")
        results = self.runner.run_all(candidates, stage, eval_splits)
        self.trials += results
        return results

    def _confirm_reserve_s(self, stage: Stage) -> float:
        """Return the seconds to reserve for the last stage: for all finalists, or at least for two."""
        if stage is STAGES[-1] or not self.leaders:
            return 0.0
        all_finalists, *_, two_finalists = rounds.confirm(lambda: self.leaders)
        all_s = self._confirm_s(all_finalists, STAGES[-1].sizes[0])
        two_s = self._confirm_s(two_finalists, CONFIRM_SIZE)
        return max(
            min(all_s, CONFIRM_SHARE * self.plan.budget_s), min(two_s, 2 * CONFIRM_SHARE * self.plan.budget_s)
        )

    def _confirm_s(self, finalists: Sequence[Candidate], size: SampleSize) -> float:
        eval_splits = self.samples.of(size, confirms=True)
        return sum(self.runner.expected_s(each, eval_splits) for each in finalists)

    def _update_leaders(self, size: SampleSize, results: Sequence[TrialResult]) -> None:
        if results:
            self.leaders = best_first([*(self.leaders if size == self.size else []), *results])
            self.size = size

    def _final_fit_s(self) -> float:
        """Return the seconds to reserve for the final fit: of the most expensive candidate that may win.

        Until the stage `combine`, this may be a hybrid of the best models, for which at most a quarter of the
        budget is reserved.
        """
        if not self.leaders:
            return 0.0
        finalists = next(rounds.confirm(lambda: self.leaders))
        reserve_s = min(max(map(self._final_fit_of_s, finalists)), self.plan.budget_s / 2)
        members = complementary_models(self.leaders)[: rounds.MEMBERS]
        if Hybrid.NAME in self.plan.models and len(members) > 1 and self.may_combine:
            hybrid_s = self._final_fit_of_s(hybrid_candidate(members, "last"))
            reserve_s = max(reserve_s, min(hybrid_s, self.plan.budget_s / 4))
        return reserve_s

    def _final_fit_of_s(self, candidate: Candidate) -> float:
        return FINAL_FIT_MARGIN * self.runner.fit_s(candidate, self.plan.eval_splits[0])

"""Searches the models' settings, stage by stage, for what does best on every validation cut."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from common.errors import UserError
from jobs.recommenders.auto import rounds
from jobs.recommenders.auto.candidates import Candidate, Models, drawn, hybrid
from jobs.recommenders.auto.comparison import Asked
from jobs.recommenders.auto.stages import CONFIRMING, STAGES, WARM_UP, Size, Stage, affordable, picked, shrunk
from jobs.recommenders.auto.tried import Tried, complementary, ordered
from jobs.recommenders.auto.trying import Trying
from jobs.recommenders.evaluation.cases import Trial
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.read.brought import Brought
from jobs.recommenders.models.hybrid import Hybrid

OnProgress = Callable[[int, int, str], None]
"""Told how many seconds are spent, of how many, and what is tried."""

RESERVE = 1.25
"""The time for the last fit, relative to what the search expects of it."""

FIRST = 0.5
"""What the first round of a stage may take of the time that is left, if it needs it."""

LATE = 0.1
"""How far a stage may go past its end, relative to what was left, where tries take longer than expected."""


@dataclass(frozen=True)
class Plan:
    """What to search: models, validation cuts, the metrics whose mean decides, and how long.

    The same plan on the same log tries the same in the same order and chooses the same, as far as it comes.
    """

    models: Models
    trials: Sequence[Trial]
    metrics: Sequence[Metric]
    repeats: bool
    budget_s: float
    seed: int

    @classmethod
    def of(cls, brought: Brought, asked: Asked, budget_s: float) -> "Plan":
        """What to search for a log that was brought."""
        trials = brought.cuts(asked.seed)
        return cls(asked.models, trials, asked.metrics, asked.repeats, budget_s, asked.seed)


@dataclass(frozen=True)
class Choice:
    """What was chosen, what was tried, stages that had too little time, and models that can not be used."""

    best: Tried
    tried: Sequence[Tried]
    cut_short: Sequence[str]
    skipped: dict[str, str]

    def best_of(self, names: Sequence[str]) -> Candidate | None:
        """The best candidate of some models: of the last stage that any of them reached."""
        mine = [each for each in self.tried if each.candidate.model in names]
        if not mine:
            return None
        return ordered([each for each in mine if each.stage == mine[-1].stage])[0].candidate


def choose(plan: Plan, on_progress: OnProgress, clock: Callable[[], float] = time.monotonic) -> Choice:
    """The best model and settings that the budget finds, less the time that the last fit will take.

    Raises:
        UserError: no model can be fitted on this log.
    """
    trying = Trying(plan.models, plan.metrics, plan.repeats, clock)
    return _Search(plan, on_progress, clock, trying).run()


@dataclass
class _Search:
    plan: Plan
    on_progress: OnProgress
    clock: Callable[[], float]
    trying: Trying
    tried: list[Tried] = field(default_factory=list)
    leading: list[Tried] = field(default_factory=list)
    """What is comparable with what was tried last, best first."""
    size: Size = WARM_UP
    trials: dict[Size, list[Trial]] = field(default_factory=dict)
    cut_short: list[str] = field(default_factory=list)
    began_s: float = 0.0

    def run(self) -> Choice:
        self._warm_up()
        self.began_s = self.clock()
        for stage in STAGES:
            self._stage(stage)
        skipped = self.trying.skipped
        if not self.leading:
            reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
            raise UserError(f"no model can be fitted on this log ({reasons})")
        return Choice(self.leading[0], self.tried, self.cut_short, skipped)

    def _warm_up(self) -> None:
        """Try every model on next to nothing: what is compiled once a machine is not in the budget."""
        trial = shrunk(self.plan.trials[0], WARM_UP, self.plan.seed)
        for candidate in drawn(self.plan.models, 0, self.plan.seed):
            self.on_progress(0, round(self.plan.budget_s), f"compiling {candidate.model}")
            with suppress(UserError):  # whoever can't be fitted says so when it is tried
                model = candidate.build(self.plan.models).fit(trial.log)
                self.trying.values(model, trial)

    def _rounds(self, stage: Stage) -> Iterator[list[Candidate]]:
        models, log = self.plan.models, self.plan.trials[0].log
        of_stage: dict[str, Callable[[], Iterator[list[Candidate]]]] = {
            "explore": lambda: rounds.explore(models, self.plan.seed),
            "narrow": lambda: rounds.narrow(lambda: self.leading),
            "refine": lambda: rounds.refine(lambda: self.leading, models),
            "combine": lambda: rounds.combine(lambda: self.leading, models, log),
            "confirm": lambda: rounds.confirm(lambda: self.leading),
        }
        return of_stage[stage.name]()

    def _stage(self, stage: Stage) -> None:
        size = stage.size or self.size
        trials, began_s = self._shrunk(size), self.clock()
        for place, candidates in enumerate(self._rounds(stage)):
            left_s = max(self._end_s() - began_s, 0.0)
            until_s = began_s + min(stage.share * left_s, left_s - self._confirming_s(stage))
            first_s = began_s + max(stage.share, FIRST) * left_s if place == 0 else until_s
            if stage.together:
                chosen = self._picked(candidates, trials, first_s)
            else:
                chosen = self._begun(candidates, trials, until_s)
                least = min(stage.least, len(candidates)) if place == 0 else 0
                if len(chosen) < least:
                    chosen = self._begun(candidates[:least], trials, first_s)
                    chosen = chosen if len(chosen) == least or not self.tried else []
            latest_s = min(first_s + LATE * left_s, began_s + left_s)
            found, in_time = self._round(chosen, stage, trials, latest_s)
            self._lead(size, found)
            if not in_time or (not chosen and place == 0):
                self.cut_short.append(stage.name)
            if not in_time or not found or (len(chosen) < len(candidates) and not stage.together):
                return

    def _end_s(self) -> float:
        return self.began_s + self.plan.budget_s - self._last_fit_s()

    def _shrunk(self, size: Size) -> list[Trial]:
        """The cuts of a size, the same ones each time."""
        if size not in self.trials:
            self.trials[size] = [shrunk(trial, size, self.plan.seed) for trial in self.plan.trials]
        return self.trials[size]

    def _begun(
        self, candidates: Sequence[Candidate], trials: Sequence[Trial], until_s: float
    ) -> Sequence[Candidate]:
        """As many of the first as there is time for; the very first try is always made."""
        expected_s = [self.trying.expected_s(each, trials) for each in candidates]
        return candidates[: max(affordable(expected_s, until_s - self.clock()), 0 if self.tried else 1)]

    def _picked(
        self, candidates: Sequence[Candidate], trials: Sequence[Trial], until_s: float
    ) -> Sequence[Candidate]:
        expected_s = [self.trying.expected_s(each, trials) for each in candidates]
        return [candidates[place] for place in picked(expected_s, until_s - self.clock())]

    def _round(
        self, candidates: Sequence[Candidate], stage: Stage, trials: Sequence[Trial], latest_s: float
    ) -> tuple[list[Tried], bool]:
        """What was found, and whether there was time for all; a try that would end too late is not begun."""
        found: list[Tried] = []
        groups = [candidates] if stage.together and candidates else [[each] for each in candidates]
        for group in groups:
            spent_s = self.clock() - self.began_s
            expected_s = sum(self.trying.expected_s(each, trials) for each in group)
            if self.clock() + expected_s > latest_s and self.tried and not stage.together:
                return found, False
            self.on_progress(
                min(int(spent_s), round(self.plan.budget_s)),
                round(self.plan.budget_s),
                f"{stage.name}: {', '.join(dict.fromkeys(each.model for each in group))}",
            )
            new = self.trying.all_of(group, stage.name, trials)
            self.tried += new
            found += new
        return found, True

    def _confirming_s(self, stage: Stage) -> float:
        """What is kept for the last stage."""
        if stage is STAGES[-1] or not self.leading:
            return 0.0
        trials = self._shrunk(STAGES[-1].size or self.size)
        best = chain(*rounds.confirm(lambda: self.leading))
        needed_s = sum(self.trying.expected_s(each, trials) for each in best)
        return min(needed_s, CONFIRMING * self.plan.budget_s)

    def _lead(self, size: Size, found: Sequence[Tried]) -> None:
        if found:
            self.leading = ordered([*(self.leading if size == self.size else []), *found])
            self.size = size

    def _last_fit_s(self) -> float:
        """What is kept for the last fit: for a learned order of the best, until hybrids were tried."""
        if not self.leading:
            return 0.0
        best = self.leading[0].candidate
        members = complementary(self.leading)[: rounds.MEMBERS]
        tried = any(each.candidate.model == Hybrid.NAME for each in self.tried)
        if Hybrid.NAME in self.plan.models and len(members) > 1 and not tried:
            best = hybrid(members, "last")
        return min(RESERVE * self.trying.fit_s(best, self.plan.trials[0]), self.plan.budget_s / 2)

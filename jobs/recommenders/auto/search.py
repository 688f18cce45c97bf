"""Searches the models' settings, stage by stage, for what does best on every validation cut."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from common.errors import UserError
from jobs.recommenders.auto.candidates import Candidate, Models, drawn, hybrids, neighbours
from jobs.recommenders.auto.comparison import Asked
from jobs.recommenders.auto.stages import STAGES, WARM_UP, Stage, shrunk, slots
from jobs.recommenders.auto.tried import Tried, complementary, ordered, promoted
from jobs.recommenders.evaluation.cases import Trial
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.read.brought import Brought
from jobs.recommenders.evaluation.sets import Floats
from jobs.recommenders.models.hybrid import Hybrid

OnProgress = Callable[[int, int, str], None]
"""Told how many tries are done, of at most how many, and what is tried."""

REFINED = 3


@dataclass(frozen=True)
class Plan:
    """What to search: models, validation cuts, the metric that decides, and how long.

    The same plan on the same log chooses the same, unless the clock ends a stage early: `Choice` says so.
    """

    models: Models
    trials: Sequence[Trial]
    metric: Metric
    repeats: bool
    budget_s: float
    seed: int

    @classmethod
    def of(cls, brought: Brought, asked: Asked, budget_s: float) -> "Plan":
        """What to search for a log that was brought; the first metric that is asked for decides."""
        trials = brought.cuts(asked.seed)
        return cls(asked.models, trials, asked.metrics[0], asked.repeats, budget_s, asked.seed)


@dataclass(frozen=True)
class Choice:
    """What was chosen, what was tried, the stages that the clock cut short, and models that can't be used."""

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
    """The best model and settings that the budget finds.

    Raises:
        UserError: no model can be fitted on this log.
    """
    return _Search(plan, on_progress, clock).run()


@dataclass
class _Search:
    plan: Plan
    on_progress: OnProgress
    clock: Callable[[], float]
    tried: list[Tried] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[Candidate, tuple[tuple[int, int], ...]], Tried] = field(default_factory=dict)
    done: int = 0

    def run(self) -> Choice:
        self._warm_up()
        began_s, until = self.clock(), 0.0
        wanted = [slots(stage, self.plan.trials, self.plan.budget_s) for stage in STAGES]
        wanted[0] = max(wanted[0], len(self.plan.models))
        leading: list[Tried] = []
        size = (0, 0)
        for stage, count in zip(STAGES, wanted, strict=True):
            until += stage.share * self.plan.budget_s
            candidates = self._candidates(stage, count, leading)
            found = self._stage(stage, candidates, began_s + until, sum(wanted))
            if (stage.events, stage.cases) == size:  # comparable with what was tried before
                found = [*leading, *found]
            if found:
                size, leading = (stage.events, stage.cases), ordered(found)
        if not leading:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.skipped.items())
            raise UserError(f"no model can be fitted on this log ({reasons})")
        return Choice(leading[0], self.tried, self.cut_short, self.skipped)

    def _warm_up(self) -> None:
        """Fit every model on next to nothing: what is compiled once a machine is not in the budget."""
        for place, candidate in enumerate(drawn(self.plan.models, 0, self.plan.seed)):
            self.on_progress(place, len(self.plan.models), f"compiling {candidate.model}")
            with suppress(UserError):  # whoever can't be fitted says so when it is tried
                self._values(candidate, shrunk(self.plan.trials[0], WARM_UP, self.plan.seed))

    def _candidates(self, stage: Stage, count: int, leading: Sequence[Tried]) -> list[Candidate]:
        if stage.name == "explore":
            return drawn(self._singles(), count, self.plan.seed)
        if stage.name == "refine":
            seen = {each.candidate for each in leading}
            near = [each for one in leading[:REFINED] for each in neighbours(one.candidate, self.plan.models)]
            return [each for each in dict.fromkeys(near) if each not in seen][:count]
        if stage.name == "combine":
            return hybrids(complementary(leading), self.plan.models)[:count]
        return promoted(leading, count, 0 if stage.name == "narrow" else (count + 1) // 2)

    def _singles(self) -> Models:
        """All models but the hybrid, which is made of the best of them later; the hybrid if it is alone."""
        models = self.plan.models
        return {name: model for name, model in models.items() if name != Hybrid.NAME} or models

    def _stage(self, stage: Stage, candidates: Sequence[Candidate], until_s: float, of: int) -> list[Tried]:
        trials = [shrunk(trial, stage, self.plan.seed) for trial in self.plan.trials]
        found: list[Tried] = []
        for candidate in candidates:
            if found and self.clock() > until_s:
                self.cut_short.append(stage.name)
                break
            self.on_progress(self.done, of, f"{stage.name}: {candidate.model}")
            self.done += 1
            one = self._try(candidate, stage, trials)
            found += [one] if one else []
        self.tried += found
        return found

    def _try(self, candidate: Candidate, stage: Stage, trials: Sequence[Trial]) -> Tried | None:
        if candidate.model in self.skipped:
            return None
        sizes = tuple((len(trial.log), len(trial.cases)) for trial in trials)
        if known := self.known.get((candidate, sizes)):
            return replace(known, stage=stage.name)
        began_s = self.clock()
        try:
            values = tuple(self._values(candidate, trial) for trial in trials)
        except UserError as error:
            self.skipped[candidate.model] = str(error)
            return None
        seconds = self.clock() - began_s
        found = Tried(candidate, stage.name, values, len(trials[0].log), seconds)
        self.known[candidate, sizes] = found
        return found

    def _values(self, candidate: Candidate, trial: Trial) -> Floats:
        model = candidate.build(self.plan.models).fit(trial.log)
        ranked = trial.cases.ask(model, self.plan.metric.k, self.plan.repeats)
        return trial.cases.judge(ranked, [self.plan.metric])["all"].by_metric[self.plan.metric]

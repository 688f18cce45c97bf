"""What tries took on this machine, and so what others will take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.cases import Trial
from jobs.recommenders.memo import Memo
from jobs.recommenders.models.hybrid import Hybrid

_UNTRIED = {False: 1.5, True: 4.0}
"""How much more asking a hybrid takes than asking its members, by whether it learns, until one is tried."""

_LEAST = 0.5


class Seconds(NamedTuple):
    """To fit and to ask."""

    fit: float
    ask: float


@dataclass
class Costs:
    """What the last try of each model took: seconds to fit an event, and to ask a case.

    What was never tried counts as nothing. A hybrid fits its members, unless they are remembered, and asks
    them; if its order is learned, it does so twice, the first time to learn from. What else it does goes with
    what it asks.
    """

    fits: dict[str, float] = field(default_factory=dict)
    asks: dict[str, float] = field(default_factory=dict)
    beside: dict[bool, float] = field(default_factory=lambda: dict(_UNTRIED))

    def expected(self, model: Model, trial: Trial, memo: Memo) -> Seconds:
        """What a try of a model on a cut will take, given what is remembered."""
        fit, ask = self._of_members(model, trial, memo)
        return (
            Seconds(fit, ask * self.beside[model.learns]) if isinstance(model, Hybrid) else Seconds(fit, ask)
        )

    def note(self, model: Model, trial: Trial, expected: Seconds, took: Seconds) -> None:
        """What it took, and was expected to; a fit that was expected to take nothing was remembered."""
        if isinstance(model, Hybrid):
            asked = expected.ask / self.beside[model.learns]
            if asked > 0:
                self.beside[model.learns] = max(_LEAST, (sum(took) - expected.fit) / asked)
            return
        self.asks[model.NAME] = took.ask / max(len(trial.cases), 1)
        if expected.fit or model.NAME not in self.fits:
            self.fits[model.NAME] = took.fit / len(trial.log)

    def _of_members(self, model: Model, trial: Trial, memo: Memo) -> Seconds:
        members: Sequence[Model] = model.parts if isinstance(model, Hybrid) else [model]
        logs, cases = [trial.log], len(trial.cases)
        if isinstance(model, Hybrid) and model.learns:
            logs.append(memo.cut(trial.log, model.learned_from, model.order) or trial.log)
            cases += model.learned_from
        fit = sum(
            len(log) * self.fits.get(each.NAME, 0.0)
            for log in logs
            for each in members
            if not memo.knows(each, log)
        )
        return Seconds(fit, cases * sum(self.asks.get(each.NAME, 0.0) for each in members))

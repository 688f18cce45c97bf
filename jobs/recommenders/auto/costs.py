"""What tries took on this machine, and so what others will take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.cases import EvaluationSplit
from jobs.recommenders.fit_cache import FitCache
from jobs.recommenders.models.hybrid import Hybrid

_DEFAULT_HYBRID_FACTOR = {False: 1.5, True: 4.0}
"""How much more asking a hybrid takes than asking its members, by whether it learns, until one is tried."""

_MIN_HYBRID_FACTOR = 0.5


class TrialSeconds(NamedTuple):
    """To fit and to ask."""

    fit: float
    predict: float


@dataclass
class CostModel:
    """What the last try of each model took: seconds to fit an event, and to ask a case.

    What was never tried counts as nothing. A hybrid fits its members, unless they are remembered, and asks
    them; if its order is learned, it does so twice, the first time to learn from. What else it does goes with
    what it asks.
    """

    fit_s_per_event: dict[str, float] = field(default_factory=dict)
    predict_s_per_case: dict[str, float] = field(default_factory=dict)
    hybrid_factor: dict[bool, float] = field(default_factory=lambda: dict(_DEFAULT_HYBRID_FACTOR))

    def expected(self, model: Model, eval_split: EvaluationSplit, cache: FitCache) -> TrialSeconds:
        """What a try of a model on a cut will take, given what is remembered."""
        fit, predict = self._expected_of_members(model, eval_split, cache)
        return (
            TrialSeconds(fit, predict * self.hybrid_factor[model.learns])
            if isinstance(model, Hybrid)
            else TrialSeconds(fit, predict)
        )

    def record(
        self, model: Model, eval_split: EvaluationSplit, expected: TrialSeconds, took: TrialSeconds
    ) -> None:
        """What it took, and was expected to; a fit that was expected to take nothing was remembered."""
        if isinstance(model, Hybrid):
            asked = expected.predict / self.hybrid_factor[model.learns]
            if asked > 0:
                self.hybrid_factor[model.learns] = max(_MIN_HYBRID_FACTOR, (sum(took) - expected.fit) / asked)
            return
        self.predict_s_per_case[model.NAME] = took.predict / max(len(eval_split.cases), 1)
        if expected.fit or model.NAME not in self.fit_s_per_event:
            self.fit_s_per_event[model.NAME] = took.fit / len(eval_split.log)

    def _expected_of_members(
        self, model: Model, eval_split: EvaluationSplit, cache: FitCache
    ) -> TrialSeconds:
        members: Sequence[Model] = model.member_models if isinstance(model, Hybrid) else [model]
        logs, cases = [eval_split.log], len(eval_split.cases)
        if isinstance(model, Hybrid) and model.learns:
            logs.append(cache.cached_log(eval_split.log, model.learned_from, model.order) or eval_split.log)
            cases += model.learned_from
        fit = sum(
            len(log) * self.fit_s_per_event.get(each.NAME, 0.0)
            for log in logs
            for each in members
            if not cache.has_model(each, log)
        )
        return TrialSeconds(fit, cases * sum(self.predict_s_per_case.get(each.NAME, 0.0) for each in members))

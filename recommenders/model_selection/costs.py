"""Predicts the duration of trials from the durations of earlier trials."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from recommenders.base import Model
from recommenders.evaluation.cases import EvaluationSplit
from recommenders.fit_cache import FitCache
from recommenders.models.hybrid import Hybrid

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
        fit, predict = self._expected_of_members(model, eval_split, cache)
        return (
            TrialSeconds(fit, predict * self.hybrid_factor[model.learns])
            if isinstance(model, Hybrid)
            else TrialSeconds(fit, predict)
        )

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

    def _expected_of_members(
        self, model: Model, eval_split: EvaluationSplit, cache: FitCache
    ) -> TrialSeconds:
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
        return TrialSeconds(fit, cases * sum(self.predict_s_per_case.get(each.NAME, 0.0) for each in members))

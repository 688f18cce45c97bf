"""Trains a model: searches on the older days, evaluates on the newest days, and fits on all days."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from common.errors import UserError
from recommenders.base import Model
from recommenders.compact import CompactModel
from recommenders.evaluation.cases import Dataset, EvaluationSplit, shoppers_held_out
from recommenders.evaluation.metrics import Metric
from recommenders.evaluation.splits import validation_splits
from recommenders.interactions import DAY_S, Interactions
from recommenders.model_selection.baselines import select_best_model
from recommenders.model_selection.candidates import Candidate, Models
from recommenders.model_selection.comparison import EvaluationOptions, ModelComparison, compare
from recommenders.model_selection.model_card import ModelCard
from recommenders.model_selection.search import OnProgress, SearchPlan
from recommenders.models.als import ALS
from recommenders.models.item_item import ItemItem
from recommenders.models.ridge import Ridge
from recommenders.models.transitions import Transitions
from recommenders.training.click_judgement import MIN_LISTS, ClickJudgement, judge_models
from recommenders.training.neighbour_rows import similar_content
from recommenders.training.training_data import RandomList, TrainingData

SERVED_MODELS: dict[str, type[Model]] = {model.NAME: model for model in (ItemItem, Ridge, ALS, Transitions)}


MAX_WAITING = 3
"""A search takes at most this many times its budget, so that a training ends within its limit of time."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. `days` is the length of the test period, `budget_s` the search's budget of CPU time."""

    models: Models
    metric: Metric
    days: float
    budget_s: float
    seed: int


@dataclass(frozen=True)
class NoChampion:
    """The reason why there is no champion: no model in use that the new model can be compared with."""

    reason: str


NO_MODEL_IN_USE = NoChampion("there was no model in use")


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training. `model` is the challenger fitted on all events, or None if it lost.

    `content` has the neighbours of products by name and category, None if nothing is known of them. `clicks`
    compares the challenger with the champion by the clicks on random lists, None if there are too few.
    `weight_reasons` says for each surface why the weights of the sources were learned or kept; it is empty
    until they were learned.
    """

    model: Model | None
    card: ModelCard
    reason: str
    content: CompactModel | None = None
    clicks: ClickJudgement | None = None
    weight_reasons: Mapping[str, str] = field(default_factory=dict)


def train(
    training_data: TrainingData,
    champion: Candidate | NoChampion,
    options: TrainingOptions,
    memory_mb: Callable[[], float],
    on_progress: OnProgress,
    random_lists: Sequence[RandomList] = (),
) -> TrainingResult:
    """Search for a challenger, compare it with the champion, and fit it on all events if it wins.

    For the comparison, both are fitted on the events before the newest days and evaluated on the newest days,
    and on `random_lists`, which are of these days. The comparison is therefore of models and settings, not of
    fitted models.

    Raises:
        UserError: the events cover too few days, or no model can be fitted on them.
    """
    eval_split = newest_days(training_data.log, options.days)
    dataset = Dataset(
        eval_split.log,
        eval_split.cases,
        eval_split.name,
        lambda seed: validation_splits(eval_split.log, seed),
        sellers=training_data.sellers,
    )
    evaluation_options = EvaluationOptions(options.models, [options.metric], dataset.repeats, options.seed)
    plan = SearchPlan.of(dataset, evaluation_options, options.budget_s)
    selection = select_best_model(plan, on_progress, cpu_clock(time.process_time, time.monotonic))
    challenger, *baselines = selection.candidates
    champions = [] if isinstance(champion, NoChampion) else [champion]
    candidates = list(dict.fromkeys([challenger, *champions, *baselines]))
    comparison = compare(dataset, candidates, evaluation_options, lambda step: on_progress(0, 1, step))
    card = ModelCard.of(dataset, comparison, selection.search_summary, evaluation_options, memory_mb())
    clicks = None
    if not isinstance(champion, NoChampion) and champion != challenger and len(random_lists) >= MIN_LISTS:
        on_progress(0, 1, "judging by the clicks on random lists")
        before = champion.build(options.models).fit(eval_split.log)
        clicks = judge_models(comparison.model, before, random_lists)
    won, reason = verdict(challenger, champion, comparison, options.metric, clicks)
    if not won:
        return TrainingResult(None, card, reason, clicks=clicks)
    on_progress(0, 1, f"fitting {challenger.model} on all events")
    model = challenger.build(options.models).fit(training_data.log)
    on_progress(0, 1, "comparing names and categories of products")
    return TrainingResult(model, card, reason, similar_content(training_data.log), clicks)


def cpu_clock(cpu: Callable[[], float], elapsed: Callable[[], float]) -> Callable[[], float]:
    """Return a clock of this process' CPU time, in seconds, that shows at least a third of what has elapsed.

    A training has the lowest priority. By the clock on the wall, it would try less and choose worse the
    busier the machine is.
    """
    began_cpu, began = cpu(), elapsed()
    return lambda: max(cpu() - began_cpu, (elapsed() - began) / MAX_WAITING)


def newest_days(log: Interactions, days: float) -> EvaluationSplit:
    """Hold out the newest `days` of a log.

    Raises:
        UserError: all events are in these days, or no shopper has events both before and in them.
    """
    if log.times is None:
        raise UserError("the log has no times: the newest days can't be held out")
    held = log.times > log.times.max() - days * DAY_S
    if held.all():
        raise UserError(f"all events are of the newest {days:g} days: wait, or set --days lower")
    eval_split = shoppers_held_out(log, held, f"the newest {days:g} days")
    if not len(eval_split.cases):
        raise UserError(f"no shopper has events both before and in the newest {days:g} days: change --days")
    return eval_split


def newest_period(log: Interactions, days: float) -> tuple[datetime, datetime] | None:
    """Return when the newest days of a log begin and end; None without times."""
    if log.times is None or not len(log):
        return None
    end = datetime.fromtimestamp(float(log.times.max()), UTC)
    return end - timedelta(days=days), end


def verdict(
    challenger: Candidate,
    champion: Candidate | NoChampion,
    comparison: ModelComparison,
    metric: Metric,
    clicks: ClickJudgement | None = None,
) -> tuple[bool, str]:
    """Return whether to publish the challenger, and why.

    If the clicks on random lists tell which is better, they decide: people click other products than those
    that they find by themselves, which the metric counts. Otherwise the challenger loses only to a champion
    with a better mean. If both are equal, the challenger wins, because it is fitted on the newest days.
    """
    if isinstance(champion, NoChampion):
        return True, champion.reason
    if champion == challenger:
        return True, "the same model and settings as in use, fitted on newer events"
    interval = comparison.differences[str(champion)][str(metric)].interval
    reason = (
        f"{metric} {interval.mean:+.4f} ({interval.low:+.4f} to {interval.high:+.4f}) "
        f"against {champion.model} in use"
    )
    if clicks is None:
        return interval.mean >= 0, reason
    if clicks.is_conclusive:
        return clicks.difference.is_above_zero, f"{clicks}, which decides; {reason}"
    return interval.mean >= 0, f"{reason}; {clicks}, which decides nothing"

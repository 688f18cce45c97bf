"""One training: search on the older days, a duel on the newest, and a fit on all of it if that was won."""

from collections.abc import Callable
from dataclasses import dataclass

from common.errors import UserError
from jobs.recommenders.auto.baselines import select_best_model
from jobs.recommenders.auto.candidates import Candidate, Models
from jobs.recommenders.auto.comparison import EvaluationOptions, ModelComparison, compare
from jobs.recommenders.auto.model_card import ModelCard
from jobs.recommenders.auto.search import OnProgress, SearchPlan
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.cases import EvaluationSplit, shoppers_held_out
from jobs.recommenders.evaluation.loaders.dataset import Dataset
from jobs.recommenders.evaluation.loaders.interactions import validation_splits
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.interactions import DAY_S, Interactions
from jobs.training.training_data import TrainingData


@dataclass(frozen=True)
class TrainingOptions:
    """How to train: `days` newest days decide the duel, `budget_s` seconds go into the search."""

    models: Models
    metric: Metric
    days: float
    budget_s: float
    seed: int


@dataclass(frozen=True)
class NoChampion:
    """Why there is no model in use that could be compared with."""

    reason: str


NO_MODEL_IN_USE = NoChampion("there was no model in use")


@dataclass(frozen=True)
class TrainingResult:
    """The challenger, fitted on all events if it won, None if it did not; and the card of the duel."""

    model: Model | None
    card: ModelCard
    reason: str


def train(
    training_data: TrainingData,
    champion: Candidate | NoChampion,
    options: TrainingOptions,
    memory_mb: Callable[[], float],
    on_progress: OnProgress,
) -> TrainingResult:
    """Search, duel, fit.

    Both sides of the duel are fitted on what came before the newest days: what is judged is the choice of
    model and settings, and neither has seen the days that it is judged on.

    Raises:
        UserError: the events are of too few days, or no model can be fitted on them.
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
    selection = select_best_model(SearchPlan.of(dataset, evaluation_options, options.budget_s), on_progress)
    challenger, *baselines = selection.candidates
    in_use = [] if isinstance(champion, NoChampion) else [champion]
    judged = list(dict.fromkeys([challenger, *in_use, *baselines]))
    comparison = compare(dataset, judged, evaluation_options, lambda doing: on_progress(0, 1, doing))
    card = ModelCard.of(dataset, comparison, selection.search_summary, evaluation_options, memory_mb())
    won, reason = verdict(challenger, champion, comparison, options.metric)
    if not won:
        return TrainingResult(None, card, reason)
    on_progress(0, 1, f"fitting {challenger.model} on all events")
    return TrainingResult(challenger.build(options.models).fit(training_data.log), card, reason)


def newest_days(log: Interactions, days: float) -> EvaluationSplit:
    """The log before its newest `days`, and what its shoppers did in them.

    Raises:
        UserError: all events are of these days, or nobody came before and in them.
    """
    if log.times is None:
        raise UserError("the log has no times: the newest days can't be told")
    held = log.times > log.times.max() - days * DAY_S
    if held.all():
        raise UserError(f"all events are of the newest {days:g} days: wait, or set --days lower")
    eval_split = shoppers_held_out(log, held, f"the newest {days:g} days")
    if not len(eval_split.cases):
        raise UserError(f"nobody came before and in the newest {days:g} days: set --days otherwise")
    return eval_split


def verdict(
    challenger: Candidate, champion: Candidate | NoChampion, comparison: ModelComparison, metric: Metric
) -> tuple[bool, str]:
    """Whether the challenger is published, and why: a champion that is better on average keeps its place.

    Where both are as good, the newer model wins, since it knows the newest days.
    """
    if isinstance(champion, NoChampion):
        return True, champion.reason
    if champion == challenger:
        return True, "the same model and settings as in use, fitted on newer events"
    found = comparison.differences[str(champion)][str(metric)].interval
    said = (
        f"{metric} {found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f}) against {champion.model} in use"
    )
    return found.mean >= 0, said

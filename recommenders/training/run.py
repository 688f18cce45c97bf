"""Runs one training on the platform's facts: reads, trains, records the card and the end, publishes."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from resource import RUSAGE_SELF, getrusage

import orjson
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from clickhouse.client import connect, one_line
from common.clock import Clock
from common.errors import PartUnavailable, UserError
from common.settings import Settings
from common.training_runs import TrainingOutcome
from recommenders.model_selection.candidates import Candidate
from recommenders.model_selection.model_card import as_json
from recommenders.model_selection.search import OnProgress
from recommenders.training.blend_weights import LearnedWeights, learn_weights
from recommenders.training.limits import NOT_ENOUGH_MEMORY, NoRoom
from recommenders.training.model_registry import ModelRegistry
from recommenders.training.off_policy import judged_on_log, read_explored_log
from recommenders.training.publication import read_weights, store_weights
from recommenders.training.train import (
    NO_MODEL_IN_USE,
    NoChampion,
    TrainingOptions,
    TrainingResult,
    newest_period,
    train,
)
from recommenders.training.training_data import (
    RandomList,
    read_random_lists,
    read_shown_items,
    read_training_data,
)
from recommenders.training.training_log import TrainingEnd, TrainingLog, TrainingStart
from schemas.published_model.weights import SURFACES, Weights

COLUMNS = ("version", "trained_at", "model", "published", "reason", "card")


def record(
    admin: Client,
    version: str,
    trained_at: datetime,
    trained: TrainingResult,
    learned: LearnedWeights,
    start: TrainingStart,
    published: bool,
) -> None:
    """Insert a row into `model_cards`. It replaces a row of the same version.

    The card also has `off_policy`: how the strategies of recommendations do on the random lists of the log,
    and which would have won; `model_clicks`: how the model and the one in use order what was clicked on
    random lists, null if there are too few; `blend_weights`: the weights of the sources from now on, and for
    each surface why they were learned or kept; and `training`: its id, and what started it.

    Raises:
        PartUnavailable: ClickHouse rejects the row or is unavailable.
    """
    chosen = trained.card.judged[0].candidate.model
    try:
        more = {
            "off_policy": judged_on_log(read_explored_log(admin, trained_at)),
            "model_clicks": None if trained.clicks is None else asdict(trained.clicks),
            "blend_weights": asdict(learned),
            "training": asdict(start),
        }
        card = orjson.dumps({**orjson.loads(as_json(trained.card)), **more}).decode()
        row = (version, trained_at, chosen, published, trained.reason, card)
        admin.insert("model_cards", [row], column_names=COLUMNS)
    except ClickHouseError as error:
        raise PartUnavailable(f"ClickHouse did not take the model's card: {one_line(error)}") from error


log = structlog.get_logger()


def train_once(
    settings: Settings,
    registry: ModelRegistry,
    options: TrainingOptions,
    most: int,
    start: TrainingStart,
    on_progress: OnProgress,
    clock: Clock,
) -> TrainingResult:
    """Train on the newest `most` events, and record in `trainings` how it began and how it ended.

    Raises:
        PartUnavailable: ClickHouse or Redis does not answer.
        UserError: there is too little to learn from, or the model does not fit into Redis.
    """
    training_log, end = TrainingLog(settings), TrainingEnd("running", "", None)
    training_log.begin(start)
    try:
        trained = _train_and_publish(settings, registry, options, most, start, end, on_progress, clock)
        end.outcome, end.reason = "kept" if trained.model is None else "published", trained.reason
        return trained
    except BaseException as error:
        end.outcome, end.reason = outcome_of(error), _reason_of(error)
        raise
    finally:
        end.ended_at, end.peak_memory_mb = clock(), peak_memory_mb()
        training_log.end(start, end)


def outcome_of(error: BaseException) -> TrainingOutcome:
    """Return the outcome of a training that an error ended."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    if isinstance(error, UserError):
        return "no_room" if isinstance(error, NoRoom) else "too_little"
    return "failed"


def _reason_of(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return NOT_ENOUGH_MEMORY
    if isinstance(error, KeyboardInterrupt):
        return "interrupted by a person"
    return str(error) or type(error).__name__


def _train_and_publish(
    settings: Settings,
    registry: ModelRegistry,
    options: TrainingOptions,
    most: int,
    start: TrainingStart,
    end: TrainingEnd,
    on_progress: OnProgress,
    clock: Clock,
) -> TrainingResult:
    """Train, record the card, and publish if the new model is not worse. `end` gets what is known meanwhile.

    The card is recorded before the model is published, so that a model in use has a card, and again after.
    Whether or not there is a new model, the weights of the sources are learned, and stored if they are better
    than those in use.
    """
    champion = _champion(registry, options)
    on_progress(0, 1, "reading the facts")
    with connect(settings) as reader:
        training_data = read_training_data(reader, most)
        newest = newest_period(training_data.log, options.days)
        random_lists = [] if newest is None else _random_lists(reader, newest)
    end.events, times = len(training_data.log), training_data.log.times
    if times is not None:
        end.first_event_at, end.last_event_at = _moment(times.min()), _moment(times.max())
    trained = train(training_data, champion, options, peak_memory_mb, on_progress, random_lists)
    trained_at = clock()
    end.version = version = trained_at.strftime("%Y%m%dT%H%M%S")
    end.model = trained.card.judged[0].candidate.model
    on_progress(0, 1, "learning the weights of the sources")
    in_use = read_weights(registry.redis)
    learned = _learned_weights(settings, in_use, trained_at)
    with connect(settings, admin=True) as admin:
        record(admin, version, trained_at, trained, learned, start, published=False)
        if learned.weights != in_use:
            store_weights(registry.redis, learned.weights)
        if trained.model is not None:
            on_progress(0, 1, "publishing the model")
            registry.publish(trained.model, version, trained_at, trained.content)
            record(admin, version, trained_at, trained, learned, start, published=True)
    return replace(trained, weight_reasons=learned.reasons)


def _random_lists(reader: Client, period: tuple[datetime, datetime]) -> Sequence[RandomList]:
    """Return the random lists of a period, or none if they can't be read: a model does not need them."""
    try:
        return read_random_lists(reader, *period)
    except PartUnavailable as error:
        log.warning("models are not judged by clicks", reason=str(error))
        return []


def _learned_weights(settings: Settings, in_use: Weights, end: datetime) -> LearnedWeights:
    """Return the learned weights, or those in use if the lists can't be read: a model does not need them."""
    try:
        with connect(settings) as reader:
            shown = read_shown_items(reader, end)
    except PartUnavailable as error:
        log.warning("the weights of the sources are not learned", reason=str(error))
        kept = {surface: dict(in_use[surface]) for surface in SURFACES}
        return LearnedWeights(kept, dict.fromkeys(SURFACES, f"kept: {error}"))
    return learn_weights(shown, in_use)


def _moment(unix_s: int) -> datetime:
    return datetime.fromtimestamp(int(unix_s), UTC)


def peak_memory_mb() -> float:
    """Return the peak memory of this process in MB. Linux reports KiB, macOS bytes."""
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _champion(registry: ModelRegistry, options: TrainingOptions) -> Candidate | NoChampion:
    """Return the model in use as a candidate, or the reason why no model can be compared with."""
    version = registry.in_use()
    if version is None:
        return NO_MODEL_IN_USE
    try:
        model = registry.model(version)
        if model.NAME not in options.models:
            raise UserError(f"{model.NAME} is no longer among the models that are served")
    except UserError as error:
        no_champion = NoChampion(f"the model in use can't be compared with: {error}")
        log.warning("no champion", reason=no_champion.reason)
        return no_champion
    return Candidate.of(type(model), model.settings)

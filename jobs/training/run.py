"""Runs one training on the platform's facts: reads, trains, records the card, publishes."""

import sys
from dataclasses import replace
from datetime import datetime
from resource import RUSAGE_SELF, getrusage

import structlog

from clickhouse.client import connect
from common.clock import Clock
from common.errors import PartUnavailable, UserError
from common.settings import Settings
from jobs.recommenders.auto.candidates import Candidate
from jobs.recommenders.auto.plan import OnProgress
from jobs.training.blend_weights import LearnedWeights, learn_weights
from jobs.training.cards import record
from jobs.training.model_registry import ModelRegistry
from jobs.training.shown_items import read_shown_items
from jobs.training.stored_weights import read_weights, store_weights
from jobs.training.train import NO_MODEL_IN_USE, NoChampion, TrainingOptions, TrainingResult, train
from jobs.training.training_data import read_training_data
from schemas.published_model.weights import SURFACES, Weights

log = structlog.get_logger()


def train_once(
    settings: Settings,
    registry: ModelRegistry,
    options: TrainingOptions,
    most: int,
    on_progress: OnProgress,
    clock: Clock,
) -> TrainingResult:
    """Train on the newest `most` events, record the card, and publish if the new model is not worse.

    The card is recorded before the model is published, so that a model in use has a card, and again after.
    Whether or not there is a new model, the weights of the sources are learned, and stored if they are better
    than those in use.

    Raises:
        PartUnavailable: ClickHouse or Redis does not answer.
        UserError: there is too little to learn from, or the model does not fit into Redis.
    """
    champion = _champion(registry, options)
    on_progress(0, 1, "reading the facts")
    with connect(settings) as reader:
        training_data = read_training_data(reader, most)
    trained = train(training_data, champion, options, peak_memory_mb, on_progress)
    trained_at = clock()
    version = trained_at.strftime("%Y%m%dT%H%M%S")
    on_progress(0, 1, "learning the weights of the sources")
    in_use = read_weights(registry.redis)
    learned = _learned_weights(settings, in_use, trained_at)
    with connect(settings, admin=True) as admin:
        record(admin, version, trained_at, trained, learned, published=False)
        if trained.model is not None:
            on_progress(0, 1, "publishing the model")
            registry.publish(trained.model, version, trained_at, trained.content)
            record(admin, version, trained_at, trained, learned, published=True)
    if learned.weights != in_use:
        store_weights(registry.redis, learned.weights)
    return replace(trained, weight_reasons=learned.reasons)


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

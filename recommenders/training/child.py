"""`python -m recommenders.training.child [START WORKER]`: one training within the limits of the settings.

The worker starts it, with `TrainingStart.pack()` and its own process id, and the training ends with it.
Without arguments, a person has started it.
"""

import sys
from collections.abc import Mapping, Sequence

import structlog

from common.clock import system_clock
from common.errors import SoukError, UserError
from common.ids import new_id
from common.parent_process import end_with_parent
from common.settings import Settings
from common.telemetry import configure_logging
from recommenders.training.limits import NOT_ENOUGH_MEMORY, NoRoom, limit_this_process
from recommenders.training.training_log import TrainingStart

DAYS = 2.0
"""The newest days, on which the old and the new model are compared."""

METRIC = "ndcg@20"


def main() -> int:
    """Train once.

    Return 0, 2 if there is too little to learn from, 3 if the model does not fit into Redis, or 1 for any
    other failure.
    """
    configure_logging("training")
    log = structlog.get_logger()
    settings = Settings.load()
    if len(sys.argv) > 2:
        end_with_parent(int(sys.argv[2]))
    limit_this_process(settings)
    try:
        published, reason, weights = _train(settings, start_of(sys.argv[1:]))
    except NoRoom as error:
        log.error("the model is not published", reason=str(error))
        return 3
    except UserError as error:
        log.warning("no training", reason=str(error))
        return 2
    except MemoryError as error:
        log.error("training failed", reason=NOT_ENOUGH_MEMORY, error=str(error))
        return 1
    except SoukError as error:
        log.error("training failed", reason=str(error))
        return 1
    log.info("trained", published=published, reason=reason, weights=weights)
    return 0


def start_of(arguments: Sequence[str]) -> TrainingStart:
    """Return what the worker has passed, or a training that a person starts now."""
    if arguments:
        return TrainingStart.unpack(arguments[0])
    return TrainingStart(new_id(), system_clock(), "requested")


def _train(settings: Settings, start: TrainingStart) -> tuple[bool, str, Mapping[str, str]]:
    # Imported under the limits: the libraries of the models take most of the memory of a small training.
    from redis import Redis

    from recommenders.evaluation.metrics import Metric
    from recommenders.training.model_registry import ModelRegistry
    from recommenders.training.run import train_once
    from recommenders.training.train import SERVED_MODELS, TrainingOptions

    options = TrainingOptions(SERVED_MODELS, Metric.parse(METRIC), DAYS, settings.training_budget_s, seed=0)
    with Redis.from_url(settings.redis) as redis:
        registry = ModelRegistry(settings.home / "models", redis)
        trained = train_once(
            settings, registry, options, settings.training_max_events, start, lambda *_: None, system_clock
        )
    return trained.model is not None, trained.reason, trained.weight_reasons


if __name__ == "__main__":
    sys.exit(main())

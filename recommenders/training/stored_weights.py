"""The weights of the sources of recommendations in Redis. They belong to no version of a model."""

from typing import Any

import structlog
from redis import Redis

from recommenders.training.publication import redis_errors
from schemas.published_model.keys import STATE, WEIGHTS
from schemas.published_model.weights import (
    DEFAULT_WEIGHTS,
    UnusableWeights,
    Weights,
    pack_weights,
    weights_in_use,
)

log = structlog.get_logger()


def read_weights(redis: Redis) -> Weights:
    """Return the weights that answers use: stored ones, or the default ones of surfaces without any.

    Damaged weights are not used, and a warning is logged.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    with redis_errors():
        packed: Any = redis.hget(STATE, WEIGHTS)
    try:
        return weights_in_use(packed)
    except UnusableWeights as error:
        log.warning("the stored weights are not used", reason=str(error))
        return DEFAULT_WEIGHTS


def store_weights(redis: Redis, weights: Weights) -> None:
    """Store the weights of the sources. They apply from the next answer on, also after a roll-back.

    Raises:
        UnusableWeights: readers would refuse them.
        PartUnavailable: Redis does not answer.
    """
    packed = pack_weights(weights)
    with redis_errors():
        redis.hset(STATE, mapping={WEIGHTS: packed})

"""The weights of the sources of recommendations by surface, as stored beside the models in Redis. Pure."""

from collections.abc import Mapping
from math import isfinite

import orjson

SURFACES = ("home", "product", "cart")

NEIGHBOUR_SOURCES = ("item_neighbours", "trained_neighbours", "similar_content")
"""The sources that propose what goes with the products of a visitor."""

BLENDED = (*NEIGHBOUR_SOURCES, "popular_in_category")
"""The sources whose scores are added up. Fallbacks follow them without a weight."""

DISCOUNT = "popularity_discount"
"""The name of the exponent beside the weights: a score is divided by (1 + popularity)^exponent."""

MAX_DISCOUNT = 1.0
"""The largest exponent: a score is divided by the popularity itself (effect: docs/recommendations.md)."""

Weights = Mapping[str, Mapping[str, float]]
"""surface → source → weight ≥ 0, and `DISCOUNT` → exponent from 0 to `MAX_DISCOUNT`; 0 if it is missing.

Each surface has a source with a weight above 0."""


DEFAULT_WEIGHTS: Weights = {
    surface: {
        "item_neighbours": 1.0,
        "trained_neighbours": 1.0,
        "similar_content": 0.3,
        "popular_in_category": 0.3,
    }
    for surface in SURFACES
}
"""The weights without learned ones (docs/recommendations.md, "The blend", measures the first two)."""


class UnusableWeights(ValueError):
    """The weights are damaged, or are not weights of these surfaces and sources."""


def pack_weights(weights: Weights) -> bytes:
    """Return weights as JSON.

    Raises:
        UnusableWeights: readers would refuse them.
    """
    return orjson.dumps(_checked(weights))


def unpack_weights(packed: bytes) -> Weights:
    """Return the weights that `pack_weights` wrote.

    Raises:
        UnusableWeights: they are damaged.
    """
    try:
        return _checked(orjson.loads(packed))
    except orjson.JSONDecodeError as error:
        raise UnusableWeights(f"the weights are not JSON: {error}") from error


def weights_in_use(packed: bytes | None) -> Weights:
    """Return the weights of all surfaces: the stored ones, or the default ones of surfaces without any.

    Raises:
        UnusableWeights: the stored ones are damaged.
    """
    return DEFAULT_WEIGHTS if packed is None else {**DEFAULT_WEIGHTS, **unpack_weights(packed)}


def _checked(weights: object) -> dict[str, dict[str, float]]:
    if not isinstance(weights, Mapping) or not weights.keys() <= set(SURFACES):
        raise UnusableWeights(f"weights are by surface: {', '.join(SURFACES)}")
    for surface, of_sources in weights.items():
        if not isinstance(of_sources, Mapping) or not of_sources.keys() <= {*BLENDED, DISCOUNT}:
            raise UnusableWeights(f"the weights of {surface} are by source: {', '.join(BLENDED)}, {DISCOUNT}")
        values = list(of_sources.values())
        if not all(type(each) in (int, float) and isfinite(each) and each >= 0 for each in values):
            raise UnusableWeights(f"a weight of {surface} is not a number of at least 0")
        if not any(of_sources.get(source) for source in BLENDED):
            raise UnusableWeights(f"no weight of {surface} is above 0")
        if of_sources.get(DISCOUNT, 0.0) > MAX_DISCOUNT:
            raise UnusableWeights(f"the {DISCOUNT} of {surface} is above {MAX_DISCOUNT}")
    return {surface: dict(of_sources) for surface, of_sources in weights.items()}

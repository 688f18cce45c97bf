"""Seeded random streams. Each part of the world draws from its own named stream."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.int64]


def named_rng(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """Return the generator of a name and numbers, such as `visits` of day 3. Generators are independent."""
    entropy = [seed, crc32(name.encode()), *numbers]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def hex_ids(rng: np.random.Generator, count: int) -> list[str]:
    """Draw `count` ids of 32 hexadecimal digits."""
    digits = rng.bytes(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def choose_weighted(rng: np.random.Generator, weights: Floats, size: int) -> Index:
    """Draw `size` indices, each with a probability proportional to its weight."""
    cumulative = np.cumsum(weights)
    found: Index = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    return np.minimum(found, len(weights) - 1)


def choose_per_row(rng: np.random.Generator, weights: Floats) -> Index:
    """Draw a column index for each row of `weights` (n, m), with a probability proportional to the cell."""
    cumulative = np.cumsum(weights, axis=1)
    thresholds = rng.random(len(weights)) * cumulative[:, -1]
    found: Index = (cumulative <= thresholds[:, None]).sum(axis=1)
    return np.minimum(found, weights.shape[1] - 1)


def sigmoid(x: Floats) -> Floats:
    """Return the logistic function of each logit."""
    return 1.0 / (1.0 + np.exp(-x))

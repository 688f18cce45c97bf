"""Randomness by name: every part of the world draws from a stream of its own, the same for the same seed."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.int64]


def stream(seed: int, what: str, *numbers: int) -> np.random.Generator:
    """The generator of `what`, such as the visits of day 3. Two names never share their numbers."""
    entropy = [seed, crc32(what.encode()), *numbers]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def hex_ids(rng: np.random.Generator, count: int) -> list[str]:
    """`count` ids of 32 hexadecimal digits."""
    digits = rng.bytes(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def pick(rng: np.random.Generator, weights: Floats, size: int) -> Index:
    """`size` indices, each with a probability proportional to its weight."""
    cumulative = np.cumsum(weights)
    found: Index = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    return np.minimum(found, len(weights) - 1)


def pick_of_rows(rng: np.random.Generator, weights: Floats) -> Index:
    """One column index for each row of `weights` (n, m), with a probability proportional to the cell."""
    cumulative = np.cumsum(weights, axis=1)
    thresholds = rng.random(len(weights)) * cumulative[:, -1]
    found: Index = (cumulative <= thresholds[:, None]).sum(axis=1)
    return np.minimum(found, weights.shape[1] - 1)


def sigmoid(x: Floats) -> Floats:
    """The logistic function, from logit to probability."""
    return 1.0 / (1.0 + np.exp(-x))

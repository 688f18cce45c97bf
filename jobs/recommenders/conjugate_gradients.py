"""The step that solvers of symmetric positive definite systems share."""

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.histories import Floats


@compiled
def step(found: Floats, residual: Floats, direction: Floats, moved: Floats, size: float) -> float:
    """One step of conjugate gradients (Hestenes and Stiefel, 1952) on A x = b, in place: the new `size`.

    float32 [n] each: `found` is x, `residual` b - A x, `direction` where to go, `moved` A times that; `size`
    is the residual's squared length.
    """
    length = size / np.dot(direction, moved)
    found += length * direction
    residual -= length * moved
    after: float = np.dot(residual, residual)
    direction *= after / size
    direction += residual
    return after

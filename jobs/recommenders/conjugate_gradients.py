"""One step of conjugate gradients, shared by the solvers of symmetric positive definite systems."""

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.histories import Floats


@compiled
def step(found: Floats, residual: Floats, direction: Floats, moved: Floats, size: float) -> float:
    """Do one step of conjugate gradients (Hestenes and Stiefel, 1952) on A x = b, in place.

    All arrays are float32 [n]: `found` is x, `residual` is b - A x, `direction` is the search direction, and
    `moved` is A · direction. `size` is the squared length of the residual. Returns its new value.
    """
    length = size / np.dot(direction, moved)
    found += length * direction
    residual -= length * moved
    after: float = np.dot(residual, residual)
    direction *= after / size
    direction += residual
    return after

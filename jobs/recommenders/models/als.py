"""Matrix factorisation of implicit feedback by alternating least squares."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.recommenders.base import Model
from jobs.recommenders.compiled import compiled
from jobs.recommenders.conjugate_gradients import step
from jobs.recommenders.histories import Floats, Histories, Ints
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.sparse import csr_parts, transposed
from jobs.recommenders.vocabulary import Codes

SEED = 0


@dataclass
class ALS(Model):
    """Minimises Σ c (1 − w·h)² over events + α Σ (w·h)² over all pairs + Σ λ(n) |w|² + Σ λ(n) |h|².

    w and h are the factors of a shopper and a product, c is the affinity and α is `unobserved`. λ(n) =
    `regularisation` · (n + α N)^`scaling` for a row with n of N possible values. A `scaling` of 0 is plain
    iALS (Hu, Koren and Volinsky, ICDM 2008); 1 scales with the frequency (Rendle, Krichene, Zhang and Koren,
    Revisiting the Performance of iALS, RecSys 2022). Each half step runs `STEPS` steps of conjugate gradients
    from the previous solution (Takács, Pilászy and Tikk, RecSys 2011). `scores` computes the factors of a
    history in `FOLD_IN_HALF_STEPS` half steps.
    """

    NAME = "als"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "factors": (64, 128, 32),
        "regularisation": (0.003, 0.001, 0.01, 0.03),
        "unobserved": (0.1, 0.03, 0.3, 0.01),
        "scaling": (1.0, 0.5, 0.0),
    }
    STEPS: ClassVar[int] = 3
    FOLD_IN_HALF_STEPS: ClassVar[int] = 4

    factors: int = 64
    regularisation: float = 0.003
    unobserved: float = 0.1
    scaling: float = 1.0
    iterations: int = 12

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        rng = np.random.default_rng(SEED)
        shape = log.affinity.shape
        shoppers, products = (
            rng.normal(0.0, 0.1 / np.sqrt(self.factors), (count, self.factors)).astype(np.float32)
            for count in shape
        )
        by_product = transposed(log.affinity)
        for _ in range(self.iterations):
            self._half_step(log.affinity, products, shoppers)
            self._half_step(by_product, shoppers, products)
        return {"factors": products}

    def _half_step(self, matrix: csr_array, fixed: Floats, solved: Floats) -> None:
        counts = np.diff(matrix.indptr)
        penalties = self.regularisation * np.power(counts + self.unobserved * len(fixed), self.scaling)
        gram = (self.unobserved * (fixed.T @ fixed)).astype(np.float32)
        _conjugate_gradients(csr_parts(matrix), fixed, gram, penalties.astype(np.float32), solved, self.STEPS)

    def scores(self, histories: Histories) -> Floats:
        """Return the dot products of each history's factors with the factors of the products."""
        products = self.arrays["factors"]
        matrix = histories.matrix(self.product_count)
        matrix.data = np.log2(1.0 + matrix.data)
        shoppers = np.zeros((len(histories), products.shape[1]), np.float32)
        for _ in range(self.FOLD_IN_HALF_STEPS):
            self._half_step(matrix, products, shoppers)
        return np.asarray(shoppers @ products.T, np.float32)


@compiled
def _conjugate_gradients(
    matrix: tuple[Ints, Codes, Floats],
    fixed: Floats,
    gram: Floats,
    penalties: Floats,
    solved: Floats,
    steps: int,
) -> None:
    """Solve (gram + Σ c f fᵀ + λ I) x = Σ c f for each row by conjugate gradients, in place."""
    indptr, columns, values = matrix
    for row in range(len(solved)):
        start, end = indptr[row], indptr[row + 1]
        if start == end:
            solved[row] = 0.0
            continue
        x = solved[row]
        residual = -(gram @ x) - penalties[row] * x
        for at in range(start, end):
            factor = fixed[columns[at]]
            residual += values[at] * (np.float32(1.0) - np.dot(factor, x)) * factor
        direction = residual.copy()
        size = np.dot(residual, residual)
        for _ in range(steps):
            if size < 1e-12:
                break
            moved = gram @ direction + penalties[row] * direction
            for at in range(start, end):
                factor = fixed[columns[at]]
                moved += values[at] * np.dot(factor, direction) * factor
            size = step(x, residual, direction, moved, size)

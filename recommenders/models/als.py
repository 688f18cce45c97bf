"""Matrix factorisation of implicit feedback by alternating least squares, by the package implicit."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from common.errors import UserError
from recommenders.base import Model
from recommenders.histories import Floats, Histories
from recommenders.interactions import Interactions

SEED = 0


@dataclass
class ALS(Model):
    """Minimises Σ c (1 − w·h)² over events + Σ (w·h)² over other pairs + λ (Σ |w|² + Σ |h|²).

    w and h are the factors of a shopper and a product, c is `alpha` times the affinity, and λ is
    `regularisation`. Source: Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets,
    ICDM 2008. implicit runs three steps of conjugate gradients in each half step (Takács, Pilászy and Tikk,
    RecSys 2011), and solves exactly for the factors of a history.
    """

    NAME = "als"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "factors": (64, 128, 32),
        "regularisation": (0.01, 0.1, 1.0, 10.0, 30.0, 100.0, 200.0),
        "alpha": (1.0, 3.0, 5.0, 20.0, 60.0),
        "iterations": (15, 30),
    }

    factors: int = 64
    regularisation: float = 0.01
    alpha: float = 1.0
    iterations: int = 15

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        solver = self._new_solver()
        with threadpool_limits(1, "blas"):
            solver.fit(csr_matrix(log.affinity), show_progress=False)
        return {"factors": solver.item_factors}

    def scores(self, histories: Histories) -> Floats:
        """Return the dot products of each history's factors with the factors of the products.

        Raises:
            UserError: implicit can't be imported.
        """
        matrix = csr_matrix(histories.matrix(self.product_count))
        matrix.data = np.log2(1.0 + matrix.data)
        with threadpool_limits(1, "blas"):
            shoppers = self._fitted_solver.recalculate_user(np.arange(len(histories)), matrix)
        return np.asarray(shoppers @ self.arrays["factors"].T, np.float32)

    @cached_property
    def _fitted_solver(self) -> Any:
        solver = self._new_solver()
        solver.item_factors = self.arrays["factors"]
        return solver

    def _new_solver(self) -> Any:
        """Return implicit's model, not fitted.

        It uses one thread, as our other models do. implicit warns about each BLAS library that uses several;
        these would also make the factors depend on the number of cores.

        Raises:
            UserError: implicit can't be imported.
        """
        try:
            # Imported here, because implicit needs the system's libgomp.so.1, which may be missing. Other
            # models work without it. The import loads a BLAS library, so it comes before the limit.
            from implicit.als import AlternatingLeastSquares
        except ImportError as error:
            raise UserError(
                f"als can't load the package implicit ({error}): install what is missing "
                "(Debian, Ubuntu: apt install libgomp1), or choose another model"
            ) from error
        with threadpool_limits(1, "blas"):
            return AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularisation,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=SEED,
                use_gpu=False,
            )

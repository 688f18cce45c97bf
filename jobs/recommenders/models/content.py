"""What is like the history by its attributes and words, also for products that nobody has touched."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer

from common.errors import UserError
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.item_weights import ItemWeights
from jobs.recommenders.sparse import from_rows, largest_of_product, scaled


@dataclass
class Content(ItemWeights):
    """W = C + `propagated` · G Sᵀ, each with rows that sum to 1.

    C is the cosine of TF-IDF vectors of attributes and words. G is the normalised gram of who took what, S
    the `closest` products by C: a product has the scores of what it is like, so that one without any event
    has one. Of each row the `neighbours` largest values are kept, and as many among products without events.
    Source of the propagation: the neighbourhood step of Schein et al., Methods and Metrics for Cold-Start
    Recommendations, SIGIR 2002, on the gram of `graph_filter`.
    """

    NAME = "content"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "propagated": (3.0, 1.0, 10.0),
        "closest": (50, 10, 200),
        "decay": (1.0, 0.8, 0.5),
    }

    propagated: float = 3.0
    closest: int = 50
    neighbours: int = 500

    def _weigh(self, log: Interactions) -> csr_array:
        if log.attributes is None or not log.attributes.count_nonzero():
            raise UserError(
                "model content needs the products' attributes: give them, or choose another model"
            )
        vectors = csr_array(
            TfidfTransformer(sublinear_tf=True).fit_transform(log.attributes), dtype=np.float32
        )
        untouched = log.popularity == 0
        like = self._product(vectors, csr_array(vectors.T.tocsr()), untouched)
        said = scaled(log.affinity, 0.25, 0.5)
        together = largest_of_product(csr_array(said.T.tocsr()), said, self.neighbours, diagonal=True)
        closest = scaled(from_rows(like, self.closest), 1.0, 0.0)
        passed = self._product(together, csr_array(closest.T.tocsr()), untouched)
        return csr_array(scaled(like, 1.0, 0.0) + self.propagated * scaled(passed, 1.0, 0.0))

    def _product(self, left: csr_array, right: csr_array, untouched: NDArray[np.bool_]) -> csr_array:
        """left · right: of each row the largest values, and the largest among the untouched products."""
        found = largest_of_product(left, right, self.neighbours)
        if not untouched.any():
            return found
        of_untouched = csr_array(
            (right.data * untouched[right.indices], right.indices, right.indptr), shape=right.shape
        )
        return csr_array(found.maximum(largest_of_product(left, of_untouched, self.neighbours)))

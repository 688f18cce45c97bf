"""What is like the history by its attributes and words, also for products that nobody has touched."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer

from common.errors import UserError
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.item_weights import ItemWeights
from jobs.recommenders.sparse import from_rows, largest_of_product, scaled


@dataclass
class Content(ItemWeights):
    """W = C + `propagated` · G S, both with rows that sum to 1, the `neighbours` largest of each row.

    C is the cosine of TF-IDF vectors of attributes and words. G is the normalised gram of who took what, S
    the `closest` products by C: what goes with the history passes its score on to what is like it, so that a
    product without any event has one. Source of the propagation: the neighbourhood step of Schein et al.,
    Methods and Metrics for Cold-Start Recommendations, SIGIR 2002, on the gram of `graph_filter`.
    """

    NAME = "content"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "propagated": (1.0, 0.3, 3.0),
        "closest": (50, 10, 200),
        "decay": (1.0, 0.8, 0.5),
    }

    propagated: float = 1.0
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
        like = largest_of_product(vectors, csr_array(vectors.T.tocsr()), self.neighbours)
        said = scaled(log.affinity, 0.25, 0.5)
        together = largest_of_product(csr_array(said.T.tocsr()), said, self.neighbours, diagonal=True)
        passed = largest_of_product(together, from_rows(like, self.closest), self.neighbours, diagonal=True)
        both = scaled(like, 1.0, 0.0) + self.propagated * scaled(passed, 1.0, 0.0)
        return from_rows(csr_array(both), self.neighbours)

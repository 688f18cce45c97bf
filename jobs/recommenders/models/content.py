"""What has the attributes and words that shoppers like this one take, also if nobody has touched it yet."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.feature_extraction.text import TfidfTransformer

from common.errors import UserError
from jobs.recommenders.gram_limit import affinity_with_bounded_gram
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.item_weights import ItemWeights
from jobs.recommenders.sparse import largest_of_product, linkprop_weights, powers, transposed


@dataclass
class Content(ItemWeights):
    """W = G · X · D^−specificity · Xᵀ: what goes with a product says which attributes are wanted after it.

    X holds the attributes and words of each product: 1 + ln(count), with `tfidf` their TF-IDF in rows of
    length 1. G is the normalised gram of who took what, with its diagonal, so that a product's own attributes
    count; one that nobody took stands for itself. D holds how much of an attribute the touched products have.
    Of G X the `attributes` largest values of each row are kept, of W the `neighbours` largest and as many
    among products without events. Sources: the step from neighbours to attributes of Schein et al., Methods
    and Metrics for Cold-Start Recommendations, SIGIR 2002; the degree powers are those of `graph_filter`.
    """

    NAME = "content"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "tfidf": (False, True),
        "specificity": (1.0, 0.5, 1.3),
        "decay": (0.7, 1.0, 0.5),
        "trend": (0.0, 1.0),
    }

    decay: float = 0.7
    tfidf: bool = False
    specificity: float = 1.0
    attributes: int = 200
    neighbours: int = 500

    def _item_weights(self, log: Interactions) -> csr_array:
        if log.attributes is None or not log.attributes.count_nonzero():
            raise UserError(
                "model content needs the products' attributes: give them, or choose another model"
            )
        weighing = TfidfTransformer(norm="l2" if self.tfidf else None, use_idf=self.tfidf, sublinear_tf=True)
        vectors = csr_array(weighing.fit_transform(log.attributes), dtype=np.float32)
        touched = log.popularity > 0
        together = _together(log, touched, self.neighbours)
        wanted = largest_of_product(together, vectors, self.attributes, diagonal=True)
        specific = powers(0.5 + np.asarray(touched.astype(np.float32) @ vectors), -self.specificity)
        meant = transposed(csr_array(vectors * specific))
        return self._product(wanted, meant, touched)

    def _product(self, left: csr_array, right: csr_array, touched: NDArray[np.bool_]) -> csr_array:
        """left · right: of each row the largest values, and the largest among the untouched products."""
        found = largest_of_product(left, right, self.neighbours)
        if touched.all():
            return found
        of_untouched = csr_array(
            (right.data * ~touched[right.indices], right.indices, right.indptr), right.shape
        )
        return csr_array(found.maximum(largest_of_product(left, of_untouched, self.neighbours)))


def _together(log: Interactions, touched: NDArray[np.bool_], limit: int) -> csr_array:
    """G; 1 on the diagonal of what nobody took."""
    gram = linkprop_weights(affinity_with_bounded_gram(log), 0.5, 0.7, 0.3, limit)
    return csr_array(gram + diags_array((~touched).astype(np.float32)))

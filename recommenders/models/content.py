"""Recommends by attributes and words of products, so that it also recommends products without events."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.feature_extraction.text import TfidfTransformer

from common.errors import UserError
from recommenders.base import ItemWeights, affinity_with_bounded_gram
from recommenders.interactions import Interactions
from recommenders.sparse import largest_of_product, linkprop_weights, powers, transposed, with_values


@dataclass
class Content(ItemWeights):
    """W = G · X · D^−specificity · Xᵀ: G leads from a product to its neighbours, X to their attributes.

    X holds the attributes and words of each product: 1 + ln(count), or with `tfidf` their TF-IDF, normalised
    to rows of length 1. G is the normalised Gram matrix of the affinity. It has a diagonal, so that a
    product's own attributes count, too. The diagonal is 1 for products without events. D holds the sum of
    each attribute over the products with events, plus ½. Each row of G X keeps its `attributes` largest
    values. Each row of W keeps its `neighbours` largest values, and as many among products without events.

    Sources: the step from neighbours to attributes is from Schein et al., Methods and Metrics for Cold-Start
    Recommendations, SIGIR 2002; the degree powers are those of `graph_filter`.
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
            raise UserError("model content needs the products' attributes: add them, or choose another model")
        transformer = TfidfTransformer(
            norm="l2" if self.tfidf else None, use_idf=self.tfidf, sublinear_tf=True
        )
        vectors = csr_array(transformer.fit_transform(log.attributes), dtype=np.float32)
        has_events = log.popularity > 0
        gram = linkprop_weights(affinity_with_bounded_gram(log), 0.5, 0.7, 0.3, self.neighbours)
        neighbours = csr_array(gram + diags_array((~has_events).astype(np.float32)))
        attribute_weights = largest_of_product(neighbours, vectors, self.attributes, diagonal=True)
        specificities = powers(0.5 + np.asarray(has_events.astype(np.float32) @ vectors), -self.specificity)
        return self._product(attribute_weights, transposed(csr_array(vectors * specificities)), has_events)

    def _product(self, left: csr_array, right: csr_array, has_events: NDArray[np.bool_]) -> csr_array:
        """Return left · right with the largest values of each row, also among products without events."""
        largest = largest_of_product(left, right, self.neighbours)
        if has_events.all():
            return largest
        to_new_products = with_values(right, right.data * ~has_events[right.indices])
        return csr_array(largest.maximum(largest_of_product(left, to_new_products, self.neighbours)))

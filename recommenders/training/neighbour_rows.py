"""Cuts a fitted model to what serving reads: the best neighbours of each product. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from recommenders.base import Model
from recommenders.compact import CompactModel
from recommenders.histories import Codes, Floats
from recommenders.interactions import Interactions
from recommenders.models.content import Content
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.rows import Neighbour, Row

NEIGHBOURS = 32
"""The number of neighbours of a product in the trained model. Readers of co-visits read as many."""

FEW_SHOPPERS = 5
"""A product of fewer shoppers has no neighbours in the trained model, if any products are like it: they would
be chance."""

CONTENT_NEIGHBOURS = 8
"""The number of neighbours with similar content: products without events, for a product that has events."""


@dataclass(frozen=True)
class ServedModel:
    """A model as it is published. `content` has neighbours by name and category, None if nothing is known."""

    name: str
    ids: ProductIds
    trained: CompactModel
    content: CompactModel | None
    few_shoppers: int = FEW_SHOPPERS

    @classmethod
    def of(cls, model: Model, content: CompactModel | None = None) -> "ServedModel":
        """Return what is published of a fitted model."""
        return cls(
            model.NAME, ProductIds.of(str(each) for each in model.vocabulary.ids), model.compact, content
        )

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Return each product that has neighbours, with its row.

        A product with neighbours in the trained model gets neighbours by content among products without any
        event, which no other model recommends. A product without them, and one of few shoppers, gets
        neighbours by content of any kind.
        """
        without_events = self.trained.prior <= 0
        for code in range(len(self.ids)):
            trained = best_neighbours(self.trained, code, NEIGHBOURS)
            content: list[Neighbour] = []
            if self.content is not None:
                is_known = bool(trained) and self.trained.prior[code] >= self.few_shoppers
                limit, only = (CONTENT_NEIGHBOURS, without_events) if is_known else (NEIGHBOURS, None)
                content = best_neighbours(self.content, code, limit, only)
                if content and not is_known:
                    trained = []
            if trained or content:
                yield self.ids[code], Row(trained, content)


def similar_content(log: Interactions) -> CompactModel | None:
    """Return the neighbours of each product by its name, category and seller; None if no product has them."""
    try:
        return Content().fit(log).compact
    except UserError:  # the log has no attributes
        return None


def best_neighbours(
    model: CompactModel, code: int, limit: int, only: NDArray[np.bool_] | None = None
) -> list[Neighbour]:
    """Return the best neighbours of a product, at most `limit`, among those that `only` flags."""
    start, stop = model.indptr[code], model.indptr[code + 1]
    neighbours: Codes = model.neighbours[start:stop]
    scores: Floats = model.scores[start:stop]
    usable = (neighbours != code) & (scores > 0) & np.isfinite(scores)
    if only is not None:
        usable &= only[neighbours]
    neighbours, scores = neighbours[usable], scores[usable]
    best = np.lexsort((neighbours, -scores))[:limit]
    return [
        Neighbour(int(each), float(score)) for each, score in zip(neighbours[best], scores[best], strict=True)
    ]

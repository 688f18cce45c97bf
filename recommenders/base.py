"""The base classes of models: a fitted model ranks all products for any history of events.

`ItemWeights` is the base class of models that learn one sparse matrix of weights between products.
`affinity_with_bounded_gram` limits the cost of a gram matrix: a shopper with n products adds n² terms to it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from common.errors import UserError
from recommenders import storage
from recommenders.compact import NEIGHBOURS, CompactModel
from recommenders.histories import Codes, Floats, Histories, Ints, indptr_from_lengths
from recommenders.interactions import Interactions, trend_ratios
from recommenders.ranking import PADDING, RankedLists, exclude, top_k
from recommenders.sparse import csr_from_lists, csr_parts, dense_product, largest_per_row, with_values
from recommenders.vocabulary import Vocabulary

MAX_SCORES = 8_000_000
"""The largest number of scores in memory at once: 32 MB."""

COMPACT = "compact"
"""The prefix of the array names of a saved model's compact form."""


@dataclass
class Model(ABC):
    """A model. Its dataclass fields are its settings; `arrays` holds what `fit` learned.

    `SPACE` maps a setting to the values that `auto` chooses from. Settings that are not in `SPACE` keep their
    defaults. `WITHOUT_ORDER` maps a setting that uses the order of events to the value with which it does
    not: logs without an order get this value. A model that `NEEDS_ORDER` can't be fitted on them.
    """

    NAME: ClassVar[str]
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]]
    WITHOUT_ORDER: ClassVar[Mapping[str, Any]] = {}
    NEEDS_ORDER: ClassVar[bool] = False

    arrays: dict[str, NDArray[Any]] = field(init=False, repr=False, default_factory=dict)
    vocabulary: Vocabulary = field(init=False, repr=False, default=Vocabulary(()))

    def fit(self, log: Interactions) -> Self:
        """Learn from a log and return the model itself. The same log and settings give the same model.

        If the log has no order, this calls `drop_order` first.

        Raises:
            UserError: the log lacks data that this model needs, for example attributes or an order.
        """
        if not log.ordered:
            self.drop_order()
        for name in [
            name for name in vars(self) if isinstance(getattr(type(self), name, None), cached_property)
        ]:
            del vars(self)[name]
        self.vocabulary = log.product_vocabulary
        self.arrays = {"popularity": log.popularity} | self._learn(log)
        return self

    def drop_order(self) -> None:
        """Change the settings so that the order of events has no effect.

        Raises:
            UserError: the model needs an order.
        """
        if self.NEEDS_ORDER:
            raise UserError(
                f"model {self.NAME} needs the order of events: name a column time or position, or choose "
                "another model"
            )
        for name, value in self.WITHOUT_ORDER.items():
            setattr(self, name, value)

    @abstractmethod
    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        """Return the arrays that `scores` needs, by name."""

    @abstractmethod
    def scores(self, histories: Histories) -> Floats:
        """Return a score for each history and product: float32 [rows, products], larger is better.

        Scores are comparable only within a row, unless the model's documentation says otherwise.
        """

    def recommend(self, histories: Histories, k: int, excluded: Histories | None = None) -> RankedLists:
        """Return the k best products for each history, without the products in the same row of `excluded`.

        Popularity orders products with equal scores, and products that the model has no information about.
        Lists with fewer than k products end with -1.

        Raises:
            UserError: `histories` or `excluded` holds a code that is not in the catalogue.
        """
        for each in (histories, excluded):
            if each is not None:
                each.require_codes_below(self.product_count)
        rows = max(1, MAX_SCORES // max(1, self.product_count))
        if 0 < len(histories) <= rows:
            return self._block(histories, k, excluded)
        lists = [
            self._block(histories[start : start + rows], k, excluded and excluded[start : start + rows])
            for start in range(0, len(histories), rows)
        ]
        return RankedLists.concatenate(lists) if lists else RankedLists.empty(0, k)

    def _block(self, histories: Histories, k: int, excluded: Histories | None) -> RankedLists:
        scores = self.scores(histories)
        if excluded is not None:
            exclude(scores, excluded)
        return top_k(scores, k, self.popularity)

    def similar(self, products: Codes, k: int) -> RankedLists:
        """Return the k best products for a history of each single product, without the product itself."""
        histories = Histories.of([[int(product)] for product in products])
        return self.recommend(histories, k, excluded=histories)

    def fold_in(self, history: Codes, k: int, repeats: bool = False) -> RankedLists:
        """Return the k best products for one history, [1, k]: approximates `recommend` in microseconds."""
        return self.compact.fold_in(history, k, repeats)

    @cached_property
    def compact(self) -> CompactModel:
        """The nearest neighbours of each product, computed at the first use or by `save`, and saved."""
        indptr, neighbours, scores = (self._neighbours[part] for part in _names(COMPACT))
        return CompactModel(indptr, neighbours, scores, self.popularity, self.history_decay)

    @cached_property
    def _neighbours(self) -> dict[str, NDArray[Any]]:
        saved = {name: array for name, array in self.arrays.items() if name.startswith(f"{COMPACT}_")}
        return saved or csr_to_arrays(COMPACT, self._nearest_neighbours())

    def _nearest_neighbours(self) -> csr_array:
        """Return the scores of each product's neighbours, found by `similar`: CSR [products, products]."""
        count = self.product_count
        ranked = self.similar(np.arange(count, dtype=np.int32), min(NEIGHBOURS, count))
        return csr_from_lists(np.where(ranked.scores > 0, ranked.products, PADDING), ranked.scores, count)

    @property
    def history_decay(self) -> float:
        """The setting `decay`, or 1: the weight of an event in the compact form, relative to the next one."""
        return float(getattr(self, "decay", 1.0))

    @property
    def product_count(self) -> int:
        """The number of products in the catalogue."""
        return len(self.vocabulary)

    @property
    def popularity(self) -> Floats:
        """The number of distinct shoppers of each product in training, float32 [products]."""
        return self.arrays["popularity"]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name, in the form that `save` writes."""
        return {name: value for name, value in asdict(self).items() if name not in ("arrays", "vocabulary")}

    def save(self, directory: Path) -> None:
        """Write the model and its compact form into a new directory, atomically.

        Raises:
            UserError: the directory exists already.
        """
        arrays = self.arrays | self._neighbours
        storage.save(directory, storage.StoredModel(self.NAME, self.settings, self.vocabulary.ids, arrays))

    @classmethod
    def from_stored(cls, stored: storage.StoredModel) -> Self:
        """Build the model from its stored form.

        Raises:
            UserError: the stored settings are not the settings of this model.
        """
        try:
            model = cls(**stored.settings)
        except (TypeError, UserError) as error:
            raise UserError(f"the saved model {stored.name} has unknown settings: train it again") from error
        model.vocabulary = Vocabulary(stored.product_ids)
        model.arrays = dict(stored.arrays)
        return model


def csr_to_arrays(name: str, matrix: csr_array) -> dict[str, NDArray[Any]]:
    """Return a CSR matrix as three named arrays, for `Model.arrays`."""
    return dict(zip(_names(name), csr_parts(matrix), strict=True))


def csr_from_arrays(name: str, arrays: Mapping[str, NDArray[Any]], columns: int) -> csr_array:
    """Rebuild the CSR matrix that `csr_to_arrays` stored under `name`."""
    indptr, indices, values = (arrays[part] for part in _names(name))
    return csr_array((values, indices, indptr), shape=(len(indptr) - 1, columns))


def _names(name: str) -> tuple[str, str, str]:
    return f"{name}_indptr", f"{name}_indices", f"{name}_values"


@dataclass
class ItemWeights(Model):
    """score(i | h) = t(i)^trend · Σ decay^age(j) · W[j, i] over the events j of the history h.

    The newest event has age 0. t is `trend_ratios`: it corrects W, which counts old and recent events
    alike, for changes of popularity. Source: Saerens, Latinne and Decaestecker, Adjusting the Outputs of a
    Classifier to New a Priori Probabilities, Neural Computation 2002.
    """

    WITHOUT_ORDER: ClassVar[Mapping[str, Any]] = {"decay": 1.0, "trend": 0.0}

    decay: float = 1.0
    trend: float = 0.0

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        weights = self._item_weights(log)
        trended = with_values(weights, weights.data * self._trend(log)[weights.indices])
        return csr_to_arrays("weights", trended)

    def _trend(self, log: Interactions) -> Floats:
        """Return t(i)^trend, float32 [products]."""
        return np.asarray(np.power(trend_ratios(log), self.trend), np.float32)

    @abstractmethod
    def _item_weights(self, log: Interactions) -> csr_array:
        """Return W: CSR float32 [products, products], with few values per row."""

    def scores(self, histories: Histories) -> Floats:
        """Return the decayed sums of the rows of `weights`."""
        return dense_product(histories.with_decay(self.decay), self._parts, self.product_count)

    def _nearest_neighbours(self) -> csr_array:
        """Return the largest weights of each row."""
        return largest_per_row(self.weights, NEIGHBOURS, diagonal=False)

    @cached_property
    def weights(self) -> csr_array:
        """W with its columns multiplied by the trend: CSR float32 [products, products]."""
        return csr_from_arrays("weights", self.arrays, self.product_count)

    @cached_property
    def _parts(self) -> tuple[Ints, Codes, Floats]:
        return csr_parts(self.weights)


MAX_GRAM_TERMS = 20_000_000_000
"""The largest number of terms in the sum of a gram: about a minute on one core."""

MAX_GRAM_VALUES = 400_000_000
"""The largest number of values of a gram in memory: 3.2 GB, and at most as much again for its dense part."""


def affinity_with_bounded_gram(log: Interactions, held: bool = False) -> csr_array:
    """Return the log's affinity, limited to the newest products of each shopper if the gram is too large.

    Without an order, these are random products.

    A gram is too large if its sum has more than `MAX_GRAM_TERMS` terms or, with `held` (the caller holds the
    whole gram in memory), if it has more than `MAX_GRAM_VALUES` values. The limit on products per shopper is
    half of the largest number, then a quarter, and so on, until the gram is small enough.
    """
    counts = np.diff(log.affinity.indptr).astype(np.int64)
    limit = int(counts.max())
    while limit > 1 and _is_too_large(log.affinity, np.minimum(counts, limit), held):
        limit //= 2
    return log.affinity if limit == counts.max() else _newest_products(log, limit)


def _is_too_large(affinity: csr_array, counts: Ints, held: bool) -> bool:
    if (counts**2).sum() > MAX_GRAM_TERMS:
        return True
    if not held:
        return False
    row_bounds = np.bincount(affinity.indices, np.repeat(counts, np.diff(affinity.indptr)), affinity.shape[1])
    return bool(np.minimum(row_bounds, affinity.shape[1]).sum() > MAX_GRAM_VALUES)


def _newest_products(log: Interactions, limit: int) -> csr_array:
    affinity, histories = log.affinity, log.histories
    kept = np.ones(affinity.nnz, np.bool_)
    for row in np.flatnonzero(np.diff(affinity.indptr) > limit):
        start, end = affinity.indptr[row], affinity.indptr[row + 1]
        newest_first = histories.products[histories.indptr[row] : histories.indptr[row + 1]][::-1]
        distinct, places = np.unique(newest_first, return_index=True)
        kept[start:end] = np.isin(affinity.indices[start:end], distinct[np.argsort(places)[:limit]])
    indptr = indptr_from_lengths(kept)[affinity.indptr]
    return csr_array((affinity.data[kept], affinity.indices[kept], indptr), shape=affinity.shape)

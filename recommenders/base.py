"""The base class of all models: a fitted model ranks all products for any history of events."""

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
from recommenders.histories import Codes, Floats, Histories
from recommenders.interactions import Interactions
from recommenders.ranking import PADDING, RankedLists, exclude, top_k
from recommenders.sparse import csr_from_lists, csr_parts
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

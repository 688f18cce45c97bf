"""What every model is: fitted on a log, it ranks all products for a history, known or not."""

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
from jobs.recommenders import storage
from jobs.recommenders.compact import NEIGHBOURS, CompactModel
from jobs.recommenders.histories import Floats, Histories
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.ranking import PADDING, RankedLists, exclude, top_k
from jobs.recommenders.sparse import csr_from_lists, csr_parts
from jobs.recommenders.vocabulary import Codes, Vocabulary

MAX_SCORES = 8_000_000
"""Scores that are in memory at once: 32 MB."""

COMPACT = "compact"
"""What the arrays of a saved model's compact form begin with."""


@dataclass
class Model(ABC):
    """A model: its fields are its settings, `arrays` what `fit` made.

    `SPACE` holds for each setting the values that `auto` chooses from; a setting that is not in it is left at
    its default.
    """

    NAME: ClassVar[str]
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]]

    arrays: dict[str, NDArray[Any]] = field(init=False, repr=False, default_factory=dict)
    vocabulary: Vocabulary = field(init=False, repr=False, default=Vocabulary(()))

    def fit(self, log: Interactions) -> Self:
        """Learn from a log; returns the model itself. The same log and settings make the same model.

        Raises:
            UserError: the log lacks what this model needs (attributes, ...).
        """
        for made in [name for name in vars(self) if name in self._cached()]:
            del vars(self)[made]
        self.vocabulary = log.product_vocabulary
        self.arrays = {"popularity": log.popularity} | self._learn(log)
        return self

    @abstractmethod
    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        """The arrays that `scores` needs, by name."""

    @abstractmethod
    def scores(self, histories: Histories) -> Floats:
        """How well each product goes with each history: float32 [rows, products], larger is better.

        Scores are comparable within a row only, unless the model says more.
        """

    def recommend(self, histories: Histories, k: int, excluded: Histories | None = None) -> RankedLists:
        """The k best of all products for each history; products of the same row of `excluded` are left out.

        Ties, and products that the model knows nothing of, are ordered by popularity. With fewer than k
        products the lists end with -1.

        Raises:
            UserError: a history or what is excluded holds a code that is not of the catalogue.
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
        """The k products that go best with each of these codes, which are left out themselves."""
        alone = Histories.of([[int(product)] for product in products])
        return self.recommend(alone, k, excluded=alone)

    def fold_in(self, history: Codes, k: int, repeats: bool = False) -> RankedLists:
        """The k best for one history, [1, k], from the compact form: near to `recommend`, in microseconds."""
        return self.compact.fold_in(history, k, repeats)

    @cached_property
    def compact(self) -> CompactModel:
        """The nearest neighbours of each product; made at the first use or by `save`, and saved."""
        made = self._neighbours
        indptr, neighbours, scores = (made[part] for part in _names(COMPACT))
        return CompactModel(indptr, neighbours, scores, self.popularity, self.history_decay)

    @cached_property
    def _neighbours(self) -> dict[str, NDArray[Any]]:
        saved = {name: array for name, array in self.arrays.items() if name.startswith(f"{COMPACT}_")}
        return saved or csr_to_arrays(COMPACT, self._nearest_neighbours())

    def _nearest_neighbours(self) -> csr_array:
        """The neighbours of each product that `similar` finds, with their scores: [products, products]."""
        count = self.product_count
        found = self.similar(np.arange(count, dtype=np.int32), min(NEIGHBOURS, count))
        return csr_from_lists(np.where(found.scores > 0, found.products, PADDING), found.scores, count)

    @property
    def history_decay(self) -> float:
        """What an event says in the compact form, relative to the next newer one."""
        return 1.0

    @property
    def product_count(self) -> int:
        """Products of the catalogue."""
        return len(self.vocabulary)

    @property
    def popularity(self) -> Floats:
        """Distinct shoppers of each product in training, float32 [products]."""
        return self.arrays["popularity"]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name, as `save` keeps them."""
        return {name: value for name, value in asdict(self).items() if name not in ("arrays", "vocabulary")}

    def save(self, directory: Path) -> None:
        """Write the model, its compact form with it, into a new directory, whole or not at all.

        Raises:
            UserError: something is there already.
        """
        arrays = self.arrays | self._neighbours
        stored = storage.StoredModel(self.NAME, self.settings, self.vocabulary.ids, arrays)
        storage.save(directory, stored)

    @classmethod
    def from_stored(cls, stored: storage.StoredModel) -> Self:
        """The model that was saved.

        Raises:
            UserError: its settings are not those of this model.
        """
        try:
            model = cls(**stored.settings)
        except TypeError as error:
            raise UserError(f"the saved model {stored.name} has other settings: train it anew") from error
        model.vocabulary = Vocabulary(stored.product_ids)
        model.arrays = dict(stored.arrays)
        return model

    @classmethod
    def _cached(cls) -> set[str]:
        found = (vars(each) for each in cls.__mro__)
        return {
            name for names in found for name, value in names.items() if isinstance(value, cached_property)
        }


def csr_to_arrays(name: str, matrix: csr_array) -> dict[str, NDArray[Any]]:
    """A CSR matrix as three arrays, for `Model.arrays`."""
    return dict(zip(_names(name), csr_parts(matrix), strict=True))


def csr_from_arrays(name: str, arrays: Mapping[str, NDArray[Any]], columns: int) -> csr_array:
    """The CSR matrix that `csr_to_arrays` took apart."""
    indptr, indices, values = (arrays[part] for part in _names(name))
    return csr_array((values, indices, indptr), shape=(len(indptr) - 1, columns))


def _names(name: str) -> tuple[str, str, str]:
    return f"{name}_indptr", f"{name}_indices", f"{name}_values"

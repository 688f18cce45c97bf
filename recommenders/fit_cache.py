"""Caches fitted models and split logs, so that hybrids with common members fit each member once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np

from recommenders.base import Model
from recommenders.interactions import Interactions
from recommenders.reranking import HoldOutMethod, RerankingSplit, hold_out

M = TypeVar("M", bound=Model)

SEED = 0

_COLUMNS = 8
"""The size of a log and of its cached properties, in arrays of 8 bytes per event."""


@dataclass
class FitCache:
    """A least-recently-used cache of at most `max_bytes` bytes in total; with 0 bytes, nothing is cached."""

    max_bytes: int = 0
    _entries: OrderedDict[Hashable, tuple[Interactions, Any, int]] = field(default_factory=OrderedDict)

    def fit(self, model: M, log: Interactions) -> M:
        """Return a new model with the same settings, fitted on the log. `model` itself is not changed.

        Raises:
            UserError: as `Model.fit`.
        """

        def compute() -> tuple[M, int]:
            fitted = replace(model).fit(log)
            return fitted, sum(array.nbytes for array in fitted.arrays.values())

        return cast(M, self._cached(_model_key(model, log), log, compute))

    def hold_out(self, log: Interactions, limit: int, method: HoldOutMethod) -> RerankingSplit | None:
        """Call `reranking.hold_out` with a fixed seed, so that the same log always gives the same split.

        `limit` is the number of sequences to hold events out of.
        """

        def compute() -> tuple[RerankingSplit | None, int]:
            split = hold_out(log, limit, method, np.random.default_rng(SEED))
            return split, 0 if split is None else 8 * _COLUMNS * len(split.log)

        return cast(RerankingSplit | None, self._cached((method, limit, id(log)), log, compute))

    def cached_log(self, log: Interactions, limit: int, method: str) -> Interactions | None:
        """Return the log of the split that `hold_out` returned, or None if it is not in the cache."""
        entry = self._entries.get((method, limit, id(log)))
        return entry[1].log if entry and entry[1] else None

    def has_model(self, model: Model, log: Interactions) -> bool:
        """Return whether the cache holds a model with these settings, fitted on this log."""
        return _model_key(model, log) in self._entries

    def clear(self) -> None:
        """Forget everything, so that its memory is free."""
        self._entries.clear()

    def _cached(self, key: Hashable, log: Interactions, compute: Callable[[], tuple[Any, int]]) -> Any:
        if key not in self._entries:
            value, size = compute()
            if size >= self.max_bytes:
                return value
            # The entry references its log: no other log can get the id that is part of the key.
            self._entries[key] = (log, value, size)
            while sum(size for _, _, size in self._entries.values()) > self.max_bytes:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return self._entries[key][1]


def _model_key(model: Model, log: Interactions) -> Hashable:
    return model.NAME, tuple(sorted(model.settings.items())), id(log)

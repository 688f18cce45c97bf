"""Remembers fitted models and cut logs, for hybrids that share members."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np

from jobs.recommenders.base import Model
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.reranking.split import HoldOutMethod, RerankingSplit, hold_out

M = TypeVar("M", bound=Model)

SEED = 0

_COLUMNS = 8
"""What a log takes with what it makes of itself at the first use, in arrays of 8 bytes an event."""


@dataclass
class FitCache:
    """Keeps what was asked for last, of at most `max_bytes` bytes in all; of 0 bytes, nothing."""

    max_bytes: int = 0
    _entries: OrderedDict[Hashable, tuple[Interactions, Any, int]] = field(default_factory=OrderedDict)

    def fit(self, model: M, log: Interactions) -> M:
        """A model of these settings, fitted on the log; the given one stays as it is.

        Raises:
            UserError: as `Model.fit`.
        """

        def fitted() -> tuple[M, int]:
            made = replace(model).fit(log)
            return made, sum(array.nbytes for array in made.arrays.values())

        return cast(M, self._cached(_of(model, log), log, fitted))

    def hold_out(self, log: Interactions, max_bytes: int, how: HoldOutMethod) -> RerankingSplit | None:
        """`hold_out` with a fixed seed: the same of the same log."""

        def cached_log() -> tuple[RerankingSplit | None, int]:
            held = hold_out(log, max_bytes, how, np.random.default_rng(SEED))
            return held, 0 if held is None else 8 * _COLUMNS * len(held.log)

        return cast(RerankingSplit | None, self._cached((how, max_bytes, id(log)), log, cached_log))

    def cached_log(self, log: Interactions, max_bytes: int, how: str) -> Interactions | None:
        """What `hold_out` left of the log, if it is remembered."""
        entry = self._entries.get((how, max_bytes, id(log)))
        return entry[1].log if entry and entry[1] else None

    def has_model(self, model: Model, log: Interactions) -> bool:
        """Whether this model is there, fitted on this log."""
        return _of(model, log) in self._entries

    def _cached(self, key: Hashable, log: Interactions, made: Callable[[], tuple[Any, int]]) -> Any:
        if key not in self._entries:
            value, size = made()
            if size >= self.max_bytes:
                return value
            self._entries[key] = (
                log,
                value,
                size,
            )  # with its log, so that its id can be no other's meanwhile
            while sum(size for _, _, size in self._entries.values()) > self.max_bytes:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return self._entries[key][1]


def _of(model: Model, log: Interactions) -> Hashable:
    return model.NAME, tuple(sorted(model.settings.items())), id(log)

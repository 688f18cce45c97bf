"""Remembers fitted models and cut logs, for hybrids that share members."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np

from jobs.recommenders.base import Model
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.reranking.held_out import HeldOut, How, hold_out

M = TypeVar("M", bound=Model)

SEED = 0

_COLUMNS = 8
"""What a log takes with what it makes of itself at the first use, in arrays of 8 bytes an event."""


@dataclass
class Memo:
    """Keeps what was asked for last, of at most `most` bytes in all; of 0 bytes, nothing."""

    most: int = 0
    _kept: OrderedDict[Hashable, tuple[Interactions, Any, int]] = field(default_factory=OrderedDict)

    def fit(self, model: M, log: Interactions) -> M:
        """A model of these settings, fitted on the log; the given one stays as it is.

        Raises:
            UserError: as `Model.fit`.
        """

        def fitted() -> tuple[M, int]:
            made = replace(model).fit(log)
            return made, sum(array.nbytes for array in made.arrays.values())

        return cast(M, self._remembered(_of(model, log), log, fitted))

    def hold_out(self, log: Interactions, most: int, how: How) -> HeldOut | None:
        """`hold_out` with a fixed seed: the same of the same log."""

        def cut() -> tuple[HeldOut | None, int]:
            held = hold_out(log, most, how, np.random.default_rng(SEED))
            return held, 0 if held is None else 8 * _COLUMNS * len(held.log)

        return cast(HeldOut | None, self._remembered((how, most, id(log)), log, cut))

    def cut(self, log: Interactions, most: int, how: str) -> Interactions | None:
        """What `hold_out` left of the log, if it is remembered."""
        kept = self._kept.get((how, most, id(log)))
        return kept[1].log if kept and kept[1] else None

    def knows(self, model: Model, log: Interactions) -> bool:
        """Whether this model is there, fitted on this log."""
        return _of(model, log) in self._kept

    def _remembered(self, key: Hashable, log: Interactions, made: Callable[[], tuple[Any, int]]) -> Any:
        if key not in self._kept:
            value, size = made()
            if size >= self.most:
                return value
            self._kept[key] = (log, value, size)  # with its log, so that its id can be no other's meanwhile
            while sum(size for _, _, size in self._kept.values()) > self.most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key][1]


def _of(model: Model, log: Interactions) -> Hashable:
    return model.NAME, tuple(sorted(model.settings.items())), id(log)

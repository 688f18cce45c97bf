"""The logs that trainings read: interactions, and what lists showed and what of it was clicked and bought."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from bench.arms.shop import DAY_S
from jobs.recommenders.evaluation.loaders.attributes import attributes_of
from jobs.recommenders.evaluation.loaders.interactions import log_of
from jobs.training.click_pairs import ShownItems
from jobs.training.shown_items import DAYS, MAX_LISTS
from jobs.training.training_data import DAILY, WEIGHTS, TrainingData
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.world import World
from schemas.published_model.weights import BLENDED


@dataclass
class InteractionLog:
    """Views, additions to carts and purchases, as jobs/training/interactions.sql returns them."""

    _rows: dict[tuple[str, str, float, int], int] = field(default_factory=dict)
    _of_day: Counter[tuple[str, float, int]] = field(default_factory=Counter)

    def add(self, visitor: str, product: str, kind: str, at_s: float) -> None:
        """Add an event. A product counts once a day for each visitor and kind, at most `DAILY` products."""
        day, weight = int(at_s // DAY_S), WEIGHTS[kind]
        key = (visitor, product, weight, day)
        if key not in self._rows and self._of_day[visitor, weight, day] < DAILY:
            self._of_day[visitor, weight, day] += 1
            self._rows[key] = int(at_s)

    def __len__(self) -> int:
        return len(self._rows)

    def training_data(self, world: World) -> TrainingData:
        """Return the log with the names, categories and sellers of the products."""
        attributes = attributes_of(_products(world), "item")
        columns = {
            "user": pa.array([key[0] for key in self._rows]),
            "item": pa.array([key[1] for key in self._rows]),
            "weight": pa.array([key[2] for key in self._rows]),
            "time": pa.array(list(self._rows.values())),
        }
        log = log_of(columns, attributes)
        return TrainingData(log, attributes.sellers_of(log))


@dataclass
class ShownList:
    """A list that came into view, without items that no source scored.

    `scores` is [items, `BLENDED`], and `popularity` the interest in each product at that time.
    """

    visitor: str
    surface: str
    at_s: float
    products: Sequence[str]
    positions: Sequence[int]
    scores: Sequence[Sequence[float]]
    popularity: Sequence[float]
    clicked: list[bool]
    bought: list[bool]


@dataclass
class ShownLog:
    """The lists of the default strategy and the random ones that had a model, the newest last."""

    lists: list[ShownList] = field(default_factory=list)

    def items(self, now_s: float) -> ShownItems:
        """Return what `read_shown_items` returns at this time."""
        used = [each for each in self.lists if each.at_s >= now_s - DAYS * DAY_S][-MAX_LISTS:]
        self.lists = used
        lengths = [len(each.positions) for each in used]
        _, visitors = np.unique(np.array([each.visitor for each in used], np.str_), return_inverse=True)
        return ShownItems(
            np.repeat(np.arange(len(used)), lengths),
            np.repeat(visitors, lengths),
            np.array([each.surface for each in used for _ in each.positions], np.str_),
            np.array([each for one in used for each in one.positions], np.int64),
            np.array([each for one in used for each in one.scores], np.float64).reshape(-1, len(BLENDED)),
            np.array([each for one in used for each in one.popularity], np.float64),
            np.array([each for one in used for each in one.clicked], np.bool_),
            np.array([each for one in used for each in one.bought], np.bool_),
        )


def _products(world: World) -> pa.Table:
    products = world.products
    return pa.table(
        {
            "item": products.ids,
            "name": products.names,
            "category": [LEAVES[each].name for each in products.category.tolist()],
            "seller": [world.sellers.ids[each] for each in products.seller.tolist()],
        }
    )

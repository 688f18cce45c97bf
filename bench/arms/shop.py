"""What the platform knows of a simulated marketplace: histories, co-visits, popularity, a model and weights.

The state is what jobs `recommendations` and `rankings` keep in Redis, in plain dictionaries.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from math import inf

from bench.recommenders.co_visits import CoVisits
from jobs.recommendations.logic import MAX_BOUGHT, MAX_POPULAR, MAX_RECENT
from jobs.training.training_data import WEIGHTS
from schemas.published_model.weights import DEFAULT_WEIGHTS, Weights
from serving.recommendations.scoring import Neighbours, covisit_unit

DAY_S = 86_400.0

POPULAR_HALF_LIFE_S = 30 * DAY_S
"""As in jobs/rankings/views: a unit that was sold 30 days earlier weighs half as much."""

REFRESH_S = 1_800.0
"""How long neighbours and rankings are used again. The platform reads neighbours every 30 s."""


@dataclass
class Visitor:
    """The newest products of a shopper or a session: product → Unix seconds, the newest last."""

    viewed: dict[str, float] = field(default_factory=dict)
    carted: dict[str, float] = field(default_factory=dict)
    bought: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedModel:
    """The rows of a published model: product → its neighbours by the model and by content, and the decay."""

    name: str
    trained: Mapping[str, Neighbours]
    content: Mapping[str, Neighbours]
    decay: float


Ranking = Sequence[tuple[str, float]]
"""Products and their scores, the best first."""


class Shop:
    """The state of the marketplace at the time of the newest event."""

    def __init__(self, category_of: Mapping[str, str]) -> None:
        self.category_of = category_of
        self.code_of = {product: code for code, product in enumerate(category_of)}
        self.visitors: dict[str, Visitor] = defaultdict(Visitor)
        self.co_visits = CoVisits()
        self.model: PublishedModel | None = None
        self.weights: Weights = DEFAULT_WEIGHTS
        self._sold: dict[str, float] = defaultdict(float)
        self._neighbours: dict[str, tuple[Neighbours, float]] = {}
        self._popular: tuple[Ranking, float] = [], -inf
        self._in_category: dict[str, tuple[Ranking, float]] = {}
        self._of_category: dict[str, list[str]] = defaultdict(list)
        for product, category in category_of.items():
            self._of_category[category].append(product)

    def view(self, visitor: str, product: str, at_s: float) -> None:
        """Record that a visitor viewed a product."""
        _put(self.visitors[visitor].viewed, product, at_s, MAX_RECENT)
        self._touch(visitor, product, at_s, WEIGHTS["viewed"])

    def add_to_cart(self, visitor: str, product: str, at_s: float) -> None:
        """Record that a visitor put a product into the cart."""
        _put(self.visitors[visitor].carted, product, at_s, MAX_RECENT)
        self._touch(visitor, product, at_s, WEIGHTS["carted"])

    def remove_from_cart(self, visitor: str, product: str) -> None:
        """Record that a visitor removed a product from the cart."""
        self.visitors[visitor].carted.pop(product, None)

    def order(self, visitor: str, shopper: str, units: Mapping[str, int], at_s: float) -> None:
        """Record a confirmed order of a shopper, who was the visitor until the checkout."""
        self.visitors[visitor].carted.clear()
        for product, count in units.items():
            _put(self.visitors[shopper].bought, product, at_s, MAX_BOUGHT)
            visit = f"order:{shopper}:{int(at_s // DAY_S)}"
            self.co_visits.touch(visit, product, at_s, WEIGHTS["bought"])
            self._sold[product] += count * 2.0 ** (at_s / POPULAR_HALF_LIFE_S - 600)

    def end_day(self) -> None:
        """Forget the visits of a day. Later touches belong to other visits."""
        self.co_visits.of_visit.clear()

    def neighbours(self, product: str, now_s: float) -> Neighbours:
        """Return the neighbours of a product by co-visits, at most `REFRESH_S` old."""
        found, read_s = self._neighbours.get(product, ({}, -inf))
        if now_s - read_s > REFRESH_S:
            found = self.co_visits.neighbours(product, now_s)
            self._neighbours[product] = found, now_s
        return found

    def popularity(self, product: str, now_s: float) -> float:
        """Return the interest in a product: its decayed number of views."""
        return self.co_visits.interest.get(product, 0.0) / covisit_unit(now_s)

    def popular(self, now_s: float) -> Ranking:
        """Return the products that sell best."""
        if now_s - self._popular[1] > REFRESH_S:
            self._popular = _best(self._sold), now_s
        return self._popular[0]

    def popular_in(self, category: str, now_s: float) -> Ranking:
        """Return the products of a category that have the most interest."""
        found, read_s = self._in_category.get(category, ([], -inf))
        if now_s - read_s > REFRESH_S:
            interest = self.co_visits.interest
            found = _best({each: interest[each] for each in self._of_category[category] if each in interest})
            self._in_category[category] = found, now_s
        return found

    def _touch(self, visitor: str, product: str, at_s: float, weight: float) -> None:
        self.co_visits.touch(f"{visitor}:{int(at_s // DAY_S)}", product, at_s, weight)


def _put(times: dict[str, float], product: str, at_s: float, size: int) -> None:
    times.pop(product, None)
    times[product] = at_s
    while len(times) > size:
        del times[next(iter(times))]


def _best(scores: Mapping[str, float]) -> Ranking:
    return nsmallest(MAX_POPULAR, scores.items(), key=lambda each: (-each[1], each[0]))

"""The sums of co-visits that job `recommendations` stores in Redis, counted in this process."""

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import nsmallest

from jobs.recommendations.logic import MAX_SIMILAR
from serving.recommendations.neighbours import NEIGHBOURS
from serving.recommendations.scoring import SUPPORT, Neighbours, cosines, covisit_unit

MAX_OF_VISIT = 10
"""The first products of a visit whose pairs count (jobs/recommendations/views/visit_pairs.sql)."""

assert NEIGHBOURS <= MAX_SIMILAR


@dataclass
class CoVisits:
    """`together` maps a product to its co-visits with others, `interest` a product to those with itself.

    The sums decay forward, in units of `covisit_unit`. `of_visit` has the first products of each visit with
    their weight and the time of their first touch.
    """

    together: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    interest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    of_visit: dict[str, dict[str, tuple[float, float]]] = field(default_factory=lambda: defaultdict(dict))

    def touch(self, visit: str, product: str, at_s: float, weight: float = 1.0) -> None:
        """Count a touch: a view (weight 1), an addition to the cart (2) or a purchase (3), oldest first.

        A pair adds the product of both weights at the time of the later first touch. Of several touches of a
        product in a visit, the heaviest counts (`VisitPairs.java`).
        """
        items = self.of_visit[visit]
        known = items.get(product)
        if known is None and len(items) >= MAX_OF_VISIT:
            return
        before, first_s = known or (0.0, at_s)
        if weight <= before:
            return
        for other, (weight_of_other, other_s) in items.items():
            if other != product:
                added = (weight - before) * weight_of_other * covisit_unit(max(first_s, other_s))
                self.together[product][other] = self.together[product].get(other, 0.0) + added
                self.together[other][product] = self.together[other].get(product, 0.0) + added
        self.interest[product] += (weight**2 - before**2) * covisit_unit(first_s)
        items[product] = (weight, first_s)

    def best(self, product: str) -> list[tuple[str, float]]:
        """Return the neighbours with the largest sums, as many as `NeighbourCache` reads."""
        found = self.together.get(product, {})
        return nsmallest(NEIGHBOURS, found.items(), key=lambda each: (-each[1], each[0]))

    def neighbours(self, product: str, now_s: float, support: float = SUPPORT) -> Neighbours:
        """Return the neighbours with their cosines, as `NeighbourCache` does."""
        own = self.interest.get(product, 0.0)
        return cosines(self.best(product), own, self.interest, support * covisit_unit(now_s))

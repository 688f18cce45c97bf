"""A product that a recommender proposes, and why; and the sum of the scores of several sources. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from serving.recommendations.scoring import LEAST_SUPPORT, Neighbours, Seed

Kind = Literal["similar", "content", "category", "popular", "again", "new", "cheaper", "back"]

OF_PRODUCTS = ("similar", "content")
"""The kinds of proposals that follow from a product of the visitor."""


class Because(NamedTuple):
    """A cause of a proposal: `of` is a category for `category`, nothing for `popular`, else a product."""

    kind: Kind
    of: str | None


class SeedParts(NamedTuple):
    """The products of a visitor from whose neighbours a source proposes products."""

    kind: Kind
    seeds: Sequence[Seed]
    neighbours: Mapping[str, Neighbours]

    def of(self, product_id: str) -> list[tuple[Because, float]]:
        """Return the part that each seed contributes to the score of a product; those of 0 are left out."""
        return [
            (Because(self.kind, seed.product_id), seed.weight * similarity)
            for seed in self.seeds
            if (similarity := self.neighbours.get(seed.product_id, {}).get(product_id, 0.0)) > 0.0
        ]


class OwnCause(NamedTuple):
    """The one cause of a proposal that does not follow from several products."""

    cause: Because
    score: float

    def of(self, _product_id: str) -> list[tuple[Because, float]]:
        """Return the cause with the whole score."""
        return [(self.cause, self.score)]


class Proposal(NamedTuple):
    """A proposed product, its score and its cause: `kind` and `because_of`, or the largest of `parts`.

    Scores are comparable only with scores of the same recommender. `parts` are those of each source, with a
    factor of their scores. `sources` maps each source that proposed the product to its score, relative to
    that of the best product of the source. `causes` is slow enough that it is called only for products that
    are shown.
    """

    product_id: str
    score: float
    kind: Kind = "similar"
    because_of: str | None = None
    parts: Sequence[tuple[float, SeedParts | OwnCause]] = ()
    sources: Mapping[str, float] = {}

    def all_parts(self) -> Sequence[tuple[float, SeedParts | OwnCause]]:
        """Return `parts`, or the one cause of a proposal without them."""
        return self.parts or [(1.0, OwnCause(Because(self.kind, self.because_of), self.score))]

    def causes(self) -> dict[Because, float]:
        """Return each cause with its part of the score."""
        found: dict[Because, float] = {}
        for factor, of_source in self.all_parts():
            for cause, part in of_source.of(self.product_id):
                found[cause] = found.get(cause, 0.0) + factor * part
        return found

    def main_cause(self) -> Because:
        """Return the cause with the largest part of the score; the first of equal ones."""
        causes = self.causes()
        return max(causes, key=causes.__getitem__)


def blend(
    proposals_of: Mapping[str, Sequence[Proposal]], weights: Mapping[str, float], limit: int
) -> list[Proposal]:
    """Return the `limit` best of the proposed products by Σ weight · score / best score of the source.

    The sum is divided by that of the weights of the sources that propose something, so a score is in (0, 1].
    Equal scores are ordered by product. A source without a weight proposes no product, but `sources` has its
    scores, too, because its weight is learned from them. If no source with a weight proposes something, the
    others weigh the same. The causes of a product are those of all sources.
    """
    used = {source: weights.get(source, 0.0) for source, proposals in proposals_of.items() if proposals}
    if not any(used.values()):
        used = dict.fromkeys(used, 1.0)
    all_weights = sum(used.values())
    totals: dict[str, float] = {}
    scaled: list[tuple[str, float, float, dict[str, Proposal]]] = []
    for source, weight in used.items():
        proposals = proposals_of[source]
        best = max(one.score for one in proposals)
        if best <= 0.0:
            continue
        factor = weight / all_weights / best
        scaled.append((source, best, factor, {one.product_id: one for one in proposals}))
        for one in proposals:
            totals[one.product_id] = totals.get(one.product_id, 0.0) + factor * one.score
    ranked = sorted((-total, product_id) for product_id, total in totals.items() if total > 0.0)
    blended = []
    for total, product_id in ranked[:limit]:
        found = [(source, best, factor, by_id[product_id]) for source, best, factor, by_id in scaled
                 if product_id in by_id]  # fmt: skip
        first = found[0][3]
        blended.append(
            Proposal(
                product_id,
                -total,
                first.kind,
                first.because_of,
                [(factor * own, parts) for _, _, factor, one in found for own, parts in one.all_parts()],
                {source: one.score / best for source, best, _, one in found},
            )
        )
    return blended


def weights_until_supported(
    weights: Mapping[str, float], answered: Collection[str], by_visits: str, instead: str, support: float
) -> dict[str, float]:
    """Return the weights while visits support only a part of what goes with the visitor's products.

    Relative to its best score, a source counts as much when two people saw something together as when
    thousands did. So the source `by_visits` counts as far as they support it, from 0 to 1. For the rest,
    `instead` counts as much as all sources that answered.
    """
    whole = sum(weights.get(source, 0.0) for source in answered)
    return {
        **weights,
        by_visits: weights.get(by_visits, 0.0) * max(LEAST_SUPPORT, support),
        instead: (1.0 - support) * whole,
    }


def discounted(
    proposals: Sequence[Proposal], popularity: Mapping[str, float], exponent: float, limit: int
) -> list[Proposal]:
    """Return the `limit` best proposals after each score was divided by (1 + popularity)^exponent.

    People view popular products anyway, so models rank them higher than people click them when recommended.
    `popularity` maps a product to at least 0, the decayed number of its views; a missing product has 0.
    Equal scores are ordered by product. Each cause of a product keeps its share of the score.
    """
    factors = [(1.0 + popularity.get(one.product_id, 0.0)) ** -exponent for one in proposals]
    ranked = sorted(
        (-factor * one.score, one.product_id, factor, one)
        for factor, one in zip(factors, proposals, strict=True)
    )
    return [
        one._replace(score=-negative, parts=[(factor * own, part) for own, part in one.all_parts()])
        for negative, _, factor, one in ranked[:limit]
    ]


def relative_scores(proposals_of: Mapping[str, Sequence[Proposal]]) -> dict[str, dict[str, float]]:
    """Return product → source → score relative to that of the best product of the source."""
    found: dict[str, dict[str, float]] = {}
    for source, proposals in proposals_of.items():
        best = max((one.score for one in proposals), default=0.0)
        if best > 0.0:
            for one in proposals:
                found.setdefault(one.product_id, {})[source] = one.score / best
    return found

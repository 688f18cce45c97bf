"""A product that a recommender proposes, and why. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from serving.recommendations.scoring import Neighbours, Seed

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

"""A product that a recommender proposes, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["similar", "content", "category", "popular"]


class Because(NamedTuple):
    """A cause of a proposal: `of` is a product for `similar` and `content`, a category for `category`."""

    kind: Kind
    of: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed product, its score and its main cause (`kind`, `because_of`).

    Scores are comparable only with scores of the same recommender. `parts` maps each cause to its part of the
    score; without it, the main cause is the only one. `sources` maps each source that proposed the product to
    the score that it gave, relative to that of the source's best product.
    """

    product_id: str
    score: float
    kind: Kind
    because_of: str | None = None
    parts: Mapping[Because, float] | None = None
    sources: Mapping[str, float] = field(default_factory=dict)

    def causes(self) -> Mapping[Because, float]:
        """Return each cause with its part of the score."""
        return {Because(self.kind, self.because_of): self.score} if self.parts is None else self.parts

    @classmethod
    def of(
        cls,
        product_id: str,
        score: float,
        parts: Mapping[Because, float],
        sources: Mapping[str, float] | None = None,
    ) -> "Proposal":
        """Return a proposal whose main cause is the one with the largest part; the first of equal ones."""
        main = max(parts, key=lambda cause: (parts[cause], cause.kind == "similar"))
        return cls(product_id, score, main.kind, main.of, parts, sources or {})

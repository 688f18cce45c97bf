"""Ranks the products of a page's titled rows, so that no two rows show the same product."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.recommendations.ranker import RankedItems, Ranker
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rows.definition import Focus, RowDefinition
from serving.recommendations.rules.context import ExposurePool, RuleContext, without_places
from serving.recommendations.rules.live_rules import Page


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A row that is shown: its definition, what it is about, and its products."""

    definition: RowDefinition
    focus: Focus
    found: RankedItems

    @property
    def title(self) -> str:
        """The title in English."""
        name = self.focus.name
        return self.definition.title if name is None else self.definition.title % {"name": name}


async def ranked_rows(
    ranker: Ranker,
    definitions: Sequence[RowDefinition],
    request: RecommendationRequest,
    n: int,
    page: Page,
    allowed: RuleContext,
) -> list[RankedRow]:
    """Return the rows with at least their shortest length, in order, each with at most `n` products.

    The title says why each product is shown, so no rule inserts other products: nothing is pinned, sponsored
    or drawn for exposure.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    allowed = replace(allowed, rules=without_places(allowed.rules), pool=ExposurePool())
    rows: list[RankedRow] = []
    for definition in definitions:
        focus = await definition.focus(request)
        if focus is None:
            continue
        found = await ranker.rank(focus.request, n, page, definition.strategy, allowed)
        if len(found.items) < definition.shortest:
            continue
        rows.append(RankedRow(definition, focus, found))
        shown = frozenset(item["product_id"] for item in found.items)
        request = replace(request, excluded=request.excluded | shown, unwanted=request.unwanted | shown)
        allowed = replace(allowed, excluded=allowed.excluded | shown, unwanted=allowed.unwanted | shown)
    return rows

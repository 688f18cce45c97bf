"""Answers requests for the titled rows of a page."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from common.clock import Clock
from common.experiments.assignment import HOLDOUT, Assignment
from common.ids import new_id
from serving.kit.live_versions import LiveVersions
from serving.kit.product_cards import open_cards
from serving.recommendations.answer_log import Answer, AnswerLog, ms_since
from serving.recommendations.ranker import RankedItems, Ranker, count_list
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.request_builder import build_request
from serving.recommendations.rules.context import ExposurePool, RuleContext, without_places
from serving.recommendations.rules.shop_rules import Page, ShopRules
from serving.recommendations.schemas import TitledRow, TitledRows
from serving.recommendations.shelf_definitions import ROWS, RULES_OF, Focus, RowDefinition, RowPage
from serving.recommendations.trained_models import TrainedModels
from serving.recommendations.visitor_history import read_visitor_history, with_cart


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


class TitledRowsService:
    """Returns the titled rows of a page, and logs each. `assigned` returns the experiment of a visitor."""

    def __init__(
        self,
        versions: LiveVersions,
        models: TrainedModels,
        ranker: Ranker,
        rules: ShopRules,
        assigned: Callable[[str, Page], Assignment],
        log: AnswerLog | None,
        clock: Clock,
    ) -> None:
        self._versions, self._models, self._ranker, self._rules = versions, models, ranker, rules
        self._assigned, self._log, self._clock = assigned, log, clock

    async def of_page(
        self,
        visitor_id: str,
        n: int,
        page: RowPage,
        shown: Collection[str] = (),
        followed: frozenset[str] = frozenset(),
        cart: Collection[str] | None = None,
    ) -> TitledRows:
        """Return the titled rows of a page, each with at most `n` products, none of them twice or `shown`.

        `followed` are the sellers that the visitor follows, `cart` the products in the cart of the visitor's
        browser; None if only the events tell.

        The hold-out gets none, because it gets popular products alone.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        started = perf_counter()
        surface = RULES_OF[page]
        cards = await open_cards(self._versions)
        visitor, reply = await read_visitor_history(
            self._versions.redis, visitor_id, cards, None, self._models
        )
        if cart is not None:
            visitor = with_cart(visitor, cart, self._clock().timestamp())
        if self._assigned(visitor_id, surface).experiment == HOLDOUT:
            return {"page": page, "as_of": visitor.as_of, "rows": []}
        model = await self._models.in_use(reply, cards.prefix)
        # Each row narrows the history itself, so none is left out here, as `surface` of a cart would do.
        rules, seed = self._rules.of(surface), self._rules.seed_of(visitor_id)
        request, allowed = build_request(self._rules, visitor, cards, "home", None, shown, model, rules, seed)
        request = replace(request, followed=followed)
        rows = await ranked_rows(self._ranker, ROWS[page], request, n, surface, allowed)
        return {
            "page": page,
            "as_of": visitor.as_of,
            "rows": [self._answered(visitor_id, page, row, ms_since(started)) for row in rows],
        }

    def _answered(self, visitor_id: str, page: RowPage, row: RankedRow, answer_ms: float) -> TitledRow:
        """Count and log a row, and return it as in responses."""
        name, recommendation_id = row.definition.name, new_id()
        count_list(page, name, row.found)
        if self._log is not None:
            self._log.put(
                Answer(
                    recommendation_id=recommendation_id,
                    answered_at=self._clock(),
                    visitor_id=visitor_id,
                    surface=page,
                    anchor_product_id=None,
                    assignment=Assignment(None, None, name, 1.0),
                    strategy=name,
                    model_version=row.found.model_version,
                    seeds=row.focus.request.seeds,
                    items=row.found.items,
                    propensities=[1.0] * len(row.found.items),
                    alternatives={},
                    answer_ms=answer_ms,
                    parts=row.found.parts,
                )
            )
        return {
            "row": name,
            "title": row.title,
            "name": row.focus.name,
            "recommendation_id": recommendation_id,
            "strategy": name,
            "model_version": row.found.model_version,
            "parts": row.found.parts,
            "items": row.found.items,
        }

"""Finds what is known of a visitor, for lists whose products the visitor may know already."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from common.experiments.assignment import HOLDOUT, Assignment
from serving.kit.live_versions import LiveVersions
from serving.kit.problems import RedisUnavailable
from serving.kit.product_cards import open_cards
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.request_builder import build_request
from serving.recommendations.rules.context import RuleContext
from serving.recommendations.rules.shop_rules import Page, ShopRules
from serving.recommendations.trained_models import TrainedModels
from serving.recommendations.visitor_history import read_visitor_history, with_cart


@dataclass(frozen=True, slots=True)
class KnownVisitor:
    """A visitor with a history: the request to the sources, and what the rules of the shop know of it.

    No product is left out, also not those that the visitor has viewed, carted or bought.
    """

    request: RecommendationRequest
    allowed: RuleContext
    as_of: datetime | None


class KnownVisitors:
    """Reads the histories of visitors. `assigned` returns the experiment of a visitor."""

    def __init__(
        self,
        versions: LiveVersions,
        models: TrainedModels,
        rules: ShopRules,
        assigned: Callable[[str, Page], Assignment],
    ) -> None:
        self._versions, self._models, self._rules, self._assigned = versions, models, rules, assigned

    async def of(self, visitor_id: str, cart: Collection[str] | None = None) -> KnownVisitor | None:
        """Return what is known of a shopper or session.

        `cart` are the products in the cart of the visitor's browser; None if only the events tell.

        None if there is no history, if Redis does not answer, and for the hold-out, which gets what everybody
        gets.
        """
        if self._assigned(visitor_id, "home").experiment == HOLDOUT:
            return None
        try:
            cards = await open_cards(self._versions)
            visitor, reply = await read_visitor_history(
                self._versions.redis, visitor_id, cards, None, self._models
            )
            if cart is not None:
                visitor = with_cart(visitor, cart, self._rules.now_s)
            model = await self._models.in_use(reply, cards.prefix)
        except RedisUnavailable:
            return None
        rules, seed = self._rules.of("home"), self._rules.seed_of(visitor_id)
        request, allowed = build_request(self._rules, visitor, cards, "home", None, (), model, rules, seed)
        if not request.history:
            return None
        return KnownVisitor(
            replace(request, excluded=frozenset(), unwanted=frozenset()), allowed, visitor.as_of
        )

"""Which sellers a visitor may want to follow, and for which product."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from schemas.published_model.weights import BLENDED, DEFAULT_WEIGHTS
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.proposal import Proposal, SeedParts
from serving.recommendations.recommender import PassedOver, RecommendationRequest
from serving.recommendations.request_builder import KnownVisitor
from serving.recommendations.rules.context import ActiveRules, RuleContext, Targets
from serving.recommendations.scoring import Seed
from serving.recommendations.sellers_to_follow import SellersToFollow, SellersToFollowService
from serving.recommendations.trained_models import ModelInUse
from serving.recommendations.visitor_history import VisitorHistory

SELLER_OF = {"lamp": "ana", "vase": "bob", "bulb": "ana", "shade": "eva", "pot": "bob", "cord": "ivo"}
VISITOR = VisitorHistory({"lamp": 2.0, "vase": 1.0}, {}, {}, None)
SEEDS = [Seed("lamp", 1.0), Seed("vase", 0.5)]
NEIGHBOURS = {"lamp": {"bulb": 0.9, "shade": 0.8, "cord": 0.1}, "vase": {"pot": 0.2, "shade": 0.1}}


class Neighbours:
    """A source that proposes the neighbours of the lamp and the vase."""

    strategy = "item_neighbours"

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        parts = [(1.0, SeedParts("similar", SEEDS, NEIGHBOURS))]
        return [Proposal("bulb", 0.9, parts=parts), Proposal("shade", 0.85, parts=parts),
                Proposal("pot", 0.1, parts=parts), Proposal("cord", 0.1, parts=parts)]  # fmt: skip


class Silent:
    """A source that knows nothing."""

    def __init__(self, strategy: str) -> None:
        self.strategy = strategy

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        raise PassedOver("no_model")


class Known:
    """What is known of the visitor."""

    def __init__(self, allowed: RuleContext, sold_out: Iterable[str] = ()) -> None:
        cards = ProductCardLoader(Redis(), "")
        cards.store(
            SELLER_OF, [_card(product, units=0 if product in sold_out else 5) for product in SELLER_OF]
        )
        model = ModelInUse(None, "no_model", DEFAULT_WEIGHTS)
        request = RecommendationRequest(VISITOR, SEEDS, None, frozenset(), cards, ["lamp", "vase"], model)
        self.known = KnownVisitor(request, allowed, None)

    async def of(self, _visitor_id: str, _cart: object = None) -> KnownVisitor | None:
        return self.known


def _card(product: str, units: int) -> tuple[bytes, bytes]:
    seller = SELLER_OF[product]
    offer = {"seller_id": seller, "name": product.title(), "category": "home", "price_minor": 9,
             "currency": "BRL", "listed": 1}  # fmt: skip
    return orjson.dumps([offer]), orjson.dumps({seller: units})


async def _names(seller_ids: Iterable[str]) -> Mapping[str, str | None]:
    return {each: each.title() for each in seller_ids}


def sellers(known: Known, *followed: str, n: int = 9) -> SellersToFollow:
    sources: dict[str, Any] = {name: Silent(name) for name in BLENDED} | {"item_neighbours": Neighbours()}
    service = SellersToFollowService(known, sources)  # type: ignore[arg-type]
    return asyncio.run(service.of("somebody", n, followed, _names))


def ids(found: SellersToFollow) -> list[str]:
    return [seller["seller_id"] for seller in found["sellers"]]


def test_sellers_of_the_visitors_products_come_first_then_those_of_what_goes_with_them() -> None:
    found = sellers(Known(RuleContext()))
    assert ids(found) == ["ana", "bob", "eva", "ivo"]
    assert [(seller["seller_name"], seller["reason"]["text"]) for seller in found["sellers"]] == [
        ("Ana", "Because you looked at Lamp"),
        ("Bob", "Because you looked at Vase"),
        ("Eva", "Because you looked at Lamp"),
        ("Ivo", "Because you looked at Lamp"),
    ]
    assert found["sellers"][0]["score"] == 1.0
    assert [product["product_id"] for product in found["sellers"][0]["products"]] == ["bulb"]
    assert [part["source"] for part in found["parts"] if part["answered"]] == ["item_neighbours"]
    assert ids(sellers(Known(RuleContext()), n=2)) == ["ana", "bob"]


def test_who_is_followed_already_is_left_out() -> None:
    assert ids(sellers(Known(RuleContext()), "ana", "eva")) == ["bob", "ivo"]


@pytest.mark.parametrize(("allowed", "left"), [
    (RuleContext(suspended=frozenset({"ana", "eva"})), ["bob", "ivo"]),
    (RuleContext(ActiveRules(blocks=Targets.of([("seller", "bob", 1.0)]))), ["ana", "eva", "ivo"]),
    (RuleContext(ActiveRules(restricted=frozenset({"home"}))), []),
    (RuleContext(bought={"lamp": 0.0, "bulb": 0.0}), ["ana", "bob", "eva", "ivo"]),
])  # fmt: skip
def test_the_rules_of_the_shop_keep_sellers_out(allowed: RuleContext, left: list[str]) -> None:
    assert ids(sellers(Known(allowed))) == left


def test_a_seller_without_a_fitting_product_in_stock_is_left_out() -> None:
    assert ids(sellers(Known(RuleContext(), sold_out=("shade", "cord")))) == ["ana", "bob"]

"""Similar products, with any recommenders in any order."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from redis import Redis

from common.experiments.definition import DEFAULT_STRATEGY
from common.settings import Settings
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import ItemNeighbours, Popular, RecommendationRequest
from serving.recommendations.schemas import SimilarProducts
from serving.recommendations.service import RecommendationService
from serving.recommendations.strategies import Strategy
from tests.integration.serving.conftest import put_offers

OFFER = {"seller_id": "ana", "price_minor": 900}
PRODUCTS = ("sofa", "cushion", "carpet", "poster")


class Beside:
    """An additional recommender, which proposes a carpet for every product."""

    strategy = "beside"

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        return [Proposal("carpet", 0.5, "new", "carpet")]


@pytest.fixture
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """A sofa with a similar cushion, and a popular poster."""
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        for product_id in PRODUCTS:
            put_offers(client, product_id, OFFER, stock={"ana": 5}, interest=10.0)
        client.zadd("similar:sofa", {"cushion": 4.0})
        client.zadd("popular_products", {"poster": 90 * 86_400.0})
        yield client
        client.delete("similar:sofa", *(f"product:{product_id}" for product_id in PRODUCTS))
        client.zrem("popular_products", "poster")


async def similar(settings: Settings, *, last: bool) -> SimilarProducts:
    client = open_redis(settings)
    neighbours, popular = ItemNeighbours(client), Popular(LiveVersions(client))
    recommenders = (neighbours, popular, Beside()) if last else (neighbours, Beside(), popular)
    fallbacks = tuple(each.strategy for each in recommenders[1:])
    strategies = {DEFAULT_STRATEGY: Strategy((neighbours.strategy,), fallbacks)}
    answer = await RecommendationService(LiveVersions(client), recommenders, strategies).similar("sofa", 10)
    assert answer["strategy"] == "similar_products"
    await client.aclose()
    return answer


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("last", [False, True])
def test_a_recommender_that_was_added_is_asked_wherever_it_stands_and_what_is_popular_is_not(
    shop: Settings, last: bool
) -> None:
    answer = asyncio.run(similar(shop, last=last))

    assert [item["product_id"] for item in answer["items"]] == ["cushion", "carpet"]
    assert [set(item["sources"]) for item in answer["items"]] == [{"item_neighbours"}, {"beside"}]

"""Similar products: with any recommenders in any order, and beside products that few have seen."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from redis import Redis

from common.experiments.definition import DEFAULT_STRATEGY
from common.settings import Settings
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import (
    ItemNeighbours,
    NeighbourCache,
    Popular,
    RecommendationRequest,
)
from serving.recommendations.schemas import Item, SimilarProducts
from serving.recommendations.scoring import COVISIT_EPOCH_S
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
    neighbours, popular = ItemNeighbours(NeighbourCache(client)), Popular(LiveVersions(client))
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


OFFICE, GARDEN = {"room": "office"}, {"room": "garden"}
LAMPS: dict[str, dict[str, Any]] = {
    "cold-lamp": {"name": "Desk Lamp", "attributes": OFFICE | {"colour": "blue"}},
    "cold-blue": {"name": "Lantern", "attributes": OFFICE | {"colour": "blue"}},
    "cold-red": {"name": "Lantern", "attributes": GARDEN | {"colour": "red"}},
    "cold-red-2": {"name": "Lantern", "attributes": GARDEN | {"colour": "red"}},
    "cold-green": {"name": "Desk Lamp", "attributes": OFFICE | {"colour": "green"}, "group_id": "cold-group"},
    "cold-white": {"name": "Desk Lamp", "attributes": OFFICE | {"colour": "white"}, "group_id": "cold-group"},
    "cold-oil": {"name": "Beard Oil", "category": "cold_shaving"},
}
"""A lamp that two visits saw together with beard oil, and other lamps that many saw."""

KNOWN, SEEN_BY_TWO = 60.0, 2.0


@pytest.fixture
def cold(shop: Settings) -> Iterator["Redis[str]"]:
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        client.hset("recommendations_as_of", "product_viewed", COVISIT_EPOCH_S)
        for product_id, listing in LAMPS.items():
            interest = SEEN_BY_TWO if product_id == "cold-lamp" else KNOWN
            offer = OFFER | {"category": "cold_lamps"} | listing
            put_offers(client, product_id, offer, stock={"ana": 5}, interest=interest)
            client.hset(f"product:{product_id}", "visits", int(interest))
            if "category" not in listing:
                client.zadd("popular:cold_lamps", {product_id: interest})
        client.zadd("similar:cold-lamp", {"cold-oil": SEEN_BY_TWO})
        yield client
        client.delete("recommendations_as_of", "similar:cold-lamp", "popular:cold_lamps")
        client.delete(*(f"product:{product_id}" for product_id in LAMPS))


async def beside(settings: Settings, product_id: str) -> list[Item]:
    client = open_redis(settings)
    answer = await RecommendationService(LiveVersions(client)).similar(product_id, 10)
    await client.aclose()
    return answer["items"]


@pytest.mark.usefixtures("cold")
def test_beside_a_product_that_few_have_seen_is_what_has_its_attributes(shop: Settings) -> None:
    items = asyncio.run(beside(shop, "cold-lamp"))

    found = [item["product_id"] for item in items]
    assert found[0] == "cold-blue"
    assert found[-1] == "cold-oil", "what two visits had together says little"
    assert items[0]["reason"]["text"] == "Similar to Desk Lamp"
    assert set(items[0]["sources"]) == {"similar_attributes"}


@pytest.mark.usefixtures("cold")
def test_a_list_has_one_variant_of_a_product_and_none_of_that_of_the_page(shop: Settings) -> None:
    found = {item["product_id"] for item in asyncio.run(beside(shop, "cold-lamp"))}
    of_page = {item["product_id"] for item in asyncio.run(beside(shop, "cold-green"))}

    assert len(found & {"cold-green", "cold-white"}) == 1
    assert "cold-white" not in of_page
    assert "cold-blue" in of_page


def test_once_many_have_seen_it_their_visits_decide(shop: Settings, cold: "Redis[str]") -> None:
    others = {f"cold-{number}": KNOWN - number for number in range(12)}
    for product_id in others:
        put_offers(cold, product_id, OFFER, stock={"ana": 5}, interest=KNOWN)
    cold.hset("product:cold-lamp", mapping={"interest": KNOWN, "visits": int(KNOWN)})
    cold.zadd("similar:cold-lamp", others)

    items = asyncio.run(beside(shop, "cold-lamp"))

    cold.delete(*(f"product:{product_id}" for product_id in others))
    assert [item["product_id"] for item in items] == list(others)[:10]
    assert {item["reason"]["text"] for item in items} == {"Often viewed together with Desk Lamp"}
    assert all("similar_attributes" not in item["sources"] for item in items)


def test_the_purchase_of_one_person_is_no_support(shop: Settings, cold: "Redis[str]") -> None:
    """It adds as much to the co-visits as nine visits that viewed both."""
    cold.hset("product:cold-lamp", mapping={"interest": 9.0, "visits": 1})
    cold.zadd("similar:cold-lamp", {"cold-oil": 9.0})

    assert asyncio.run(beside(shop, "cold-lamp"))[0]["product_id"] == "cold-blue"

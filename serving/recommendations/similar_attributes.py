"""The recommender of products that are like those of the visitor, for products that few have seen."""

from collections.abc import Sequence

from redis.asyncio import Redis

from serving.recommendations.likeness import most_alike
from serving.recommendations.product_cache import ProductCache, ProductContents
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import (
    CANDIDATES,
    NEIGHBOURS,
    CategoryRankings,
    NeighbourCache,
    PassedOver,
    RecommendationRequest,
    neighbour_proposals,
)
from serving.recommendations.scoring import Neighbours, Seed, heaviest

MAX_UNSUPPORTED = 4
"""The largest number of products of a visitor that others are compared with: each may read a category."""


class AlikeProducts(ProductCache[Neighbours]):
    """The products that are most like a product, among the 200 of most interest in its category."""

    ttl_s = 60.0
    """Listings seldom change. What is no longer for sale is left out with its card."""

    max_entries = 4_096
    """About 15 MB."""

    def __init__(self, redis: Redis, rankings: CategoryRankings, contents: ProductContents) -> None:
        super().__init__(redis)
        self._rankings, self._contents = rankings, contents

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, Neighbours]:
        own = await self._contents.of(product_ids, prefix)
        categories = {each.category for each in own.values() if each and each.category}
        rankings = {
            category: dict(members) for category, members in (await self._rankings.of(categories, prefix)).items()
        }
        listed = await self._contents.of(
            dict.fromkeys(product_id for each in rankings.values() for product_id in each), prefix
        )
        found: dict[str, Neighbours] = {}
        for product_id in product_ids:
            content = own[product_id]
            popularity = rankings[content.category] if content and content.category else {}
            others = {
                other: each for other in popularity if other != product_id and (each := listed[other]) is not None
            }
            found[product_id] = most_alike(content, others, popularity, NEIGHBOURS) if content and others else {}
        return found


class SimilarAttributes:
    """Proposes products with the attributes, the words and about the price of the visitor's products.

    They are of the same category. A product of the visitor counts as far as its co-visits do not support what
    goes with it, so that one that many have seen has no part in it.
    """

    strategy = "similar_attributes"

    def __init__(
        self, redis: Redis, co_visits: NeighbourCache, rankings: CategoryRankings, contents: ProductContents
    ) -> None:
        self._co_visits = co_visits
        self._alike = AlikeProducts(redis, rankings, contents)

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the products that are most like those of the visitor."""
        if not request.seeds:
            raise PassedOver("no_history")
        prefix = request.cards.prefix
        co_visits = await self._co_visits.of([seed.product_id for seed in request.seeds], prefix)
        unsupported = heaviest(
            (Seed(seed.product_id, seed.weight * (1.0 - co_visits[seed.product_id].support))
             for seed in request.seeds),
            MAX_UNSUPPORTED,
        )  # fmt: skip
        alike = await self._alike.of([seed.product_id for seed in unsupported], prefix)
        return neighbour_proposals(
            "content", unsupported, alike, max(CANDIDATES, 2 * wanted), request.excluded
        )

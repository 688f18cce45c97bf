"""The recommender of products that are like those of the visitor, for products that few have seen."""

from collections.abc import Iterable, Sequence

from redis.asyncio import Redis

from serving.recommendations.likeness import AlikeProducts, most_alike
from serving.recommendations.product_cache import ProductCache, ProductContents
from serving.recommendations.proposal import Proposal, SeedParts
from serving.recommendations.recommender import (
    CANDIDATES,
    NEIGHBOURS,
    CategoryRankings,
    NeighbourCache,
    PassedOver,
    RecommendationRequest,
)
from serving.recommendations.scoring import Seed, score, unsupported_seeds

MAX_UNSUPPORTED = 4
"""The largest number of products of a visitor that others are compared with: each may read a category."""

NEXT_TO_NOTHING = 0.1
"""A share of the visitor's products for which nothing is compared."""


class AlikeCache(ProductCache[AlikeProducts]):
    """The products that are most like a product, among the 200 of most interest in its category."""

    ttl_s = 60.0
    """Listings seldom change. What is no longer for sale is left out with its card."""

    max_entries = 4_096
    """About 15 MB."""

    def __init__(self, redis: Redis, rankings: CategoryRankings, contents: ProductContents) -> None:
        super().__init__(redis)
        self._rankings, self._contents = rankings, contents

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, AlikeProducts]:
        own = await self._contents.of(product_ids, prefix)
        categories = {each.category for each in own.values() if each and each.category}
        found = await self._rankings.of(categories, prefix)
        rankings = {category: dict(members) for category, members in found.items()}
        ranked = dict.fromkeys(product_id for each in rankings.values() for product_id in each)
        contents = await self._contents.of(ranked, prefix)
        alike: dict[str, AlikeProducts] = {}
        for product_id in product_ids:
            content = own[product_id]
            if content is None or content.category is None:
                alike[product_id] = AlikeProducts({}, {}, None)
                continue
            popularity = rankings[content.category]
            others = {
                other: each
                for other in popularity
                if other != product_id and (each := contents[other]) is not None
            }
            alike[product_id] = most_alike(content, others, popularity, NEIGHBOURS)
        return alike


class SimilarAttributes:
    """Proposes products with the attributes, the words and about the price of the visitor's products.

    They are of the same category. A product of the visitor counts as far as visits do not support what goes
    with it, so that one that many have seen has no part in it.
    """

    strategy = "similar_attributes"

    def __init__(
        self, redis: Redis, co_visits: NeighbourCache, rankings: CategoryRankings, contents: ProductContents
    ) -> None:
        self._co_visits = co_visits
        self._alike = AlikeCache(redis, rankings, contents)

    async def lacking(self, request: RecommendationRequest) -> float:
        """Return the share of the visitor's products, by weight, that visits leave open and others are like.

        A share below `NEXT_TO_NOTHING` is 0.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        unsupported = await self._unsupported(request)
        whole = sum(seed.weight for seed in request.seeds) or 1.0
        if sum(seed.weight for seed in unsupported) < NEXT_TO_NOTHING * whole:
            return 0.0
        alike = await self._alike.of([seed.product_id for seed in unsupported], request.cards.prefix)
        lacking = sum(seed.weight for seed in unsupported if alike[seed.product_id].scores) / whole
        return lacking if lacking >= NEXT_TO_NOTHING else 0.0

    async def _unsupported(self, request: RecommendationRequest) -> list[Seed]:
        ids = [seed.product_id for seed in request.seeds]
        co_visits = await self._co_visits.of(ids, request.cards.prefix)
        return unsupported_seeds(request.seeds, co_visits, MAX_UNSUPPORTED)

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the products that are most like those of the visitor.

        The reason of one that shares next to nothing is its category, in which it is popular.
        """
        if not request.seeds:
            raise PassedOver("no_history")
        unsupported = await self._unsupported(request)
        alike = await self._alike.of([seed.product_id for seed in unsupported], request.cards.prefix)
        every = {product_id: each.scores for product_id, each in alike.items()}
        similar = {product_id: each.similar for product_id, each in alike.items()}
        parts = [(1.0, SeedParts("content", unsupported, similar))]
        is_similar = frozenset().union(*similar.values())
        return [
            Proposal(product_id, value, "content", None, parts)
            if product_id in is_similar
            else Proposal(product_id, value, "category", _category_of(product_id, alike.values()))
            for product_id, value in score(unsupported, every, max(CANDIDATES, 2 * wanted), request.excluded)
        ]


def _category_of(product_id: str, alike: Iterable[AlikeProducts]) -> str | None:
    return next(each.category for each in alike if product_id in each.scores)

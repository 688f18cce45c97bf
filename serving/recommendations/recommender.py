"""The interface of recommenders, and three recommenders: item neighbours, popular in category, and popular.

`service.py` lists all recommenders, and `strategies.py` those of each strategy. `candidates.py` drops
proposed products that the visitor has viewed, carted or bought, and the rules of the shop drop those that may
not be shown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from sys import intern
from typing import Any, Literal, Protocol, TypeVar

from serving.kit.live_versions import LiveVersions
from serving.kit.product_cards import KEY, ProductCardLoader
from serving.kit.rankings import ranking
from serving.kit.redis_client import run_redis
from serving.recommendations.product_cache import ProductCache, ProductContents
from serving.recommendations.proposal import Kind, Proposal, SeedParts
from serving.recommendations.schemas import AskedSource
from serving.recommendations.scoring import (
    SUPPORT,
    CoVisits,
    Neighbours,
    Seed,
    cosines,
    covisit_unit,
    favourite_categories,
    list_support,
    score,
    supported_seeds,
    visits_together,
)
from serving.recommendations.trained_models import ModelInUse, Unusable
from serving.recommendations.visitor_history import VisitorHistory

NEIGHBOURS = 32
"""The number of neighbours that are read per product: a third of what job `recommendations` stores."""


class NeighbourCache(ProductCache[CoVisits]):
    """Reads `similar:{product_id}` from Redis, and the interest in the product and in its neighbours."""

    ttl_s = 30.0
    """Their scores decay over weeks."""

    max_entries = 4_096
    """About 15 MB."""

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, CoVisits]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.hget(f"{prefix}recommendations_as_of", "product_viewed")
        for each in product_ids:
            similar = f"{prefix}similar:{each}"
            pipeline.hmget(prefix + KEY.format(each), ("interest", "visits"))
            pipeline.zrange(similar, 0, NEIGHBOURS - 1, desc=True, withscores=True)
            # One SORT reads the interest in all neighbours. A HGET for each would take longer than the rest.
            interest = prefix + KEY.format("*->interest")
            pipeline.sort(similar, 0, NEIGHBOURS, "nosort", ["#", interest], desc=True)
        as_of, *others = await run_redis(pipeline.execute())
        unit = covisit_unit(float(as_of)) if as_of else 0.0
        replies = iter(others)
        return {
            product_id: _co_visits(own, members, interest, unit)
            for product_id, own, members, interest in zip(product_ids, replies, replies, replies, strict=True)
        }


MANY_VISITS = 1e6
"""The number of visits of a product of which it is not known: its neighbours count as supported."""


def _co_visits(
    own: Sequence[bytes | None],
    members: Sequence[tuple[bytes, float]],
    interest: Sequence[bytes | None],
    unit: float,
) -> CoVisits:
    """Return the cosines of the neighbours, and how far visits support them.

    Args:
        own: the interest in the product, and the number of visits that it is of.
        members: the co-visits of each neighbour.
        interest: each member, in any order, followed by the interest in it.
        unit: what a visit of now adds to the interest; 0 if no visit was ever read.
    """
    theirs = {
        member.decode(): float(value)
        for member, value in zip(interest[::2], interest[1::2], strict=True)
        if member is not None and value is not None
    }
    together = {intern(member.decode()): sum_ for member, sum_ in members}
    own_interest = float(own[0] or 0.0)
    # Old visits count as little as in the co-visits, and purchases count once.
    visits = min(
        own_interest / unit if unit else MANY_VISITS, MANY_VISITS if own[1] is None else float(own[1])
    )
    found = cosines(together.items(), own_interest, theirs, SUPPORT * unit)
    common = {product_id: visits_together(together[product_id], own_interest, visits) for product_id in found}
    return CoVisits(found, list_support(found, common))


Member = TypeVar("Member")

CategoryRanking = Sequence[tuple[str, float]]
"""Products and their interest relative to the first, best first."""


class CategoryRankings(ProductCache[CategoryRanking]):
    """Reads `popular:{category}` from Redis, at most 200 products each."""

    ttl_s = 30.0
    """Interest decays over weeks. What is no longer listed or in the category is left out with its card."""

    max_entries = 512
    """About 10 MB."""

    async def _read(self, categories: Sequence[str], prefix: str) -> dict[str, CategoryRanking]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for category in categories:
            pipeline.zrange(f"{prefix}popular:{category}", 0, -1, desc=True, withscores=True)
        return {
            category: [(intern(member.decode()), share) for member, share in relative(members)]
            for category, members in zip(categories, await run_redis(pipeline.execute()), strict=True)
        }


def popular_in(
    favourites: Mapping[str, float],
    rankings: Mapping[str, CategoryRanking],
    excluded: Collection[str],
    limit: int,
) -> list[Proposal]:
    """Return the `limit` best products of each category that are not `excluded`, each product once.

    Their score is the interest relative to that of the best product of the category, times the weight of the
    category in `favourites`. A product in several categories counts where its score is highest.
    """
    best: dict[str, Proposal] = {}
    for category, weight in favourites.items():
        others = (each for each in rankings[category] if each[0] not in excluded)
        for product_id, share in islice(others, limit):
            if product_id not in best or weight * share > best[product_id].score:
                best[product_id] = Proposal(product_id, weight * share, "category", category)
    return list(best.values())


def relative(members: Sequence[tuple[Member, float]]) -> list[tuple[Member, float]]:
    """Return the members of a ranking, best first, with scores relative to the first."""
    best = members[0][1] if members else 0.0
    return [(member, value / best if best else 0.0) for member, value in members]


WhyPassedOver = Unusable | Literal["no_history", "no_candidates"]
"""Why a recommender proposes nothing: no usable model, no history of the visitor, or nothing is found."""

CANDIDATES = 48
"""The number of products that `ItemNeighbours` proposes, unless twice the requested number is larger."""

CATEGORIES = 3
"""The number of favourite categories from which products are proposed."""


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """The visitor, the seeds, the product of the page, the products to leave out, and the card loader.

    `history` has the newest products of the visitor, newest first, for `model`, the trained model in use.
    `substitutes` are categories, without capitals, of which nothing is wanted. If there are any, products
    without a category are not wanted either. `unwanted` are those of `excluded` that are never wanted: the
    product of the page, those in the cart and those that the page shows in another row. `followed` are the
    sellers that the visitor follows. If there are any `sellers`, only their offers are wanted.
    """

    visitor: VisitorHistory
    seeds: Sequence[Seed]
    anchor: str | None
    excluded: frozenset[str]
    cards: ProductCardLoader
    history: Sequence[str]
    model: ModelInUse
    substitutes: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    followed: frozenset[str] = frozenset()
    sellers: frozenset[str] = frozenset()

    def key(self, name: str) -> str:
        """Return the key in Redis of the live version, such as that of `popular:lighting`."""
        return self.cards.prefix + name


class PassedOver(Exception):
    """The recommender can't propose anything; `reason` says why."""

    def __init__(self, reason: WhyPassedOver) -> None:
        super().__init__(reason)
        self.reason: WhyPassedOver = reason


class Recommender(Protocol):
    """Proposes products to a visitor."""

    @property
    def strategy(self) -> str:
        """The name of this source of products."""

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return products, the best first: more than `wanted`, because some may be sold out.

        Raises:
            PassedOver: nothing can be proposed.
            RedisUnavailable: Redis does not answer.
        """


async def ask_source(
    source: Recommender, request: RecommendationRequest, wanted: int
) -> tuple[Sequence[Proposal], AskedSource]:
    """Return what a source proposes, and what it did, as answers say it.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    reason: WhyPassedOver | None = None
    proposals: Sequence[Proposal] = ()
    try:
        proposals = await source.propose(request, wanted)
        reason = None if proposals else "no_candidates"
    except PassedOver as error:
        reason = error.reason
    return proposals, {"source": source.strategy, "answered": reason is None, "reason": reason}


class ItemNeighbours:
    """Proposes products that others viewed, carted and bought together with those of this visitor.

    A product of the visitor counts as far as visits support its neighbours: what went with one that few have
    seen is mostly chance.
    """

    strategy = "item_neighbours"

    def __init__(self, co_visits: NeighbourCache) -> None:
        self._co_visits = co_visits

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the neighbours of the seeds by weighted cosine."""
        if not request.seeds:
            raise PassedOver("no_history")
        found = await self._co_visits.of([seed.product_id for seed in request.seeds], request.cards.prefix)
        supported = supported_seeds(request.seeds, found)
        neighbours = {product_id: each.neighbours for product_id, each in found.items()}
        return neighbour_proposals(
            "similar", supported, neighbours, max(CANDIDATES, 2 * wanted), request.excluded
        )


class PopularInCategory:
    """Proposes the most popular products of the categories that this visitor viewed."""

    strategy = "popular_in_category"

    def __init__(self, rankings: CategoryRankings, contents: ProductContents) -> None:
        self._rankings, self._contents = rankings, contents

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the most popular products of each favourite category, those of the first favourite first.

        The score of a product is that of `popular_in`.
        """
        prefix = request.cards.prefix
        contents = await self._contents.of((seed.product_id for seed in request.seeds), prefix)
        category_of = {product_id: each.category if each else None for product_id, each in contents.items()}
        favourites = favourite_categories(request.seeds, category_of, CATEGORIES)
        if not favourites:
            raise PassedOver("no_history")
        return popular_in(
            favourites, await self._rankings.of(favourites, prefix), request.excluded, 2 * wanted
        )


class Popular:
    """Proposes the products that sell best right now, to any visitor."""

    strategy = "popular_products"

    def __init__(self, versions: LiveVersions) -> None:
        self._versions = versions

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the first products of the ranking that job `rankings` writes."""
        found = await ranking(self._versions, "popular", 2 * wanted + len(request.excluded) + 1)
        return [Proposal(product_id, share, "popular") for product_id, share in found]


def neighbour_proposals(
    kind: Kind,
    seeds: Sequence[Seed],
    neighbours: Mapping[str, Neighbours],
    limit: int,
    excluded: Iterable[str],
) -> list[Proposal]:
    """Return the `limit` best neighbours of the seeds, the best first."""
    parts = [(1.0, SeedParts(kind, seeds, neighbours))]
    return [
        Proposal(product_id, value, kind, None, parts)
        for product_id, value in score(seeds, neighbours, limit, excluded)
    ]

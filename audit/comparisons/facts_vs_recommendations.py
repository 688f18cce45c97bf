"""Compares the inputs of recommendations in Redis with the same values computed from the facts.

Facts of the last `RETAINED_DAYS` must be in Redis. Older ones may have expired: a shopper's history and
pairs without new visits expire after 30 days. Sessions expire after half an hour. `popular:{category}` is not
compared, because it is computed from the same figures as `similar:{product}`.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.retention_tolerance import tolerate_expiry
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from audit.tables import ROUNDING
from jobs.recommendations.logic import MAX_BOUGHT, MAX_RECENT, MAX_SIMILAR
from serving.kit.offers import read_offers
from serving.recommendations.recommender import NEIGHBOURS

NAME = "facts_vs_recommendations"
COMPARED = NEIGHBOURS
"""Recommendations use this many similar products; Redis has more, to replace those whose score falls."""

RETAINED_DAYS = 29
"""A day less than the retention of job `recommendations`, because jobs read an event at different times."""

DAYS: Mapping[str, int] = {"days": RETAINED_DAYS}


def spec(what: str, unit: str, *key: str) -> ComparisonSpec:
    """Return the specification of one comparison."""
    return ComparisonSpec(
        name=NAME, what=what, left="facts", right="Redis", unit=unit, key=key or ("owner", "member")
    )


SIMILAR = spec(f"scores of the first {COMPARED} of similar:{{product}}", "neighbours")
OFFERS = spec("product:{product}", "offers", "product_id", "seller_id")


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare similar products, the shoppers' latest views and purchases, and the offers of products."""
    yield TableComparison(SIMILAR, partial(_read_similar, stores), rounding=ROUNDING)
    yield latest(stores, "recent:{shopper}", "recent", MAX_RECENT, DAYS, known_owners=True)
    yield latest(stores, "bought:{shopper}", "bought", MAX_BOUGHT, DAYS)
    yield TableComparison(OFFERS, partial(_read_offers, stores))


def latest(
    stores: Stores,
    what: str,
    query: str,
    size: int,
    parameters: Mapping[str, int] | None = None,
    *,
    known_owners: bool = False,
) -> TableComparison:
    """Compare sorted sets of times (Unix time in seconds): the last `size` members of each owner.

    With `known_owners`, sorted sets of owners without facts do not count.
    """
    prefix = what[: what.index("{")]

    def read(keys: KeyFilter | None) -> Sides:
        actual = stores.redis.ranked(prefix, size, keys.values if keys else None)
        expected = stores.clickhouse.query(f"{NAME}/{query}", parameters or {}, keys)
        if known_owners:
            actual = actual.filter(pc.is_in(actual["owner"], value_set=pc.unique(expected["owner"])))
        return latest_sides(expected, actual, size)

    return TableComparison(spec(what, "moments"), read)


def latest_sides(expected: pa.Table, actual: pa.Table, size: int) -> Sides:
    """Return both sides; they have owner, member and score, the best `size` of each owner."""
    return Sides(*tolerate_expiry(expected, actual, size))


def similar_sides(expected: pa.Table, actual: pa.Table) -> Sides:
    """Return both sides; they have owner, member and score, best first. The first `COMPARED` are compared.

    Members with equal scores at the end of a list may replace each other.
    """
    first, cutoffs = _first(actual, COMPARED)
    return Sides(*tolerate_expiry(expected, first, MAX_SIMILAR, cutoffs, rounding=ROUNDING))


def offer_sides(expected: pa.Table, hashes: dict[str, list[str | None]]) -> Sides:
    """Return both sides, with every seller's offer; `hashes` has the fields `offers` and `stock` by product.

    A missing name, category or group is "", a stock that was never counted is -1. Attributes are sorted
    lines.
    """
    rows = [offer for product_id, fields in hashes.items() for offer in read_offers(product_id, *fields)]
    actual = pa.table(
        {
            "product_id": pa.array([offer.product_id for offer in rows], pa.string()),
            "seller_id": pa.array([offer.seller_id for offer in rows], pa.string()),
            "name": pa.array([offer.name or "" for offer in rows], pa.string()),
            "category": pa.array([offer.category or "" for offer in rows], pa.string()),
            "currency": pa.array([offer.currency for offer in rows], pa.string()),
            "price_minor": pa.array([offer.price_minor for offer in rows], pa.int64()),
            "group_id": pa.array([offer.group_id or "" for offer in rows], pa.string()),
            "attributes": pa.array(
                ["\n".join(sorted(map("=".join, offer.attributes.items()))) for offer in rows], pa.string()
            ),
            "listed": pa.array([int(offer.listed) for offer in rows], pa.int64()),
            "available": pa.array(
                [-1 if offer.available is None else offer.available for offer in rows], pa.int64()
            ),
        }
    )
    return Sides(expected, actual)


def _read_similar(stores: Stores, keys: KeyFilter | None) -> Sides:
    actual = stores.redis.ranked("similar:", COMPARED, keys.values if keys else None)
    return similar_sides(stores.clickhouse.query(f"{NAME}/similar", DAYS, keys), actual)


def _read_offers(stores: Stores, keys: KeyFilter | None) -> Sides:
    hashes = stores.redis.hashes("product:", ("offers", "stock"), keys.values if keys else None)
    return offer_sides(stores.clickhouse.query(f"{NAME}/offers", keys=keys), hashes)


def _first(ranked: pa.Table, count: int) -> tuple[pa.Table, dict[str, float]]:
    """Return the first `count` members of each owner, and the last score of owners that have as many."""
    positions: list[int] = []
    members: dict[str, int] = {}
    last: dict[str, float] = {}
    scores = ranked["score"].to_pylist()
    for row, owner in enumerate(ranked["owner"].to_pylist()):
        members[owner] = members.get(owner, 0) + 1
        if members[owner] <= count:
            positions.append(row)
        if members[owner] == count:
            last[owner] = scores[row]
    return ranked.take(pa.array(positions, pa.int64())), last

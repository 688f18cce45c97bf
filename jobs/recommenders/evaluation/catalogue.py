"""What all lists together do to the catalogue: how much of it they show, how known it is, which sellers gain.

Lists are int32 [n, k], products −1 where a list has fewer.
"""

from dataclasses import dataclass

import numpy as np

from jobs.recommenders.evaluation.metrics import discounts
from jobs.recommenders.evaluation.sets import Floats, Numbers
from jobs.recommenders.vocabulary import Codes


@dataclass(frozen=True)
class CatalogueMetrics:
    """What the lists show. Exposure is that of sellers, None where products have none."""

    coverage: float
    """The share of all products that is in any list."""
    novelty: float
    """Mean −log2 of the share of shoppers who know a shown product, in bits; nobody counts as one.

    Source: Vargas and Castells, Rank and Relevance in Novelty and Diversity Metrics, RecSys 2011.
    """
    popularity_lift: float
    """How much more popular shown products are than those of the log: 0 as much, 1 twice as much.

    Source: Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, RMSE 2019.
    """
    seller_gini: float | None
    """Inequality of the sellers' exposure: 0 all alike, towards 1 one has it all.

    A place is worth 1 / log2(place + 1) (Singh and Joachims, Fairness of Exposure in Rankings, KDD 2018).
    """
    sellers_seen: float | None
    """The share of sellers with a product in any list."""


def catalogue_metrics(
    lists: Codes, buyers: Numbers, shopper_count: int, sellers: Codes | None = None
) -> CatalogueMetrics:
    """What `lists` show.

    Args:
        lists: int32 [n, k].
        buyers: how many shoppers of the log know each product: [products].
        shopper_count: how many shoppers the log has.
        sellers: the seller of each product: int32 [products], numbered from 0, -1 where none is known.
    """
    shown = lists[lists >= 0]
    known = buyers.astype(np.float64)
    exposure = None if sellers is None else seller_exposure(lists, sellers)
    return CatalogueMetrics(
        coverage=len(np.unique(shown)) / len(known),
        novelty=float(-np.log2(np.maximum(known[shown], 1.0) / shopper_count).mean()) if len(shown) else 0.0,
        popularity_lift=_lift(known, shown),
        seller_gini=None if exposure is None else gini(exposure),
        sellers_seen=None if exposure is None else float((exposure > 0).mean()),
    )


def seller_exposure(lists: Codes, sellers: Codes) -> Floats:
    """What the places of each seller's products are worth together: float64 [sellers]."""
    worth = np.broadcast_to(discounts(lists.shape[1]), lists.shape)[lists >= 0]
    seller = sellers[lists[lists >= 0]]
    count = int(sellers.max()) + 1
    exposure: Floats = np.bincount(seller[seller >= 0], worth[seller >= 0], count).astype(np.float64)
    return exposure


def gini(amounts: Floats) -> float:
    """The Gini coefficient of amounts that are not negative; 0 if there is nothing to share.

    Source: Gini, Variabilità e mutabilità, 1912, by the ranks of the sorted amounts.
    """
    total, count = amounts.sum(), len(amounts)
    if not total:
        return 0.0
    ranks = np.arange(1, count + 1)
    return float(2 * (ranks @ np.sort(amounts)) / (count * total) - (count + 1) / count)


def _lift(known: Floats, shown: Codes) -> float:
    if not len(shown) or not known.any():
        return 0.0
    usual = (known @ known) / known.sum()
    return float(known[shown].mean() / usual - 1)

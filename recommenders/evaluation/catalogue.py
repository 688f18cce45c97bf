"""Metrics of all lists together: coverage of the catalogue, novelty, popularity, and exposure of sellers.

Lists are int32 [n, k]. Lists with fewer than k products end with -1.
"""

from dataclasses import dataclass

import numpy as np

from recommenders.evaluation.metrics import discounts
from recommenders.evaluation.sets import Floats, Numbers
from recommenders.vocabulary import Codes


@dataclass(frozen=True)
class CatalogueMetrics:
    """Metrics of all lists together. The metrics of sellers are None if no seller is known."""

    coverage: float
    """The share of all products that appear in at least one list."""
    novelty: float
    """The mean of −log2 of the share of shoppers who know a listed product, in bits.

    A product that no shopper knows counts as known by one shopper.
    Source: Vargas and Castells, Rank and Relevance in Novelty and Diversity Metrics, RecSys 2011.
    """
    popularity_lift: float
    """How much more popular listed products are than those of the log: 0 is equal, 1 is twice as popular.

    Source: Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, RMSE 2019.
    """
    seller_gini: float | None
    """The Gini coefficient of the sellers' exposure: 0 if it is equal, near 1 if one seller has it all.

    A place gives an exposure of 1 / log2(place + 1)
    (Singh and Joachims, Fairness of Exposure in Rankings, KDD 2018).
    """
    sellers_seen: float | None
    """The share of sellers with a product in at least one list."""


def catalogue_metrics(
    lists: Codes, buyers: Numbers, shopper_count: int, sellers: Codes | None = None
) -> CatalogueMetrics:
    """Return the metrics of `lists`.

    Args:
        lists: int32 [n, k].
        buyers: the number of shoppers with an event of each product: [products].
        shopper_count: the number of shoppers in the log.
        sellers: the seller of each product: int32 [products], numbered from 0, -1 if unknown.
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
    """Return the summed exposure of each seller's products: float64 [sellers]."""
    exposures = np.broadcast_to(discounts(lists.shape[1]), lists.shape)[lists >= 0]
    seller = sellers[lists[lists >= 0]]
    count = int(sellers.max()) + 1
    exposure: Floats = np.bincount(seller[seller >= 0], exposures[seller >= 0], count).astype(np.float64)
    return exposure


def gini(amounts: Floats) -> float:
    """Return the Gini coefficient of amounts ≥ 0; 0 if all amounts are 0.

    Source: Gini, Variabilità e mutabilità, 1912, computed from the ranks of the sorted amounts.
    """
    total, count = amounts.sum(), len(amounts)
    if not total:
        return 0.0
    ranks = np.arange(1, count + 1)
    return float(2 * (ranks @ np.sort(amounts)) / (count * total) - (count + 1) / count)


def _lift(known: Floats, shown: Codes) -> float:
    if not len(shown) or not known.any():
        return 0.0
    mean_popularity = (known @ known) / known.sum()
    return float(known[shown].mean() / mean_popularity - 1)

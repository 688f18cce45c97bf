"""How varied lists are: within one list, and over what one visitor is shown."""

from collections import Counter
from collections.abc import Sequence


def intra_list_diversity(categories: Sequence[str]) -> float | None:
    """Return the share of pairs of products of a list that differ in category; None below two products.

    It is the mean distance of all pairs, where products of one category have the distance 0 and others 1.
    Source: Ziegler, McNee, Konstan and Lausen, Improving Recommendation Lists Through Topic Diversification,
    WWW 2005, with this distance.
    """
    n = len(categories)
    if n < 2:
        return None
    alike = sum(count * (count - 1) for count in Counter(categories).values())
    return 1 - alike / (n * (n - 1))


def dominance(categories: Sequence[str]) -> float | None:
    """Return the share of the most frequent category among what a visitor was shown; None without any.

    Near 1, the visitor is in a bubble: every list shows one category. Source: Berger and Parker, Diversity of
    Planktonic Foraminifera in Deep-Sea Sediments, Science 168, 1970; that lists narrow over time is what
    Nguyen et al., Exploring the Filter Bubble, WWW 2014, measured.
    """
    return max(Counter(categories).values()) / len(categories) if categories else None

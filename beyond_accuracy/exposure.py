"""Exposure of products in lists, and its distance from a fair share."""

from collections.abc import Mapping


def shares(amounts: Mapping[str, float]) -> dict[str, float]:
    """Return each amount as a share of their sum; all 0 if the sum is 0."""
    total = sum(amounts.values())
    return {name: amount / total if total else 0.0 for name, amount in amounts.items()}


def total_variation(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return the total variation distance of two distributions: ½ Σ |p - q|, from 0 (equal) to 1 (disjoint).

    It is the share of exposure that would have to move to other groups to make both equal. The amounts need
    not add up to 1. If either has no amounts, the distance is 0. Source: Levin, Peres and Wilmer, Markov
    Chains and Mixing Times, 2009, proposition 4.2.
    """
    one, other = shares(first), shares(second)
    if not any(one.values()) or not any(other.values()):
        return 0.0
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in {*one, *other}) / 2

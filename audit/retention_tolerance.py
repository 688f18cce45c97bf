"""Ignores differences between facts and Redis that the expiry of old entries explains.

Entries expire in Redis and in the state of the job. Therefore each member has two scores from the facts:
`score` from all facts, and `least` from facts so new that they can't have expired. `least` is null without
such facts. A stored score may lie anywhere between the two.
"""

from collections.abc import Iterable, Mapping
from math import inf

import pyarrow as pa

Member = tuple[str, str]
ScoreRange = tuple[float | None, float]
"""(least, score)."""

NO_CUTOFFS: Mapping[str, float] = {}


def tolerate_expiry(
    expected: pa.Table,
    actual: pa.Table,
    list_size: int,
    cutoffs: Mapping[str, float] = NO_CUTOFFS,
    *,
    rounding: float = 0.0,
) -> tuple[pa.Table, pa.Table]:
    """Return both sides as owner, member, score, without the differences that expiry explains.

    Args:
        expected: owner, member, score and least, the best `list_size` members of each owner; without the
            column `least`, nothing can have expired.
        actual: owner, member, score.
        cutoffs: owner → score; a missing member is a difference only if its `least` exceeds this score.
        rounding: the relative tolerance of scores.
    """
    least = expected["least" if "least" in expected.column_names else "score"].to_pylist()
    bounds = zip(least, expected["score"].to_pylist(), strict=True)
    ranges: dict[Member, ScoreRange] = dict(zip(_members(expected), bounds, strict=True))
    stored: dict[Member, float] = dict(zip(_members(actual), actual["score"].to_pylist(), strict=True))
    tolerated = {
        member: _tolerated_score(ranges[member], stored.get(member), rounding)
        for member in ranges
        if member in stored or _is_missed(ranges[member][0], cutoffs.get(member[0], -inf), rounding)
    }
    list_cutoffs = _full_list_cutoffs(ranges, list_size, rounding)
    compared = {
        member: score
        for member, score in stored.items()
        if member in ranges or score > list_cutoffs.get(member[0], -inf)
    }
    return _table(tolerated), _table(compared)


def _is_missed(least: float | None, cutoff: float, rounding: float) -> bool:
    return least is not None and least > cutoff * (1 + rounding)


def _tolerated_score(bounds: ScoreRange, stored: float | None, rounding: float) -> float:
    """Return the stored score if the facts explain it, else the score from all facts."""
    least, score = bounds
    low = -inf if least is None else least * (1 - rounding)
    return stored if stored is not None and low <= stored <= score * (1 + rounding) else score


def _full_list_cutoffs(
    ranges: Mapping[Member, ScoreRange], list_size: int, rounding: float
) -> dict[str, float]:
    """Return the last score of each full list with expired members; lower scores may have moved up."""
    scores: dict[str, list[float]] = {}
    expired: set[str] = set()
    for (owner, _), (least, score) in ranges.items():
        scores.setdefault(owner, []).append(score)
        if least is None or least < score * (1 - rounding):
            expired.add(owner)
    return {owner: min(scores[owner]) for owner in expired if len(scores[owner]) >= list_size}


def _members(table: pa.Table) -> Iterable[Member]:
    return zip(table["owner"].to_pylist(), table["member"].to_pylist(), strict=True)


def _table(scores: Mapping[Member, float]) -> pa.Table:
    owners, members = zip(*scores, strict=True) if scores else ((), ())
    return pa.table(
        {
            "owner": pa.array(owners, pa.string()),
            "member": pa.array(members, pa.string()),
            "score": pa.array(scores.values(), pa.float64()),
        }
    )

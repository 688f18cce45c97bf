"""What Redis and a job's state may have forgotten: the facts know more, and no difference follows from that.

A rank told again from the facts has `score`, from all of them, and `least`, from those that came in so lately
that nothing of them is forgotten yet; it is null where there are none. What is kept lies between both.
"""

from collections.abc import Iterable, Mapping
from math import inf

import pyarrow as pa

Member = tuple[str, str]
Range = tuple[float | None, float]
"""(least, score)."""

NOTHING: Mapping[str, float] = {}


def reconciled(
    expected: pa.Table,
    actual: pa.Table,
    full: int,
    last: Mapping[str, float] = NOTHING,
    *,
    rounding: float = 0.0,
) -> tuple[pa.Table, pa.Table]:
    """Both sides, as owner, member, score, without what can be explained by forgetting.

    Args:
        expected: owner, member, score and least, the best `full` of each owner; without least nothing is
            forgotten.
        actual: owner, member, score.
        last: owner → the score that whoever is missing among the actual ones must exceed to be missed.
        rounding: the share by which scores that are equal may lie apart.
    """
    least = expected["least" if "least" in expected.column_names else "score"].to_pylist()
    known = zip(least, expected["score"].to_pylist(), strict=True)
    ranges: dict[Member, Range] = dict(zip(_members(expected), known, strict=True))
    there: dict[Member, float] = dict(zip(_members(actual), actual["score"].to_pylist(), strict=True))
    told = {
        at: _told(ranges[at], there.get(at), rounding)
        for at in ranges
        if at in there or _is_missed(ranges[at][0], last.get(at[0], -inf), rounding)
    }
    ends = _ends(ranges, full, rounding)
    kept = {at: score for at, score in there.items() if at in ranges or score > ends.get(at[0], -inf)}
    return _table(told), _table(kept)


def _is_missed(least: float | None, last: float, rounding: float) -> bool:
    return least is not None and least > last * (1 + rounding)


def _told(known: Range, there: float | None, rounding: float) -> float:
    """What the facts say of a member: what is there, if they can explain it."""
    least, score = known
    low = -inf if least is None else least * (1 - rounding)
    return there if there is not None and low <= there <= score * (1 + rounding) else score


def _ends(ranges: Mapping[Member, Range], full: int, rounding: float) -> dict[str, float]:
    """The last score of each owner whose list is full and partly forgotten: others may have moved up."""
    scores: dict[str, list[float]] = {}
    forgot: set[str] = set()
    for (owner, _), (least, score) in ranges.items():
        scores.setdefault(owner, []).append(score)
        if least is None or least < score * (1 - rounding):
            forgot.add(owner)
    return {owner: min(scores[owner]) for owner in forgot if len(scores[owner]) >= full}


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

"""The keys of a version in Redis: whether there is room for them, how they differ, and their deletion."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import redis

from jobs.plan import JobPlan

_ROUNDING = 1e-9
_KEYS_PER_REQUEST = 500


@dataclass(frozen=True)
class RowDifference:
    """How the rows of an output differ between two versions: members of sorted sets, or fields of hashes."""

    output: str
    live: int
    other: int
    different: int
    """Rows of the live version that the other one has with another value, or does not have."""


def output_keys(plan: JobPlan) -> dict[str, tuple[str, ...]]:
    """Return the patterns of the keys that a plan writes → the outputs that write them, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for output in plan.outputs:
        pattern = output.options.get("key") or f"{output.options['key.prefix']}*"
        found[pattern] = (*found.get(pattern, ()), output.table)
    return found


def has_keys(client: "redis.Redis", plan: JobPlan) -> bool:
    """Return whether a job wrote to the keys of this plan that hold a whole output each."""
    return bool(client.exists(*(pattern for pattern in output_keys(plan) if not pattern.endswith("*"))))


def used_share_of_memory(client: "redis.Redis") -> float:
    """Return how much of its memory limit Redis uses; 0 if it has no limit."""
    memory: Any = client.info("memory")
    return memory["used_memory"] / memory["maxmemory"] if memory["maxmemory"] else 0.0


def delete_keys(client: "redis.Redis", patterns: Iterable[str]) -> int:
    """Delete all keys that match one of the patterns; return their number.

    With UNLINK, another thread of the server would free the memory (docs/decisions/redis-memory.md).
    """
    count = 0
    for pattern in patterns:
        for keys in _keys(client, pattern):
            client.delete(*keys)
            count += len(keys)
    return count


def differences(client: "redis.Redis", live: JobPlan, other: JobPlan) -> list[RowDifference]:
    """Compare the rows of two versions, in batches of keys. Rows that change meanwhile may differ."""
    others = {outputs: pattern for pattern, outputs in output_keys(other).items()}
    found = []
    for pattern, outputs in output_keys(live).items():
        if (other_pattern := others.get(outputs)) is None:
            continue
        prefix, other_prefix = pattern.removesuffix("*"), other_pattern.removesuffix("*")
        count = different = 0
        for keys in _keys(client, pattern):
            other_keys = [other_prefix + key.removeprefix(prefix) for key in keys]
            for rows, other_rows in zip(_rows(client, keys), _rows(client, other_keys), strict=True):
                count += len(rows)
                different += sum(not _agree(value, other_rows.get(row)) for row, value in rows.items())
        other_count = sum(len(rows) for keys in _keys(client, other_pattern) for rows in _rows(client, keys))
        found.append(RowDifference(", ".join(outputs), count, other_count, different))
    return found


def _agree(value: str | float, other: str | float | None) -> bool:
    """Return whether two values are equal, apart from the rounding of sums in another order."""
    if value == other:
        return True
    try:
        return other is not None and math.isclose(float(value), float(other), rel_tol=_ROUNDING)
    except ValueError:
        return False


def _keys(client: "redis.Redis", pattern: str) -> Iterator[list[str]]:
    """Yield the keys that match a pattern, in batches. A key may come twice."""
    if not pattern.endswith("*"):
        if client.exists(pattern):
            yield [pattern]
        return
    found = client.scan_iter(match=pattern, count=_KEYS_PER_REQUEST)
    while batch := list(islice(found, _KEYS_PER_REQUEST)):
        yield batch


def _rows(client: "redis.Redis", keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the members of each key with their scores, or its fields with their values."""
    pipeline: Any = client.pipeline(transaction=False)
    for key in keys:
        pipeline.type(key)
    for key, kind in zip(keys, pipeline.execute(), strict=True):
        if kind == "zset":
            pipeline.zrange(key, 0, -1, withscores=True)
        else:
            pipeline.hgetall(key)
    return [dict(rows) for rows in pipeline.execute()]

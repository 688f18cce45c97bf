"""Bounds the dicts in which a process keeps what it has read or written last."""

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def put_newest(entries: dict[K, V], key: K, value: V, most: int) -> None:
    """Store an entry as the newest one of a dict, which has at most `most`: the oldest ones are deleted."""
    entries.pop(key, None)
    entries[key] = value
    while len(entries) > most:
        del entries[next(iter(entries))]

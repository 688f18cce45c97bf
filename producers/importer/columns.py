"""Converts columns (times to UTC, prices to minor units, ids to random numbers), and groups their rows."""

from datetime import datetime, time, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from common import money
from producers.feed.events import Millis

MISSING = np.iinfo(np.int64).min
"""Stands for a missing time among Unix milliseconds."""

_QUARTER_MS = 15 * 60 * 1000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a wall-clock time has no zone yet


def utc_millis(wall: pa.ChunkedArray, zone: ZoneInfo) -> Millis:
    """Return wall-clock times of `zone` (timestamp[ms] without zone) as Unix milliseconds; null is MISSING.

    A time that occurred twice, because the clock was set back, is read as its first occurrence. A time that
    did not exist, because the clock was set forward, gets the offset before the change (PEP 495, fold=0). One
    offset is looked up per quarter of an hour, because since 1972 all zones have changed their clocks on a
    quarter.
    """
    missing = wall.is_null().to_numpy(zero_copy_only=False)
    local = wall.fill_null(0).cast(pa.int64()).to_numpy().astype(np.int64)
    quarters, which = np.unique(local // _QUARTER_MS, return_inverse=True)
    moments = (_EPOCH + timedelta(milliseconds=int(q) * _QUARTER_MS) for q in quarters.tolist())
    offsets = np.fromiter((_offset_ms(moment, zone) for moment in moments), np.int64, len(quarters))
    utc = local - offsets[which] if len(local) else local
    return np.where(missing, MISSING, utc)


def _offset_ms(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)


def minor_units(amounts: pa.ChunkedArray, currency: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return amounts in major units (double) as minor units, and which of them are exact and not negative.

    An amount is exact if it is the double nearest to a decimal with the currency's number of decimals.
    Division rounds correctly, so this is the case if `minor / 100 == amount`, for minor < 2**53.
    """
    scale = money.minor_units(currency)
    doubles = amounts.fill_null(np.nan).to_numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(doubles * scale)
        exact = np.isfinite(doubles) & (scaled / scale == doubles) & (scaled >= 0) & (scaled < 2.0**53)
    return np.where(exact, scaled, 0).astype(np.int64), exact


def deterministic_uniform(name: str, keys: list[str]) -> NDArray[np.float64]:
    """Return one number in [0, 1) per key, always the same for the same `name` and key."""
    prefix = name.encode() + b"\x1f"
    digests = (blake2b(prefix + key.encode(), digest_size=6).digest() for key in keys)
    return np.fromiter((int.from_bytes(d, "big") for d in digests), np.float64, len(keys)) / 2**48


def next_midnight(moments: Millis, zone: ZoneInfo) -> Millis:
    """Return the first midnight in `zone` after each time."""
    days = (datetime.fromtimestamp(moment / 1000, zone).date() for moment in moments.tolist())
    midnights = (datetime.combine(day + timedelta(days=1), time(), zone) for day in days)
    return np.array([round(midnight.timestamp() * 1000) for midnight in midnights], np.int64)


def sum_by(group: NDArray[np.int64], groups: int, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sum of the values of each group, from 0 to `groups` - 1. Rows of group -1 count for none."""
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, group[group >= 0], values[group >= 0])
    return sums


def first_by(
    group: NDArray[np.int64], groups: int, values: NDArray[Any], given: NDArray[np.bool_], default: int
) -> NDArray[Any]:
    """Return each group's value of the first of its `given` rows. Rows of group -1 are left out."""
    rows = np.flatnonzero(given & (group >= 0))
    result = np.full(groups, default, values.dtype)
    found, first = np.unique(group[rows], return_index=True)
    result[found] = values[rows[first]]
    return result


def first_and_last(
    group: NDArray[np.integer[Any]], moments: Millis
) -> tuple[NDArray[np.int64], Millis, Millis]:
    """Return the distinct groups in ascending order, and the first and last time of each."""
    groups, dense = np.unique(group, return_inverse=True)
    first = np.full(len(groups), np.iinfo(np.int64).max)
    last = np.full(len(groups), np.iinfo(np.int64).min)
    np.minimum.at(first, dense, moments)
    np.maximum.at(last, dense, moments)
    return groups.astype(np.int64), first, last


def number_within(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of each row within its group, from 1. The groups ascend."""
    return np.arange(len(group)) - np.searchsorted(group, group) + 1

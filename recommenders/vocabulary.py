"""Maps ids of any kind to the integer codes 0, 1, 2, ..., which all models use."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from common.errors import UserError
from recommenders.histories import Codes

Id = str | int
Column = Sequence[Any] | NDArray[Any]
"""Ids as a sequence, a NumPy array or an Arrow array. An id is a string or an integer; `1` is not `"1"`."""

MAX_EXACT_FLOAT = 2.0**53
"""Floats represent all integers up to this one exactly."""


@dataclass(frozen=True)
class Vocabulary:
    """Distinct ids in the order of their first appearance. The code of an id is its index."""

    ids: tuple[Id, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _code_of(self) -> dict[Id, int]:
        return {id_: code for code, id_ in enumerate(self.ids)}

    def codes(self, column: Column) -> Codes:
        """Return the code of each id, -1 for an id that is not in the vocabulary.

        Raises:
            UserError: an id is missing, or neither a string nor an integer.
        """
        indices, distinct = _encode(column, "id")
        return np.array([self._code_of.get(id_, -1) for id_ in distinct] + [-1], np.int32)[indices]

    def sorted(self, first: int = 0) -> tuple["Vocabulary", Codes]:
        """Return the same ids in ascending order, strings after integers, and the new code of each old one.

        The first `first` ids keep their codes.
        """
        rest = sorted(
            range(first, len(self.ids)), key=lambda code: (isinstance(self.ids[code], str), self.ids[code])
        )
        new_codes = np.arange(len(self.ids), dtype=np.int32)
        new_codes[rest] = np.arange(first, len(self.ids), dtype=np.int32)
        return Vocabulary((*self.ids[:first], *(self.ids[code] for code in rest))), new_codes

    @staticmethod
    def of(column: Column, what: str, before: Iterable[Id] = ()) -> tuple["Vocabulary", Codes]:
        """Return a vocabulary of the column's ids, and the code of each row; ids of `before` come first.

        `what` names the ids in error messages.

        Raises:
            UserError: an id is missing, or neither a string nor an integer.
        """
        indices, distinct = _encode(column, what)
        ids = tuple(dict.fromkeys((*before, *distinct)))
        vocabulary = Vocabulary(ids)
        if ids == tuple(distinct):
            return vocabulary, indices
        codes = np.array([vocabulary._code_of[id_] for id_ in distinct], np.int32)
        return vocabulary, codes[indices] if len(indices) else indices


def _encode(column: Column, what: str) -> tuple[Codes, list[Id]]:
    """Return each row's index into the distinct ids, and the distinct ids in order of appearance."""
    array = _arrow(column)
    if array is None:
        return _encode_mixed(column, what)
    if array.null_count:
        raise UserError(f"{array.null_count:,} rows have no {what}: remove these rows, or fill in the {what}")
    encoded = array.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int32), encoded.dictionary.to_pylist()


def _arrow(column: Column) -> pa.Array | None:
    """Return the column as Arrow strings or integers, or None if it mixes types."""
    try:
        array = (
            column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, from_pandas=True)
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        array = _as_integers(array)
    if pa.types.is_null(array.type):
        return array.cast(pa.int64())
    is_text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    return array if is_text or pa.types.is_integer(array.type) else None


def _as_integers(array: pa.Array) -> pa.Array:
    """Convert floats to integers if all of them are exact integers. NaN becomes a missing value."""
    array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    exact = pc.and_(pc.equal(pc.floor(array), array), pc.less_equal(pc.abs(array), MAX_EXACT_FLOAT))
    return array if pc.all(exact).as_py() is False else array.cast(pa.int64())


def _encode_mixed(column: Column, what: str) -> tuple[Codes, list[Id]]:
    code_of: dict[Id, int] = {}
    if isinstance(column, pa.Array | pa.ChunkedArray):
        values = column.to_pylist()
    else:
        values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    codes = [code_of.setdefault(_as_id(value, what, row), len(code_of)) for row, value in enumerate(values)]
    return np.array(codes, np.int32), list(code_of)


def _as_id(value: object, what: str, row: int) -> Id:
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT_FLOAT:
        return int(value)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64:
        return value
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    problem = "is missing" if missing else f"is {str(value)[:40]!r}"
    raise UserError(f"the {what} of row {row:,} {problem}: ids must be strings or 64-bit integers")

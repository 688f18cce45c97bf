"""Tells which cases of a test are of one visit, so that they are not taken for independent."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from jobs.recommenders.evaluation.sets import Flags
from jobs.recommenders.histories import Histories, Ints
from jobs.recommenders.vocabulary import Codes, Vocabulary


def visits_of_cases(test_columns: Mapping[str, pa.Array]) -> tuple[Ints, str]:
    """The visit of each case, int64 [cases], and a note that says how it was told.

    By the column `session`, where there is one; else cases that stand together are of one visit while each
    has the history and target of its neighbour as its own history, or the other way round.

    Raises:
        UserError: an id is missing.
    """
    if "session" in test_columns:
        visits = Vocabulary.of(test_columns["session"], "session")[1].astype(np.int64)
        return visits, f"intervals are over the {int(visits.max()) + 1:,} visits of the cases"
    products, flat = Vocabulary.of(test_columns["prefix"].flatten(), "product")
    targets = products.codes(test_columns["target"])
    lengths = np.diff(test_columns["prefix"].offsets.to_numpy())
    rows = np.repeat(np.arange(len(lengths)), lengths)
    histories = _rows(rows, flat, len(lengths))
    wholes = _rows(
        np.concatenate([rows, np.arange(len(targets))]), np.concatenate([flat, targets]), len(lengths)
    )
    goes_on = _same(wholes[1:], histories[:-1]) | _same(wholes[:-1], histories[1:])
    visits = np.concatenate([np.zeros(1, np.int64), np.cumsum(~goes_on)])
    if not goes_on.any():
        return visits, (
            "no case goes on from its neighbour: if several are of one visit, a column session should say "
            "so, else the intervals are too narrow"
        )
    return visits, f"intervals are over {int(visits[-1]) + 1:,} visits: a case that goes on is of the same"


def _rows(rows: Ints, products: Codes, count: int) -> Histories:
    return Histories.grouped(rows, count, products, np.ones(len(products), np.float32))


def _same(first: Histories, second: Histories) -> Flags:
    """Whether a row of one holds what the same row of the other does: bool [rows]."""
    same: Flags = first.lengths == second.lengths
    rows = np.flatnonzero(same)
    ours, theirs = first.take(rows), second.take(rows)
    same[rows[ours.rows[ours.products != theirs.products]]] = False
    return same

"""Reads visits, and test cases: a prefix of a visit, and the target that followed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from common.errors import UserError
from recommenders.evaluation import splits
from recommenders.evaluation.cases import Cases, Dataset, EvaluationSplit, sessions_held_out
from recommenders.evaluation.loaders.tables import (
    ColumnNames,
    order_by,
    read_columns,
    with_same_id_type,
)
from recommenders.evaluation.sets import Flags, ProductSets
from recommenders.histories import Codes, Histories, Ints
from recommenders.interactions import Interactions, from_columns
from recommenders.vocabulary import Vocabulary

VALIDATION_SHARE = 0.1

ORDER = "by position in a visit; the visits are in the order of their first rows"


def with_cases(train: Path, test: Path, names: ColumnNames) -> Dataset:
    """Read visits (columns session, position, item) and test cases (columns prefix, target, session).

    `prefix` holds lists of items. The column `session` of the cases is optional. Visits must be in time order
    by their first rows. Events of a visit are sorted by `position`.

    Raises:
        UserError: a file or column is missing or invalid, or no target is in the log.
    """
    left_out: list[str] = []
    columns = read_columns(train, names, ("session", "position", "item"), notes=left_out)
    case_names = {key: name for key, name in names.items() if key in ("prefix", "target")}
    test_columns = read_columns(test, case_names, ("prefix", "target"), ("session",), left_out)
    if not pa.types.is_list(test_columns["prefix"].type) and not pa.types.is_large_list(
        test_columns["prefix"].type
    ):
        raise UserError(
            f"column 'prefix' of {test} holds {test_columns['prefix'].type}: it should hold lists of items"
        )
    prefixes = test_columns["prefix"]
    columns["item"], test_columns["target"], flat = with_same_id_type(
        columns["item"], test_columns["target"], prefixes.flatten()
    )
    test_columns["prefix"] = type(prefixes).from_arrays(prefixes.offsets, flat)
    log = visits(columns)
    cases, notes = _cases(log, test_columns)
    case_visits, visit_note = visits_of_cases(test_columns)
    return Dataset(
        log,
        cases,
        f"the cases of {test.name}",
        lambda seed: validation_splits(log, seed),
        [*left_out, *notes, visit_note],
        visits=case_visits,
        order=ORDER,
    )


def visits(columns: dict[str, pa.Array]) -> Interactions:
    """Return a log in which each visit_codes is a separate shopper.

    Raises:
        UserError: an id or a position is missing.
    """
    codes = Vocabulary.of(columns["session"], "session")[1]
    by_position = order_by(columns["position"])
    by_visit = pa.array(by_position[np.argsort(codes[by_position], kind="stable")])
    sessions = columns["session"].take(by_visit)
    return from_columns(sessions, columns["item"].take(by_visit), sessions=sessions)


def validation_splits(log: Interactions, seed: int) -> Sequence[EvaluationSplit]:
    """Return validation splits: the newest tenth of the visits, and a random tenth.

    A split without cases is left out: all of its visits have only one event.

    Raises:
        UserError: there is only one visit, or no held-out visit has two events.
    """
    visit_codes = log.shoppers if log.sessions is None else log.sessions
    newest = splits.latest_groups(visit_codes, np.arange(len(log)), VALIDATION_SHARE)
    drawn = splits.random_groups(visit_codes, VALIDATION_SHARE, seed)
    eval_splits = [
        sessions_held_out(log, newest, "the newest tenth of the visits"),
        sessions_held_out(log, drawn, "a random tenth of the visits"),
    ]
    if not any(len(eval_split.cases) for eval_split in eval_splits):
        raise UserError("no visit that is held out for validation has two events: use a longer log")
    return [eval_split for eval_split in eval_splits if len(eval_split.cases)]


def _cases(log: Interactions, test_columns: dict[str, pa.Array]) -> tuple[Cases, list[str]]:
    flat = log.product_vocabulary.codes(test_columns["prefix"].flatten())
    lengths = np.diff(test_columns["prefix"].offsets.to_numpy())
    rows = np.repeat(np.arange(len(lengths)), lengths)[flat >= 0]
    histories = _rows(rows, flat[flat >= 0], len(lengths))
    targets = Vocabulary.of(test_columns["target"], "product", log.product_vocabulary.ids)[1]
    unseen = int((targets >= log.product_count).sum())
    if unseen == len(targets):
        raise UserError(
            "no target of the test file is in the training file: check that both use the same ids"
        )
    notes = [f"{unseen:,} targets are products not in the training data: counted as missed"] if unseen else []
    return Cases(histories, ProductSets(np.arange(len(targets) + 1, dtype=np.int64), targets)), notes


def visits_of_cases(test_columns: Mapping[str, pa.Array]) -> tuple[Ints, str]:
    """Return the visit of each case, int64 [cases], and a note for the reader.

    The column `session`, if it exists, gives the visit. Otherwise two consecutive cases are of the same visit
    if the prefix of one is the prefix of the other with its target appended.

    Raises:
        UserError: an id is missing.
    """
    if "session" in test_columns:
        visits = Vocabulary.of(test_columns["session"], "session")[1].astype(np.int64)
        return visits, f"intervals are over {int(visits.max()) + 1:,} visits"
    products, flat = Vocabulary.of(test_columns["prefix"].flatten(), "product")
    targets = products.codes(test_columns["target"])
    lengths = np.diff(test_columns["prefix"].offsets.to_numpy())
    rows = np.repeat(np.arange(len(lengths)), lengths)
    histories = _rows(rows, flat, len(lengths))
    extended_histories = _rows(
        np.concatenate([rows, np.arange(len(targets))]), np.concatenate([flat, targets]), len(lengths)
    )
    continues = _same(extended_histories[1:], histories[:-1]) | _same(extended_histories[:-1], histories[1:])
    visits = np.concatenate([np.zeros(1, np.int64), np.cumsum(~continues)])
    if not continues.any():
        return visits, (
            "each case counts as a separate visit: if several cases are of one visit, add a column session, "
            "else the intervals are too narrow"
        )
    return visits, (
        f"intervals are over {int(visits[-1]) + 1:,} visits: cases that continue each other are one visit"
    )


def _rows(rows: Ints, products: Codes, count: int) -> Histories:
    return Histories.grouped(rows, count, products, np.ones(len(products), np.float32))


def _same(first: Histories, second: Histories) -> Flags:
    """Return whether the rows of both hold the same products: bool [rows]."""
    same: Flags = first.lengths == second.lengths
    rows = np.flatnonzero(same)
    left, right = first.take(rows), second.take(rows)
    same[rows[left.rows[left.products != right.products]]] = False
    return same

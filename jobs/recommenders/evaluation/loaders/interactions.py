"""Reads an interaction log, with test cases from a test file or from a held-out part of the log."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from common.errors import UserError
from jobs.recommenders.evaluation import splits
from jobs.recommenders.evaluation.cases import Cases, EvaluationSplit, shoppers_held_out
from jobs.recommenders.evaluation.loaders.attributes import Attributes
from jobs.recommenders.evaluation.loaders.dataset import Dataset
from jobs.recommenders.evaluation.loaders.tables import ColumnNames, read_columns, require_same_id_type
from jobs.recommenders.evaluation.sets import Flags, ProductSets
from jobs.recommenders.interactions import Interactions, from_columns
from jobs.recommenders.vocabulary import Vocabulary

SHARE = 0.2
"""The share of events to hold out: of all events, or of each shopper's."""

NEWEST = {0.1: "the newest tenth", 0.2: "the newest fifth"}
"""The validation splits by time: the share to hold out, and the name of the split."""


def with_test(train: Path, test: Path, names: ColumnNames, attributes: Attributes | None = None) -> Dataset:
    """Read a log, and a test file with the events that followed it.

    Raises:
        UserError: a file or column is missing or invalid, or no shopper of the test is in the log.
    """
    columns = read_columns(train, names, ("user", "item"), ("time", "weight"))
    test_columns = read_columns(
        test, {key: name for key, name in names.items() if key in ("user", "item")}, ("user", "item")
    )
    for each in ("user", "item"):
        require_same_id_type(each, columns[each], test_columns[each])
    log = log_of(columns, attributes)
    cases, notes = _cases(log, test_columns)
    return Dataset(log, cases, f"the test file {test.name}", lambda seed: validation_splits(log, seed), notes)


def with_protocol(
    path: Path, names: ColumnNames, protocol: str, attributes: Attributes | None = None
) -> Dataset:
    """Read a log and hold out a part of it by a protocol: `time`, `leave-last` or `random`.

    Raises:
        UserError: the file is invalid, has no times for `time`, or nothing can be held out.
    """
    needed = ("user", "item", "time") if protocol == "time" else ("user", "item")
    return split(log_of(read_columns(path, names, needed, ("time", "weight")), attributes), protocol)


def split(log: Interactions, protocol: str) -> Dataset:
    """Hold out a part of a log by a protocol of `PROTOCOLS`.

    Raises:
        UserError: the protocol is unknown, the log has no times for `time`, or nothing can be held out.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"there is no protocol {protocol!r} for this log: choose from {', '.join(PROTOCOLS)}")
    eval_split = held_out(log, _PROTOCOLS[protocol][0](log), _PROTOCOLS[protocol][1])
    left_out = len(np.unique(log.shoppers)) - len(np.unique(eval_split.log.shoppers))
    notes = [f"{left_out:,} shoppers have only held-out events: they are not evaluated"] if left_out else []
    return Dataset(
        eval_split.log,
        eval_split.cases,
        eval_split.name,
        lambda seed: validation_splits(eval_split.log, seed),
        notes,
    )


def log_of(columns: dict[str, pa.Array], attributes: Attributes | None = None) -> Interactions:
    """Build a log from columns by meaning, with the products' attributes.

    Raises:
        UserError: an id, a time or a weight is missing or invalid.
    """
    catalogue = attributes.items if attributes else ()
    log = from_columns(
        columns["user"],
        columns["item"],
        times=columns.get("time"),
        weights=_weights(columns["weight"]) if "weight" in columns else None,
        catalogue=catalogue,
    )
    return attributes.of(log) if attributes else log


def held_out(log: Interactions, held: Flags, name: str) -> EvaluationSplit:
    """Return `shoppers_held_out`, and require at least one case.

    Raises:
        UserError: no shopper has both a held-out event and another event.
    """
    if not held.any():
        raise UserError("no event can be held out: no shopper has two events; use a longer log")
    eval_split = shoppers_held_out(log, held, name)
    if not len(eval_split.cases):
        raise UserError(
            "no shopper has events on both sides of the cut: use a longer log, or another --protocol"
        )
    return eval_split


def validation_splits(log: Interactions, seed: int) -> Sequence[EvaluationSplit]:
    """Return several validation splits of a log. A model must do well on all of them.

    If the log has times, the newest events are held out. If it has no times, or no shopper has both old and
    new events, a part of each shopper's events is held out: a random part, a run of consecutive rows and, if
    the log has no times, the last rows. The run is there because random events are too easy to predict if
    shoppers act in bursts, such as the check-ins of a journey. The last rows are left out if each shopper's
    rows are sorted by product, because their order then has no meaning.

    Raises:
        UserError: nothing can be held out.
    """
    if log.times is not None and len(np.unique(log.times)) > 1:
        eval_splits = [
            shoppers_held_out(log, splits.latest(log.times, share), name) for share, name in NEWEST.items()
        ]
        if any(len(eval_split.cases) for eval_split in eval_splits):
            return [eval_split for eval_split in eval_splits if len(eval_split.cases)]
    order = np.arange(len(log))
    held = {
        "a random fifth of each shopper's events": splits.random_share_of_each(log.shoppers, SHARE, seed),
        "a run of a fifth of each shopper's events": splits.random_run_of_each(
            log.shoppers, order, SHARE, seed
        ),
    }
    if log.times is None and not _is_sorted_by_product(log):
        last = splits.last_share_of_each(log.shoppers, order, SHARE)
        held["the last fifth of each shopper's events"] = last
    return [held_out(log, events, name) for name, events in held.items()]


def _is_sorted_by_product(log: Interactions) -> bool:
    """Return whether each shopper's rows are in the order of the product ids."""
    ids = log.product_vocabulary.ids
    ranks = np.empty(len(ids), dtype=np.int64)
    ranks[sorted(range(len(ids)), key=lambda code: (str(type(ids[code])), ids[code]))] = np.arange(len(ids))
    listed, rows = ranks[log.histories.products], log.histories.rows
    same = rows[1:] == rows[:-1]
    return bool((listed[1:] >= listed[:-1])[same].all())


def _weights(column: pa.Array) -> NDArray[np.float32]:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise UserError(f"the weights are {column.type}: use numbers above 0")
    weights: NDArray[np.float32] = column.to_numpy(zero_copy_only=False).astype(np.float32)
    return weights


def _by_time(log: Interactions) -> Flags:
    if log.times is None:
        raise UserError("the log has no times: name the column with --columns time=<column>")
    return splits.latest(log.times, SHARE)


_PROTOCOLS: dict[str, tuple[Callable[[Interactions], Flags], str]] = {
    "time": (_by_time, "the newest fifth of all events"),
    "leave-last": (
        lambda log: splits.last_of_each(log.shoppers, np.arange(len(log))),
        "the last event of each shopper",
    ),
    "random": (
        lambda log: splits.random_share_of_each(log.shoppers, SHARE, 0),
        "a random fifth of each shopper's events",
    ),
}

PROTOCOLS = tuple(_PROTOCOLS)


def _cases(log: Interactions, test_columns: dict[str, pa.Array]) -> tuple[Cases, list[str]]:
    shoppers = log.shopper_vocabulary.codes(test_columns["user"])
    products = Vocabulary.of(test_columns["item"], "product", log.product_vocabulary.ids)[1]
    known = shoppers >= 0
    if not known.any():
        raise UserError(
            "no shopper of the test file is in the training file: check that both use the same ids"
        )
    notes = []
    if unknown_shoppers := len(products) - int(known.sum()):
        notes.append(
            f"{unknown_shoppers:,} test events are of shoppers not in the training data: not evaluated"
        )
    if unknown_products := int((products[known] >= log.product_count).sum()):
        notes.append(
            f"{unknown_products:,} test events are of products not in the training data: counted as missed"
        )
    rows, places = np.unique(shoppers[known], return_inverse=True)
    truth = ProductSets.of(places, products[known], len(rows))
    return Cases(log.histories.take(rows), truth), notes

"""Reads an interaction log, with test cases from a test file or from a held-out part of the log.

Of shoppers' sequences, the last events are held out, as papers on sequential models do.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from common.errors import UserError
from recommenders.evaluation import splits
from recommenders.evaluation.cases import Cases, Dataset, EvaluationSplit, shoppers_held_out
from recommenders.evaluation.loaders.attributes import Attributes
from recommenders.evaluation.loaders.tables import (
    ColumnNames,
    order_by,
    read_columns,
    with_same_id_type,
)
from recommenders.evaluation.order_check import check_order
from recommenders.evaluation.sets import Flags, Numbers, ProductSets
from recommenders.evaluation.splits import SHARE, confirmation_splits, held_out, validation_splits
from recommenders.interactions import Interactions, from_columns
from recommenders.vocabulary import Vocabulary

NOTHING_FADES = "Only random events are held out to choose by, and nothing fades with age or position."
NO_ORDER = f"none: the log has neither times nor positions. {NOTHING_FADES}"


def with_test(
    train: Path,
    test: Path,
    names: ColumnNames,
    attributes: Attributes | None = None,
    claims_order: bool = False,
) -> Dataset:
    """Read a log, and a test file with the events that followed it.

    `claims_order` tells whether the rows are said to be in time order.

    Raises:
        UserError: a file or column is missing or invalid, or no shopper of the test is in the log.
    """
    notes: list[str] = []
    columns = _read(train, names, ("user", "item"), notes)
    test_names = {key: name for key, name in names.items() if key in ("user", "item")}
    test_columns = read_columns(test, test_names, ("user", "item"), notes=notes)
    for each in ("user", "item"):
        columns[each], test_columns[each] = with_same_id_type(columns[each], test_columns[each])
    log, order = with_checked_order(columns, attributes, claims_order)
    cases, case_notes = _cases(log, test_columns)
    return _dataset(EvaluationSplit(f"the test file {test.name}", log, cases), order, [*notes, *case_notes])


def with_protocol(
    path: Path,
    names: ColumnNames,
    protocol: str,
    attributes: Attributes | None = None,
    claims_order: bool = False,
) -> Dataset:
    """Read a log and hold out a part of it by a protocol: `time`, `leave-last` or `random`.

    `claims_order` tells whether the rows are said to be in time order. `leave-last` claims it, too; it holds
    out the last rows even if the claim is not believed.

    Raises:
        UserError: the file is invalid, has no times for `time`, or nothing can be held out.
    """
    needed = ("user", "item", "time") if protocol == "time" else ("user", "item")
    notes: list[str] = []
    columns = _read(path, names, needed, notes)
    log, order = with_checked_order(columns, attributes, claims_order or protocol == "leave-last")
    if protocol != "leave-last" or log.ordered:
        dataset = split(log, order, protocol)
    else:
        unordered = split(log_of(columns, attributes, ordered=True), order, protocol)
        test = EvaluationSplit(unordered.split, unordered.log.without_order(), unordered.cases)
        dataset = _dataset(test, order, unordered.notes)
    return replace(dataset, notes=[*notes, *dataset.notes])


def split(log: Interactions, order: str, protocol: str) -> Dataset:
    """Hold out a part of a log by a protocol of `PROTOCOLS`. `order` describes the order of its events.

    Raises:
        UserError: the protocol is unknown, the log has no times for `time`, or nothing can be held out.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"there is no protocol {protocol!r} for this log: choose from {', '.join(PROTOCOLS)}")
    eval_split = held_out(log, _PROTOCOLS[protocol][0](log), _PROTOCOLS[protocol][1])
    left_out = len(np.unique(log.shoppers)) - len(np.unique(eval_split.log.shoppers))
    notes = [f"{left_out:,} shoppers have only held-out events: they are not evaluated"] if left_out else []
    return _dataset(eval_split, order, notes)


def _read(path: Path, names: ColumnNames, needed: Sequence[str], notes: list[str]) -> dict[str, pa.Array]:
    """Return the columns of a log by meaning, sorted by position if it has positions.

    Raises:
        UserError: the file or a column is missing or invalid.
    """
    columns = read_columns(path, names, needed, ("time", "position", "weight"), notes)
    if "position" not in columns:
        return columns
    by_position = pa.array(order_by(columns["position"]))
    return {name: column.take(by_position) for name, column in columns.items()}


def _dataset(test: EvaluationSplit, order: str, notes: Sequence[str]) -> Dataset:
    return Dataset(
        test.log,
        test.cases,
        test.name,
        lambda seed: validation_splits(test.log, seed),
        notes,
        confirmation_splits=None if test.log.ordered else lambda seed: confirmation_splits(test.log, seed),
        order=order,
    )


def with_checked_order(
    columns: dict[str, pa.Array], attributes: Attributes | None, claims_order: bool
) -> tuple[Interactions, str]:
    """Return a log with the order that its columns give, if the check confirms it, and a description.

    Times are believed in any case, because they are data. Positions and the order of the rows may also be the
    order in which someone sorted a file.

    Raises:
        UserError: an id, a time or a weight is missing or invalid.
    """
    log = log_of(columns, attributes, claims_order or "position" in columns)
    if log.times is None and not log.ordered:
        return log, NO_ORDER
    check = check_order(log)
    if log.times is not None:
        return log, f"by time: {check}"
    claim = "by position" if "position" in columns else "by row"
    if check.holds:
        return replace(log, chronological=check.is_chronological), f"{claim}: {check}"
    return log_of(columns, attributes), f"claimed {claim}, but not believed: {check}. {NOTHING_FADES}"


def log_of(
    columns: dict[str, pa.Array], attributes: Attributes | None = None, ordered: bool = False
) -> Interactions:
    """Build a log from columns by meaning, with the products' attributes.

    With `ordered`, the rows are in time order, also without times.

    Raises:
        UserError: an id, a time or a weight is missing or invalid.
    """
    items = columns["item"]
    if attributes:
        items, catalogue = with_same_id_type(items, pa.array(attributes.items))
        attributes = replace(attributes, items=tuple(catalogue.to_pylist()))
    log = from_columns(
        columns["user"],
        items,
        times=columns.get("time"),
        weights=_weights(columns["weight"]) if "weight" in columns else None,
        catalogue=attributes.items if attributes else (),
        ordered=ordered,
    )
    return attributes.of(log) if attributes else log


def _weights(column: pa.Array) -> NDArray[np.float32]:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise UserError(f"the weights are {column.type}: use numbers above 0")
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


def _by_time(log: Interactions) -> Flags:
    if log.times is None:
        raise UserError(
            "the log has no times, or all events have the same time: name the column with --columns "
            "time=<column>, or choose another --protocol"
        )
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
    unknown = {
        "shoppers not in the training data: not evaluated": len(products) - int(known.sum()),
        "products not in the training data: counted as missed": int(
            (products[known] >= log.product_count).sum()
        ),
    }
    notes = [f"{count:,} test events are of {of_what}" for of_what, count in unknown.items() if count]
    rows, places = np.unique(shoppers[known], return_inverse=True)
    return Cases(log.histories.take(rows), ProductSets.of(places, products[known], len(rows))), notes


HIDDEN_SHARE = 0.1
"""The share of products that `new-items` hides from training."""


def leave_last(path: Path, names: ColumnNames, attributes: Attributes | None = None) -> Dataset:
    """Read sequences with the columns user, position, item. The last event of each is the test.

    The last event but one is the validation. Models are fitted without both, but the histories of the test
    include the last event but one, as in SASRec (Kang and McAuley, Self-Attentive Sequential Recommendation,
    ICDM 2018).

    Raises:
        UserError: the file is invalid, or no shopper has three events.
    """
    notes: list[str] = []
    log = read_sequences(path, names, attributes, notes)
    test = shoppers_held_out(log, _last_of_long(log, log.histories.lengths), "the last event of each shopper")
    held = _last_of_long(test.log, log.histories.lengths)
    validation = shoppers_held_out(test.log, held, "the last event but one of each shopper")
    if unseen := int((validation.log.popularity[test.cases.truth.products] == 0).sum()):
        notes.append(f"{unseen:,} shoppers' last products are not in the training data")
    return Dataset(
        validation.log, test.cases, test.name, lambda _: [validation], notes, order=_by_position(log)
    )


def new_items(path: Path, names: ColumnNames, attributes: Attributes, seed: int = 0) -> Dataset:
    """Hide a random tenth of the products from training, and rank only these products in the test.

    The cases are the shoppers whose last event has a hidden product. The validation hides a tenth of the
    remaining products in the same way.

    Raises:
        UserError: the file is invalid, or no shopper's last event has a hidden product.
    """
    notes: list[str] = []
    log = read_sequences(path, names, attributes, notes)
    test = _hidden(log, seed)
    return Dataset(
        test.log,
        test.cases,
        test.name,
        lambda validation_seed: [_hidden(test.log, seed + validation_seed + 1)],
        notes,
        order=_by_position(log),
    )


def read_sequences(
    path: Path, names: ColumnNames, attributes: Attributes | None = None, notes: list[str] | None = None
) -> Interactions:
    """Read a file of sequences into a log, sorted by position. Rows without an id are added to `notes`.

    Raises:
        UserError: the file is invalid, or an event has no position.
    """
    columns = read_columns(path, names, ("user", "position", "item"), notes=notes)
    order = pa.array(order_by(columns["position"]))
    return log_of({name: columns[name].take(order) for name in ("user", "item")}, attributes, ordered=True)


def _by_position(log: Interactions) -> str:
    """Describe the order. It is used in any case, because what is held out depends on it, too."""
    return f"by position: {check_order(log)}"


def _last_of_long(log: Interactions, lengths: Numbers) -> Flags:
    """Return the last event of each shopper with at least three events: bool [events].

    `lengths` is the number of events of each shopper in the whole log.

    Raises:
        UserError: no shopper has three events.
    """
    held = splits.last_of_each(log.shoppers, np.arange(len(log))) & (lengths >= 3)[log.shoppers]
    if not held.any():
        raise UserError("no shopper has three events: use a longer log, because two of each are held out")
    return held


def _hidden(log: Interactions, seed: int) -> EvaluationSplit:
    with_events = np.flatnonzero(log.popularity)
    drawn = np.random.default_rng(seed).choice(
        with_events, max(1, round(len(with_events) * HIDDEN_SHARE)), replace=False
    )
    hidden = np.sort(drawn).astype(np.int32)
    held = np.isin(log.products, hidden)
    is_last = held & splits.last_of_each(log.shoppers, np.arange(len(log)))
    eval_split = shoppers_held_out(log, held, "a random tenth of the products, hidden from training", is_last)
    if not len(eval_split.cases):
        raise UserError("no shopper's last event has a hidden product: use a longer log")
    return replace(eval_split, cases=replace(eval_split.cases, rankable=hidden))

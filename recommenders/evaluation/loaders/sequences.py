"""Reads shoppers' sequences of events and holds out the last events, as papers on sequential models do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from common.errors import UserError
from recommenders.evaluation import splits
from recommenders.evaluation.cases import Dataset, EvaluationSplit, shoppers_held_out
from recommenders.evaluation.loaders.attributes import Attributes
from recommenders.evaluation.loaders.interactions import log_of
from recommenders.evaluation.loaders.tables import ColumnNames, order_by, read_columns
from recommenders.evaluation.order_check import check_order
from recommenders.evaluation.sets import Flags, Numbers
from recommenders.interactions import Interactions

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
    test = shoppers_held_out(log, _last(log, log.histories.lengths), "the last event of each shopper")
    held = _last(test.log, log.histories.lengths)
    validation = shoppers_held_out(test.log, held, "the last event but one of each shopper")
    if unseen := int((validation.log.popularity[test.cases.truth.products] == 0).sum()):
        notes.append(f"{unseen:,} shoppers' last products are not in the training data")
    return Dataset(validation.log, test.cases, test.name, lambda _: [validation], notes, order=_order(log))


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
        order=_order(log),
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


def _order(log: Interactions) -> str:
    """Describe the order. It is used in any case, because what is held out depends on it, too."""
    return f"by position: {check_order(log)}"


def _last(log: Interactions, lengths: Numbers) -> Flags:
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

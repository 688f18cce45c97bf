"""Reads the sequence of each shopper and leaves the last out, as papers on sequences do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from common.errors import UserError
from jobs.recommenders.evaluation import splits
from jobs.recommenders.evaluation.cases import EvaluationSplit, shoppers_held_out
from jobs.recommenders.evaluation.loaders.attributes import Attributes
from jobs.recommenders.evaluation.loaders.dataset import Dataset
from jobs.recommenders.evaluation.loaders.interactions import log_of
from jobs.recommenders.evaluation.loaders.tables import ColumnNames, read_columns
from jobs.recommenders.evaluation.sets import Flags, Numbers
from jobs.recommenders.interactions import Interactions

HIDDEN_SHARE = 0.1
"""The share of products that `new-items` hides from training."""


def leave_last(path: Path, names: ColumnNames, attributes: Attributes | None = None) -> Dataset:
    """Sequences (columns user, position, item): the last of each is the test, the one before the validation.

    What is judged at the end was fitted without both, but has the last but one in its histories, as SASRec
    and its followers do (Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018).

    Raises:
        UserError: the file is broken, or nobody has three events.
    """
    log = read_sequences(path, names, attributes)
    test = shoppers_held_out(log, _last(log, log.histories.lengths), "the last event of each shopper")
    held = _last(test.log, log.histories.lengths)
    validation = shoppers_held_out(test.log, held, "the last event but one of each shopper")
    unseen = int((validation.log.popularity[test.cases.truth.products] == 0).sum())
    notes = [f"{unseen:,} shoppers' last products are ones that training never saw"] if unseen else []
    return Dataset(validation.log, test.cases, test.name, lambda _: [validation], notes)


def new_items(path: Path, names: ColumnNames, attributes: Attributes, seed: int = 0) -> Dataset:
    """A random tenth of the products hidden from training, ranked among themselves for whoever took one last.

    The validation hides a tenth of the others in the same way.

    Raises:
        UserError: the file is broken, or nobody took a hidden product last.
    """
    log = read_sequences(path, names, attributes)
    test = _hidden(log, seed)
    return Dataset(test.log, test.cases, test.name, lambda again: [_hidden(test.log, seed + again + 1)])


def read_sequences(path: Path, names: ColumnNames, attributes: Attributes | None = None) -> Interactions:
    """The log of a file of sequences, by position.

    Raises:
        UserError: the file is broken, or an event has no position.
    """
    columns = read_columns(path, names, ("user", "position", "item"))
    order = order_by(columns["position"])
    return log_of({name: columns[name].take(pa.array(order)) for name in ("user", "item")}, attributes)


def order_by(positions: pa.Array) -> Numbers:
    """The rows by position; those with the same one keep their order.

    Raises:
        UserError: a position is missing or no number.
    """
    is_number = pa.types.is_integer(positions.type) or pa.types.is_floating(positions.type)
    if positions.null_count or not is_number or not np.isfinite(positions.to_numpy()).all():
        raise UserError("a position is missing or no number: number the events of each shopper or session")
    order: Numbers = np.argsort(positions.to_numpy(), kind="stable")
    return order


def _last(log: Interactions, lengths: Numbers) -> Flags:
    """The last event of each shopper who has three in the whole log.

    Raises:
        UserError: nobody has.
    """
    held = splits.last_of_each(log.shoppers, np.arange(len(log))) & (lengths >= 3)[log.shoppers]
    if not held.any():
        raise UserError("nobody has three events: the last two of each are held out")
    return held


def _hidden(log: Interactions, seed: int) -> EvaluationSplit:
    sold = np.flatnonzero(log.popularity)
    drawn = np.random.default_rng(seed).choice(sold, max(1, round(len(sold) * HIDDEN_SHARE)), replace=False)
    hidden = np.sort(drawn).astype(np.int32)
    held = np.isin(log.products, hidden)
    came_last = held & splits.last_of_each(log.shoppers, np.arange(len(log)))
    eval_split = shoppers_held_out(
        log, held, "a random tenth of the products, hidden from training", came_last
    )
    if not len(eval_split.cases):
        raise UserError("nobody took a hidden product last: the log is too small for this protocol")
    return replace(eval_split, cases=replace(eval_split.cases, rankable=hidden))

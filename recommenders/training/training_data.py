"""Reads what is learned from out of ClickHouse, as Arrow.

`read_training_data` reads events into an interaction log. `read_shown_items` reads what lists showed and what
of it was clicked and bought: the data of `blend_weights`. `read_random_lists` reads random lists that were
clicked: what `click_judgement` judges models by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickhouse.client import clickhouse_errors
from common.errors import UserError
from common.experiments.definition import DEFAULT_STRATEGY
from recommenders.evaluation.loaders.attributes import attributes_of
from recommenders.evaluation.loaders.interactions import log_of
from recommenders.histories import Codes
from recommenders.interactions import Interactions
from recommenders.training.blend_weights import ShownItems
from recommenders.training.training_log import sql
from schemas.published_model.weights import BLENDED


def query(client: Client, name: str, parameters: Mapping[str, int | float | str | datetime]) -> pa.Table:
    """Return the result of `<name>.sql`, whose texts are strings.

    Raises:
        PartUnavailable: ClickHouse rejects the query or is unavailable.
    """
    settings = {"output_format_arrow_string_as_string": 1}
    with clickhouse_errors():
        table = client.query_arrow(sql(name), parameters=dict(parameters), settings=settings)
    return pa.table({name: _decoded(table[name]) for name in table.column_names})


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


MAX_EVENTS = 10_000_000
"""The number of newest events to learn from."""

DAILY = 100
"""The number of products that a visitor may view, put into a cart or buy in a day; the rest is not learned.

Robots exceed it, people hardly ever do.
"""

WEIGHTS = {"viewed": 1.0, "carted": 2.0, "bought": 3.0}
"""The weight of each kind of event, the same as in job `recommendations`."""


@dataclass(frozen=True)
class TrainingData:
    """The log with product attributes. `sellers` is int32 [products], -1 if unknown."""

    log: Interactions
    sellers: Codes | None


def read_training_data(client: Client, limit: int = MAX_EVENTS) -> TrainingData:
    """Read the newest `limit` events of all shoppers and anonymous visitors, and the products.

    Raises:
        PartUnavailable: ClickHouse does not answer.
        UserError: ClickHouse holds no event.
    """
    rows = query(client, "interactions", {"limit": limit, "daily": DAILY, **WEIGHTS})
    if not rows.num_rows:
        raise UserError("ClickHouse holds no event yet: start `./souk demo` or `./souk replay` first")
    products = query(client, "products", {})
    columns = {name: rows.column(name).combine_chunks() for name in rows.column_names}
    has_events = pa.compute.is_in(products["item"], columns["item"])
    attributes = attributes_of(products, "item") if pa.compute.any(has_events).as_py() else None
    log = log_of(columns, attributes)
    return TrainingData(log, attributes.sellers_of(log) if attributes else None)


MAX_RANDOM_LISTS = 5_000
"""The number of newest lists that are read. It bounds the time, and tells models apart that differ by 1 %."""

MAX_OF_VISITOR = 20
"""The number of newest lists of a visitor that are read: the clicks of a robot must not decide."""


@dataclass(frozen=True)
class RandomList:
    """A random list that came into view and was clicked.

    `history` has the products that it was computed from, the heaviest first: mostly the newest, without what
    was bought. `products` are those that came into view and that no trained model chose, and `clicked` are
    some of them.
    """

    visitor: str
    history: Sequence[str]
    products: Sequence[str]
    clicked: frozenset[str]


def read_random_lists(
    client: Client,
    start: datetime,
    end: datetime,
    lists: int = MAX_RANDOM_LISTS,
    most_of_visitor: int = MAX_OF_VISITOR,
) -> list[RandomList]:
    """Return the newest random lists of a period that were clicked, the newest first.

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    limits = {"lists": lists, "most_of_visitor": most_of_visitor}
    rows = query(client, "random_lists", {"period_start": start, "period_end": end, **limits})
    return [
        RandomList(row["visitor"], row["history"], row["products"], frozenset(row["clicked"]))
        for row in rows.to_pylist()
    ]


DAYS = 28
"""The newest days that are read."""

MAX_LISTS = 50_000
"""The number of newest lists to learn from: about 600,000 items, for five numbers of each surface."""


def read_shown_items(client: Client, end: datetime, days: float = DAYS, lists: int = MAX_LISTS) -> ShownItems:
    """Return the items of the newest `lists` lists seen in the `days` days before `end`, oldest first.

    Only lists of the default strategy and random lists have the scores of all sources. Lists without a model
    are left out: they are ordered by co-visits alone, of which there are few then. Items that no blended
    source proposed, sponsored items and what robots saw are left out. Random lists are like others, but their
    positions do not follow from the scores, so they tell the two apart best. The popularity of a product is
    the interest in it before the day of the list, because the clicks on it are views, too.

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    period = {"period_start": end - timedelta(days=days), "period_end": end}
    return shown_items_of(
        query(client, "shown_items", {**period, "strategy": DEFAULT_STRATEGY, "lists": lists})
    )


def shown_items_of(rows: pa.Table) -> ShownItems:
    """Return the items of rows with a score of each source, and the other columns of `shown_items.sql`."""
    scores = [rows[source].to_numpy() for source in BLENDED]
    return ShownItems(
        rows["list"].to_numpy().astype(np.int64),
        rows["visitor"].to_numpy().astype(np.int64),
        np.array(rows["surface"].to_pylist(), np.str_),
        rows["position"].to_numpy().astype(np.int64),
        np.column_stack(scores).astype(np.float64),
        rows["popularity"].to_numpy().astype(np.float64),
        rows["clicked"].to_numpy().astype(np.bool_),
        rows["bought"].to_numpy().astype(np.bool_),
    )

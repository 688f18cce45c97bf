"""Reads the platform's events from ClickHouse, as Arrow, into an interaction log."""

from dataclasses import dataclass

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from common.errors import UserError
from recommenders.evaluation.loaders.attributes import attributes_of
from recommenders.evaluation.loaders.interactions import log_of
from recommenders.interactions import Interactions
from recommenders.training.arrow_queries import query
from recommenders.vocabulary import Codes

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

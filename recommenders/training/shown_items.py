"""Reads what lists showed and what of it was clicked and bought: the data of `blend_weights`."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from common.experiments.definition import DEFAULT_STRATEGY
from recommenders.training.arrow_queries import query
from recommenders.training.click_pairs import ShownItems
from schemas.published_model.weights import BLENDED

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

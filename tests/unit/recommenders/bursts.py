"""Rows of shoppers who turn from one topic to the next: the order of their events says what comes next."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

SHOPPERS, TOPICS, PRODUCTS_OF_TOPIC, VISITED = 400, 20, 10, 4


def rows_of_bursts(seed: int = 1) -> dict[str, Any]:
    """Return the columns user and item: each shopper takes four products of a topic, then of another one."""
    rng = np.random.default_rng(seed)
    topics = rng.random((SHOPPERS, TOPICS)).argsort(axis=1)[:, :VISITED]
    taken = rng.random((SHOPPERS, VISITED, PRODUCTS_OF_TOPIC)).argsort(axis=2)[:, :, :4]
    items = topics[:, :, None] * PRODUCTS_OF_TOPIC + taken
    return {"user": np.repeat(np.arange(SHOPPERS), VISITED * 4), "item": items.ravel()}


def shuffled(columns: dict[str, Any], seed: int = 2) -> dict[str, Any]:
    """Return the same rows in a random order."""
    order = np.random.default_rng(seed).permutation(len(columns["user"]))
    return {name: values[order] for name, values in columns.items()}


def written(columns: dict[str, Any], path: Any) -> Any:
    """Write the columns as Parquet and return the path."""
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path

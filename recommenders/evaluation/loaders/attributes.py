"""Reads the attributes of products: words of texts, integer attributes, categories and sellers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array, vstack

from common.errors import UserError
from recommenders.evaluation.loaders.tables import ColumnNames, read_table
from recommenders.histories import Codes, Ints
from recommenders.interactions import Interactions
from recommenders.vocabulary import Id, Vocabulary


@dataclass(frozen=True)
class Attributes:
    """The attributes of `items`, counted: `counts` is CSR float32 [items, attributes].

    `categories` and `sellers` are int32 [items], -1 if an item has none.
    """

    items: tuple[Id, ...]
    counts: csr_array
    categories: Codes | None
    sellers: Codes | None

    def of(self, log: Interactions) -> Interactions:
        """Return the log with these attributes. Its catalogue must begin with `items`.

        Raises:
            UserError: no product with an event has attributes.
        """
        if not log.popularity[: len(self.items)].any():
            raise UserError(
                "no product of the log is in the attributes file: check that both files use the same ids"
            )
        others = csr_array((log.product_count - len(self.items), self.counts.shape[1]), dtype=np.float32)
        counts = vstack([self.counts, others], format="csr")
        return replace(log, attributes=counts, categories=_padded(self.categories, log.product_count))

    def sellers_of(self, log: Interactions) -> Codes | None:
        """Return the seller of each product: int32 [products]. The catalogue must begin with `items`."""
        return _padded(self.sellers, log.product_count)


def read_attributes(path: Path, names: ColumnNames) -> Attributes:
    """Read a file with a column `item` and other columns. An item may have several rows.

    Each word of a text is an attribute, and so is each integer. Columns of other types are ignored. The
    columns `category` and `seller` also give the category and the seller of the item.

    Raises:
        UserError: the file can't be read, or has no column of text or integers.
    """
    name = names.get("item", "item")
    table = read_table(path, name)
    if name not in table.column_names or table.num_columns < 2:
        raise UserError(
            f"{path} needs a column {name!r} and at least one attribute column: "
            f"it has {', '.join(table.column_names)}"
        )
    return attributes_of(table, name)


def attributes_of(table: pa.Table, name: str) -> Attributes:
    """Convert a table in the format of `read_attributes`, whose column `name` holds the items.

    Raises:
        UserError: an item is missing, or the table has no column of text or integers.
    """
    vocabulary, codes = Vocabulary.of(table.column(name), "item")
    columns = [
        (codes[rows].astype(np.int64), tokens)
        for column in table.column_names
        if column != name
        for rows, tokens in _tokens(column, table.column(column).combine_chunks())
    ]
    if not columns:
        raise UserError("the attributes file has no column of text or integers: add one")
    counts = _counts(
        np.concatenate([rows for rows, _ in columns]), [tokens for _, tokens in columns], len(vocabulary)
    )
    groups = (
        _groups(table.column(name), codes, len(vocabulary)) if name in table.column_names else None
        for name in ("category", "seller")
    )
    return Attributes(vocabulary.ids, counts, *groups)


def _tokens(name: str, column: pa.Array) -> Iterator[tuple[Ints, pa.Array]]:
    """Yield (rows, attributes as text) if the column holds integers or text."""
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    column = column.drop_null()
    if pa.types.is_integer(column.type):
        yield rows, _with_column_name(name, column.cast(pa.string()))
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        words = pc.split_pattern_regex(pc.utf8_lower(column), r"\W+")
        flat, parents = pc.list_flatten(words), pc.list_parent_indices(words)
        is_word = pc.not_equal(flat, "")
        yield rows[parents.filter(is_word).to_numpy()], _with_column_name(name, flat.filter(is_word))


def _with_column_name(name: str, tokens: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(name, tokens.cast(pa.string()), "=")


def _counts(rows: Ints, tokens: list[pa.Array], items: int) -> csr_array:
    vocabulary, codes = Vocabulary.of(pa.concat_arrays(tokens), "attribute")
    counts = csr_array((np.ones(len(rows), np.float32), (rows, codes)), shape=(items, len(vocabulary)))
    counts.sum_duplicates()
    return counts


def _groups(column: pa.ChunkedArray, codes: Codes, items: int) -> Codes:
    """Return the group of each item. If it has several, the last one counts."""
    valid = column.is_valid().to_numpy().astype(bool)
    groups = np.full(items, -1, np.int32)
    groups[codes[valid]] = Vocabulary.of(column.drop_null(), "group")[1]
    return groups


def _padded(groups: Codes | None, products: int) -> Codes | None:
    return None if groups is None else np.pad(groups, (0, products - len(groups)), constant_values=-1)

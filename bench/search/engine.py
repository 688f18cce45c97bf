"""The shop's search on the documents of a simulated world, and the bare query of its engine."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tantivy

from bench.search.corpus import Document
from producers.simulator.randomness import Index
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.products import Products
from producers.simulator.world.sellers import Sellers
from schemas.product_categories import default_tree
from serving.products.search.documents import MAX_LEVEL, Listing, Standing, document_of, fields_of
from serving.products.search.index import IndexWriter, all_of, any_of
from serving.products.search.query import Search, find
from serving.products.search.text import analysed

_COMMIT_EVERY = 50_000


class EngineSearch:
    """An index in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = IndexWriter(path)
        self._numbers: dict[str, int] = {}
        self._written = 0

    def add(self, found: Iterable[Document], products: Products, sellers: Sellers, name: str = "") -> None:
        """Add documents of a world; `name` tells its products from those of other worlds."""
        levels = _levels(products)
        for document in found:
            key = document_of(name + products.ids[document.rows[0]], None)
            self._numbers[key] = document.number
            listings = [_listing(row, products, sellers, name) for row in document.rows]
            standing = Standing(level=int(levels[document.rows[0]]))
            self._writer.put(key, fields_of(key, listings, standing, default_tree()))
            self._written += 1
            if self._written % _COMMIT_EVERY == 0:
                self._writer.commit()

    def open(self) -> tantivy.Searcher:
        """Commit what was added, and return the state of the index."""
        self._writer.commit()
        index = tantivy.Index.open(str(self._path))
        index.reload()
        return index.searcher()

    def ranking(self, searcher: tantivy.Searcher, query: str, limit: int) -> list[int]:
        """Return the numbers of the documents that the shop's search lists first."""
        return [self._numbers[hit.document] for hit in find(searcher, Search(text=query), limit).hits]


def with_facets(searcher: tantivy.Searcher, query: str, limit: int) -> None:
    """Search as a page of the shop does: hits and all six facets."""
    find(searcher, Search(text=query), limit, with_facets=True)


def bare(searcher: tantivy.Searcher, query: str, limit: int) -> None:
    """Run one query of the engine: documents that have every word, sorted by what sells."""
    words = [any_of("about", word.forms) for word in analysed(query)]
    searcher.search(all_of(*words), limit, count=False, order_by_field="by_sales")


def _listing(row: int, products: Products, sellers: Sellers, name: str) -> Listing:
    contents, seller = products.contents, int(products.seller[row])
    return Listing(
        product_id=name + products.ids[row],
        seller_id=sellers.ids[seller],
        seller_name=sellers.names[seller],
        name=contents.names[row],
        category=LEAVES[int(products.category[row])].category_id,
        description=contents.descriptions[row],
        attributes=contents.attributes[row],
        price_minor=int(products.price_minor[row]),
        listed_at_ms=0,
        in_stock=True,
    )


def _levels(products: Products) -> Index:
    """Return how well each product sells, from its rank: 0 for the least popular one, up to MAX_LEVEL."""
    ranks = np.argsort(np.argsort(products.popularity))
    levels: Index = ranks * MAX_LEVEL // max(len(ranks) - 1, 1)
    return levels

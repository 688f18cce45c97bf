"""What all searches are given: the documents of a simulated world, with the same words for each of them.

A document is a product with its variants, because a search lists a product once. It wants a document as much
as it wants the best of its variants.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from producers.simulator.world.categories import LEAVES
from producers.simulator.world.products import Products
from producers.simulator.world.sellers import Sellers
from schemas.product_categories import CategoryTree, default_tree


@dataclass(frozen=True)
class Document:
    """A product and its variants. `rows` are indices of the world's products, the most popular first.

    `about` has the names of its categories and of its attributes' values in both languages, its brand and its
    seller.
    """

    number: int
    rows: Sequence[int]
    names: Sequence[str]
    about: Sequence[str]
    descriptions: Sequence[str]
    popularity: float


def documents(products: Products, sellers: Sellers) -> list[Document]:
    """Return the documents of a world, numbered from 0."""
    tree, members = default_tree(), dict[str, list[int]]()
    for row, (product_id, group_id) in enumerate(zip(products.ids, products.contents.group_ids, strict=True)):
        members.setdefault(group_id or product_id, []).append(row)
    return [_document(number, rows, products, sellers, tree) for number, rows in enumerate(members.values())]


def wanted_documents(found: Sequence[Document], gains: Mapping[int, float]) -> dict[int, float]:
    """Return document → gain, from those of products."""
    best: dict[int, float] = {}
    for document in found:
        if any(row in gains for row in document.rows):
            best[document.number] = max(gains.get(row, 0.0) for row in document.rows)
    return best


def _document(
    number: int, members: Sequence[int], products: Products, sellers: Sellers, tree: CategoryTree
) -> Document:
    contents = products.contents
    rows = sorted(members, key=lambda row: -products.popularity[row])
    pairs = dict.fromkeys(pair for row in rows for pair in contents.attributes[row].items())
    category = tree.categories[LEAVES[int(products.category[rows[0]])].category_id]
    department = tree.categories[tree.department_of(category.category_id)]
    return Document(
        number,
        rows,
        _distinct(contents.names[row] for row in rows),
        _distinct(
            [
                *category.names.values(),
                *department.names.values(),
                *(name for key, value in pairs for name in tree.attributes[key].value_names(value).values()),
                sellers.names[int(products.seller[rows[0]])],
            ]
        ),
        _distinct(contents.descriptions[row] or "" for row in rows),
        float(sum(products.popularity[row] for row in rows)),
    )


def _distinct(texts: Iterator[str] | Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))

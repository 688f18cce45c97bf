"""Small catalogues in an index in memory, for tests of the search."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import tantivy

from schemas.product_categories import CategoryTree, ProductAttribute, ProductCategory
from serving.products.search.documents import SCHEMA, Listing, Standing, document_of, fields_of, to_document

TREE = CategoryTree(
    categories={
        "Home": ProductCategory("Home", None, {"en": "Home", "pt_BR": "Casa"}),
        "Lamps": ProductCategory(
            "Lamps", "Home", {"en": "Lamps", "pt_BR": "Luminárias"}, ("colour", "brand")
        ),
        "Shades": ProductCategory("Shades", "Home", {"en": "Lamp shades", "pt_BR": "Cúpulas"}),
        "Clothes": ProductCategory("Clothes", None, {"en": "Clothes", "pt_BR": "Roupas"}, ("colour", "size")),
    },
    attributes={
        "colour": ProductAttribute(
            "colour",
            {"en": "Colour", "pt_BR": "Cor"},
            is_variant=True,
            values={
                "red": {"en": "Red", "pt_BR": "Vermelho"},
                "blue": {"en": "Blue", "pt_BR": "Azul"},
            },
        ),
        "size": ProductAttribute("size", {"en": "Size", "pt_BR": "Tamanho"}, is_variant=True),
        "fabric": ProductAttribute("fabric", {"en": "Fabric", "pt_BR": "Tecido"}, is_variant=True),
        "brand": ProductAttribute("brand", {"en": "Brand", "pt_BR": "Marca"}),
    },
)

_numbers = count(1)


def listing(name: str | None, category: str | None = "Lamps", **changes: Any) -> Listing:
    """Return an offer; each has a product of its own, a second later than the one before."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "product_id": f"product-{number:06}",
        "seller_id": "seller-1",
        "seller_name": "Casa Bonita",
        "name": name,
        "category": category,
        "description": None,
        "attributes": {},
        "price_minor": 1_000,
        "listed_at_ms": 1_600_000_000_000 + 1_000 * number,
        "in_stock": True,
    }
    return Listing(**{**values, **changes})


def searcher_of(
    listings: Iterable[Listing],
    groups: Mapping[str, str] | None = None,
    standings: Mapping[str, Standing] | None = None,
    gone: Iterable[Listing] = (),
) -> tantivy.Searcher:
    """Return an index of offers. `groups` is product → group, `standings` document → what shoppers think.

    The products of `gone` are removed after they were written.
    """
    documents: dict[str, list[Listing]] = {}
    for each in listings:
        documents.setdefault(document_of(each.product_id, (groups or {}).get(each.product_id)), []).append(
            each
        )
    index = tantivy.Index(SCHEMA)
    writer = index.writer(15_000_000, num_threads=1)
    for document, offers in documents.items():
        standing = (standings or {}).get(document, Standing())
        writer.add_document(to_document(fields_of(document, offers, standing, TREE)))
    writer.commit()
    for each in gone:
        writer.delete_documents_by_term("document", document_of(each.product_id, None))
    writer.commit()
    index.reload()
    return index.searcher()

"""A changed category tree: the documents that it changes are written anew."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.product_categories import CategoryTree, ProductAttribute, ProductCategory, default_tree
from serving.products.search.rows import Rows

IDS = ("Home", "Lamps", "Shades", "Chairs")
NAMES = st.fixed_dictionaries({"en": st.sampled_from(["A", "B"])}, optional={"pt_BR": st.just("Ç")})
CATEGORIES = st.dictionaries(
    st.sampled_from(IDS), st.tuples(st.sampled_from([None, *IDS]), NAMES, st.sampled_from([(), ("colour",)]))
)
VALUES = st.dictionaries(st.sampled_from(["red", "blue"]), NAMES)


def tree_of(
    categories: Mapping[str, tuple[str | None, Mapping[str, str], tuple[str, ...]]],
    values: Mapping[str, Mapping[str, str]],
) -> CategoryTree:
    return CategoryTree(
        {key: ProductCategory(key, parent, names, own) for key, (parent, names, own) in categories.items()},
        {"colour": ProductAttribute("colour", {"en": "Colour"}, True, values)},
    )


TREES = st.builds(tree_of, CATEGORIES, VALUES)


def listed(number: int, category: str | None, attributes: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    return "product_listed", {
        "product_id": f"p{number}",
        "seller_id": "ana",
        "at": 1,
        "event_id": f"e{number}",
        "name": "Thing",
        "category": category,
        "description": None,
        "attributes": attributes,
        "group_id": None,
        "currency": "BRL",
        "price_minor": 100,
        "pictures": [],
    }


PRODUCTS = st.lists(
    st.tuples(
        st.sampled_from([*IDS, None]),
        st.dictionaries(st.just("colour"), st.sampled_from(["red", "blue", "other"])),
    ),
    max_size=6,
)


@given(products=PRODUCTS, trees=st.lists(TREES, min_size=2, max_size=3))
def test_all_documents_are_marked_that_a_changed_tree_changes(
    products: Sequence[tuple[str | None, Mapping[str, str]]], trees: Sequence[CategoryTree]
) -> None:
    rows = Rows(Path(":memory:"), "BRL")
    rows.set_tree(trees[0])
    rows.apply([listed(number, *product) for number, product in enumerate(products)], {})
    for tree in trees[1:]:
        written = {document: fields["version"] for document, fields in rows.documents()}
        rows.strike_off(rows.pending(-1))
        before = rows.tree

        assert rows.set_tree(tree) is (tree != before)

        changed = {
            document for document, fields in rows.documents() if fields["version"] != written[document]
        }
        assert changed <= {*rows.pending(-1)}


def test_a_category_with_other_attributes_or_an_attribute_of_another_name_changes_no_document() -> None:
    rows = Rows(Path(":memory:"), "BRL")
    lamps = {"Lamps": (None, {"en": "Lamps"}, ())}
    rows.set_tree(tree_of(lamps, {}))
    rows.apply([listed(1, "Lamps", {"colour": "red"})], {})
    rows.strike_off(rows.pending(-1))

    assert rows.set_tree(tree_of({"Lamps": (None, {"en": "Lamps"}, ("colour",))}, {}))

    assert rows.pending(-1) == []


def test_the_tree_is_that_of_the_file_until_there_is_another_and_is_kept(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "rows.sqlite", "BRL")
    assert rows.tree == default_tree()
    tree = CategoryTree.of(
        orjson.loads(orjson.dumps(tree_of({"Lamps": (None, {"en": "L"}, ())}, {}).answer()))
    )
    rows.set_tree(tree)
    rows.close()
    again = Rows(tmp_path / "rows.sqlite", "BRL")
    assert again.tree == tree
    again.close()

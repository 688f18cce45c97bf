"""The category tree with which a shop begins: names in each language, and the attributes of products.

The file `product_categories.toml` has it. The products service copies it into its tables at its first start;
from then on administrators change it there. The simulator's world lists its products in it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import orjson

FILE = Path(__file__).with_name("product_categories.toml")

TREE_PATH = "/v1/category_tree"
"""Where the products service answers with the present tree."""

Names = Mapping[str, str]
"""Language (`en`, `pt_BR`) → name."""


@dataclass(frozen=True, slots=True)
class ProductAttribute:
    """What products are told apart by: its key in events (`colour`), its names, and its usual values.

    A value's key is in events; its names are shown and searched. Sellers may write other values. The variants
    of one product differ in attributes with `is_variant`.
    """

    key: str
    names: Names
    is_variant: bool = False
    values: Mapping[str, Names] = field(default_factory=dict)

    def value_names(self, value: str) -> Names:
        """Return the names of a value. One that is not among the usual values is its own name."""
        return self.values.get(value) or dict.fromkeys(self.names, value)


@dataclass(frozen=True, slots=True)
class ProductCategory:
    """A category. `category_id` is in events; `parent_id` is None for a department."""

    category_id: str
    parent_id: str | None
    names: Names
    attributes: tuple[str, ...] = ()
    """Keys of the attributes that its products have, in the order of the form."""


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """Categories by id, each after its parent, and attributes by key."""

    categories: Mapping[str, ProductCategory]
    attributes: Mapping[str, ProductAttribute]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Return the tree that `TREE_PATH` has answered.

        Raises:
            KeyError, TypeError: it is no such answer.
        """
        categories = (
            ProductCategory(**{**each, "attributes": tuple(each["attributes"])})
            for each in answer["categories"]
        )
        attributes = (ProductAttribute(**each) for each in answer["attributes"])
        return cls({it.category_id: it for it in categories}, {it.key: it for it in attributes})

    def answer(self) -> dict[str, list[Any]]:
        """Return what `of` reads."""
        return {"categories": [*self.categories.values()], "attributes": [*self.attributes.values()]}

    def digest(self) -> str:
        """Return a text that no other tree has."""
        content = orjson.dumps(self.answer(), option=orjson.OPT_SORT_KEYS)
        return blake2b(content, digest_size=8).hexdigest()

    def department_of(self, category_id: str) -> str:
        """Return the id of the department above a category, or its own id if it is one.

        Raises:
            KeyError: the tree has no such category.
        """
        *_, department = with_ancestors(self.categories[category_id].category_id, self.categories)
        return department


def with_ancestors(category_id: str, categories: Mapping[str, ProductCategory]) -> Iterator[str]:
    """Yield a category's id, then those of the categories above it; only its own if it is not known."""
    seen: set[str] = set()
    at: str | None = category_id
    while at is not None and at not in seen:
        seen.add(at)
        yield at
        known = categories.get(at)
        at = known.parent_id if known else None


@cache
def default_tree() -> CategoryTree:
    """Return the tree of the file."""
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    attributes = {
        key: ProductAttribute(key, each["names"], each.get("is_variant", False), each.get("values", {}))
        for key, each in content["attributes"].items()
    }
    categories = {
        key: ProductCategory(key, each.get("parent"), each["names"], tuple(each.get("attributes", ())))
        for key, each in content["categories"].items()
    }
    return CategoryTree(categories, attributes)

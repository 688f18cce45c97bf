"""What is sold in each category: nouns with names in two languages, typical prices, brands, attributes.

`nouns.toml` has the nouns. The names of categories and attributes, and the tree, are those of
`schemas/product_categories.toml`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.product_categories import default_tree

LANGUAGES = ("en", "pt_BR")

Values = Mapping[str, tuple[str, ...]]
"""Attribute → the keys of the values that products have, the most frequent first."""


@dataclass(frozen=True)
class Noun:
    """What a product is. `names` is language → its names, the usual one first.

    Nouns of one category and `kind` replace each other, such as a desk lamp and a floor lamp.
    """

    names: Values
    kind: str
    attributes: Values


@dataclass(frozen=True)
class Leaf:
    """A category without children: the nouns, typical price (in major units) and brands of its products."""

    category_id: str
    nouns: tuple[Noun, ...]
    typical_price: float
    brands: tuple[str, ...]

    @property
    def department(self) -> str:
        """The id of its department."""
        return default_tree().department_of(self.category_id)


def _leaves() -> tuple[Leaf, ...]:
    content = tomllib.loads(Path(__file__).with_name("nouns.toml").read_text(encoding="utf-8"))
    tree = default_tree()
    return tuple(
        Leaf(
            category_id,
            tuple(_noun(each, found.get("attributes", {})) for each in found["nouns"]),
            found["typical_price"],
            tuple(content["brands"][tree.department_of(category_id)]),
        )
        for category_id, found in content["categories"].items()
    )


def _noun(content: dict[str, Any], of_category: dict[str, list[str]]) -> Noun:
    names = {language: tuple(content[language]) for language in LANGUAGES}
    attributes = {**of_category, **content.get("attributes", {})}
    return Noun(
        names,
        content.get("kind", names["en"][0]),
        {key: tuple(values) for key, values in attributes.items() if values},
    )


LEAVES: tuple[Leaf, ...] = _leaves()
"""All categories with products. A product's `category` is the id of its leaf."""

DEPARTMENTS: tuple[str, ...] = tuple(dict.fromkeys(leaf.department for leaf in LEAVES))
DEPARTMENT_OF: tuple[int, ...] = tuple(DEPARTMENTS.index(leaf.department) for leaf in LEAVES)
"""The index in DEPARTMENTS of each of LEAVES."""

NOUNS: tuple[Noun, ...] = tuple(noun for leaf in LEAVES for noun in leaf.nouns)
"""All nouns, those of the first leaf first."""

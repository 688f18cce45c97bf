"""Names of categories, attributes and their values in the language of the reader, from the category tree."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import structlog
from fastapi import Request

from common.errors import PartUnavailable
from common.problems import Problem
from producers.kit.tables.characters import without_accents
from producers.services.products.model import attributes_of, variant_keys_of
from schemas.product_categories import (
    TREE_PATH,
    CategoryTree,
    Names,
    ProductAttribute,
    ProductCategory,
    default_tree,
    with_ancestors,
)
from serving.commerce.commerce_client import GATEWAY_ITSELF
from serving.web.formatter import words
from serving.web.language import SOURCE, current_language
from serving.web.service_calls import ask

FRESH_S = 5.0
"""How long a tree counts as the present one in the shop."""

FIRST_READ_S = 0.5
"""How long the first page of the shop waits for the tree."""

log = structlog.get_logger()

_INDENT = "\u2003"
"""A blank as wide as a letter: browsers remove usual blanks from the beginning of an option."""


@dataclass(frozen=True, slots=True)
class CategoryNames:
    """The category tree with names for people. What the tree lacks is shown as it is in the events."""

    categories: Mapping[str, ProductCategory] = field(default_factory=dict)
    """Categories by id, each after its parent."""

    attributes: Mapping[str, ProductAttribute] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: CategoryTree) -> Self:
        """Return the names of a tree."""
        return cls(tree.categories, tree.attributes)

    def category(self, category_id: str | None) -> str:
        """Return the name of a category; empty for None."""
        known = self.categories.get(category_id or "")
        return _name(known.names if known else {}) or words(category_id)

    def attribute(self, key: str) -> str:
        """Return the name of an attribute."""
        known = self.attributes.get(key)
        return _name(known.names if known else {}) or words(key)

    def value(self, key: str, value: str) -> str:
        """Return the name of a value of an attribute."""
        known = self.attributes.get(key)
        return _name(known.values.get(value, {}) if known else {}) or value

    def value_of(self, key: str, text: str) -> str:
        """Return the value that a person means by a text: its key, its name in any language, or the text."""
        known = self.attributes.get(key)
        typed = without_accents(text)
        for value, names in known.values.items() if known else ():
            if typed in {without_accents(each) for each in (value, *names.values())}:
                return value
        return text

    def values(self, key: str) -> list[str]:
        """Return the names of the usual values of an attribute."""
        known = self.attributes.get(key)
        return [self.value(key, value) for value in known.values] if known else []

    def path(self, category_id: str | None) -> list[str]:
        """Return the ids from a department down to a category; only the id itself if the tree lacks it."""
        return [] if category_id is None else [*with_ancestors(category_id, self.categories)][::-1]

    def below(self, category_id: str | None) -> list[str]:
        """Return the ids of the categories right below one, by name; None: the departments."""
        found = [each.category_id for each in self.categories.values() if each.parent_id == category_id]
        return sorted(found, key=lambda each: without_accents(self.category(each)))

    def attributes_of(self, category_id: str | None) -> list[str]:
        """Return the keys of the attributes that products of a category have."""
        known = self.categories.get(category_id or "")
        return attributes_of(known, self.categories) if known else []

    def variant_keys(self, category_id: str | None) -> list[str]:
        """Return the keys of those attributes by which the variants of a product differ."""
        return variant_keys_of(self.attributes_of(category_id), self.attributes)

    def options(self) -> list[tuple[str, str]]:
        """Return (id, name) of each category for a choice, by name, each below its parent."""
        return list(self._options(None, 0))

    def _options(self, parent_id: str | None, depth: int) -> Sequence[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for each in self.below(parent_id):
            found += [(each, _INDENT * depth + self.category(each)), *self._options(each, depth + 1)]
        return found


async def category_names(request: Request) -> CategoryNames:
    """Return the names of the present category tree.

    Raises:
        CommerceUnavailable: the products service does not answer.
    """
    return CategoryNames.of(CategoryTree.of(await ask(request, "GET", TREE_PATH)))


class KnownCategories:
    """The newest tree that this process knows, for pages that must not wait for a service.

    It is read in the background. Until then, and without the service, it is the one with which a shop begins.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.names = CategoryNames.of(default_tree())
        self.version = ""
        """The digest of the tree, so that stored pages with other names are not used."""
        self._now = now
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self, request: Request) -> None:
        """Have the tree read if the known one is old. Only the first request waits for it, for a moment."""
        is_first = self._read_at is None
        if self._read_at is not None and self._now() - self._read_at < FRESH_S:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(request))
        if is_first:
            await asyncio.wait({self._reading}, timeout=FIRST_READ_S)

    async def _read(self, request: Request) -> None:
        try:
            tree = CategoryTree.of(await ask(request, "GET", TREE_PATH, sender=GATEWAY_ITSELF))
        except (Problem, PartUnavailable) as error:
            log.warning("the category tree is not known", reason=str(error))
        else:
            version = tree.digest()
            if version != self.version:
                self.names, self.version = CategoryNames.of(tree), version
        self._read_at = self._now()


def _name(names: Names) -> str:
    """Return the name in the language of the request, else of the sources, else of any; else empty."""
    return names.get(current_language()) or names.get(SOURCE) or next(iter(names.values()), "")

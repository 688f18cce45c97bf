"""The category tree of the shop, which administrators change, and what a change of it means for documents."""

from collections.abc import Mapping
from typing import Self

import httpx
import structlog

from common.settings import Settings
from schemas.product_categories import TREE_PATH, CategoryTree, Names, with_ancestors

TIMEOUT_S = 2.0

log = structlog.get_logger()


class ShopTree:
    """Reads the present tree from the API, as everybody may. Use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.Client(base_url=settings.serving, timeout=TIMEOUT_S, trust_env=False)
        self._failure = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def read(self) -> CategoryTree | None:
        """Return the tree; None while the API does not answer, or the first tree is not copied yet."""
        try:
            tree = CategoryTree.of(self._http.get(TREE_PATH).raise_for_status().json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            if str(error) != self._failure:
                log.warning("the category tree is not known", reason=str(error))
            self._failure = str(error)
            return None
        self._failure = ""
        return tree if tree.categories else None


def changed_categories(before: CategoryTree, after: CategoryTree) -> set[str]:
    """Return the ids of categories that have another name or another place, or are below one that has."""
    every = before.categories.keys() | after.categories.keys()
    return {each for each in every if _named_path(each, before) != _named_path(each, after)}


def _named_path(category_id: str, tree: CategoryTree) -> list[tuple[str, Names]]:
    """Return a category and those above it, with their names; none if the tree has no such category."""
    known = tree.categories
    return [(each, known[each].names if each in known else {}) for each in with_ancestors(category_id, known)]


def changed_attributes(before: CategoryTree, after: CategoryTree) -> set[str]:
    """Return the keys of attributes of which a value has another name."""
    every = before.attributes.keys() | after.attributes.keys()
    return {key for key in every if _value_names(key, before) != _value_names(key, after)}


def _value_names(key: str, tree: CategoryTree) -> Mapping[str, Names]:
    return tree.attributes[key].values if key in tree.attributes else {}

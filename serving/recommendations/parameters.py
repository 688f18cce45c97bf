"""The parameter with the products that a page shows already."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Query

from serving.kit.problems import TooManyExcluded

MAX_EXCLUDED = 100
"""The largest number of products that a request may exclude."""

MAX_CHARACTERS = 8_000

Exclude = Annotated[
    str,
    Query(
        max_length=MAX_CHARACTERS,
        description="Ids of products that the page shows already, separated by commas: "
        f"at most {MAX_EXCLUDED}. They are not recommended. A comma or a per cent sign in an id is written "
        "`%2C` or `%25`, before the whole list is written into the address.",
        examples=["product-000007,product-000023"],
    ),
]


def excluded_products(exclude: str) -> list[str]:
    """Return the products of the parameter `exclude`.

    Raises:
        TooManyExcluded: they are more than `MAX_EXCLUDED`.
    """
    product_ids = [unquote(each) for each in exclude.split(",") if each]
    if len(product_ids) > MAX_EXCLUDED:
        raise TooManyExcluded(f"exclude has {len(product_ids)} products: give at most {MAX_EXCLUDED}.")
    return product_ids

"""Products as the catalogue shows them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import Minor


class Product(TypedDict):
    """A product on offer."""

    product_id: Annotated[str, Field(examples=["product-000001"])]
    name: str | None
    category: Annotated[str | None, Field(examples=["Lamps"])]
    seller_id: Annotated[str, Field(examples=["seller-0001"])]
    seller_name: str | None
    price_minor: Minor
    currency: str
    available: Annotated[
        int | None, Field(description="Units that can be bought; null where nobody counts them.")
    ]
    sold_out: Annotated[
        bool, Field(description="Whether none is left. What nobody counts is never sold out.")
    ]


class ProductInDetail(Product):
    """A product that was listed once; perhaps it no longer is."""

    on_offer: Annotated[bool, Field(description="Whether its seller still offers it.")]


class Products(TypedDict):
    """A page of the catalogue."""

    found: Annotated[int, Field(description="Products in all, over every page.")]
    products: list[Product]
    next_cursor: Annotated[
        str | None, Field(description="Give it back as `cursor` for the next page; null at the end.")
    ]


class Category(TypedDict):
    """A category that has products on offer."""

    category: Annotated[str, Field(examples=["Lamps"])]
    products: Annotated[int, Field(description="How many it has.")]


class Categories(TypedDict):
    """All categories, the largest first."""

    categories: list[Category]

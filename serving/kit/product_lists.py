"""The lists of products on offer that several domains return, and how a domain asks for them."""

from typing import Annotated, Literal, Protocol

from pydantic import Field
from typing_extensions import TypedDict

from serving.kit.offers import Offer
from serving.kit.product_filters import ANY, Filters
from serving.kit.response_types import Minor


class Product(TypedDict):
    """A product as its best offer shows it: in stock first, then the lowest price, then the seller's id."""

    product_id: Annotated[str, Field(examples=["product-000001"])]
    name: str | None
    category: Annotated[str | None, Field(examples=["Lamps"])]
    seller_id: Annotated[str, Field(examples=["seller-0001"])]
    seller_name: str | None
    price_minor: Minor
    currency: str
    available: Annotated[
        int | None, Field(description="Units of this seller; null if the stock was never counted.")
    ]
    sold_out: Annotated[
        bool,
        Field(description="Whether no seller has a unit left. Uncounted stock is never sold out."),
    ]
    picture: Annotated[
        str | None,
        Field(description="Its first picture (GET /v1/pictures/{picture}/{size}); null if none is known."),
    ]


def product_of(card: Offer, seller_name: str | None, picture: str | None = None) -> Product:
    """Return a product as an offer of it shows it."""
    return {
        "product_id": card.product_id,
        "name": card.name,
        "category": card.category,
        "seller_id": card.seller_id,
        "seller_name": seller_name,
        "price_minor": card.price_minor,
        "currency": card.currency,
        "available": card.available,
        "sold_out": card.sold_out,
        "picture": picture,
    }


class Products(TypedDict):
    """A page of products."""

    found: Annotated[int, Field(description="The number of products on all pages.")]
    products: list[Product]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]


class ListingWindow(TypedDict):
    """The first products of a list, best match first.

    `ranks` has how well each matches the search: 0 is best. `until` is the position of the last product; None
    if no product follows. `found` is the number of products of the whole list.
    """

    found: int
    products: list[Product]
    ranks: list[int]
    until: str | None


class Category(TypedDict):
    """A category that has products on offer."""

    category: Annotated[str, Field(examples=["Lamps"])]
    products: Annotated[int, Field(description="The number of products in it.")]


class Categories(TypedDict):
    """All categories, the largest first."""

    categories: list[Category]


class ProductLists(Protocol):
    """What other domains ask the domain of products for. Its service documents these methods."""

    @property
    def lists_version(self) -> str:
        """What stored lists depend on besides their parameters and the events."""

    async def find(
        self,
        text: str,
        category: str,
        sort: Literal["best"],
        cursor: str | None,
        limit: int,
        filters: Filters = ANY,
    ) -> Products:
        """Return a page of the products on offer."""

    async def window(self, text: str, filters: Filters, until: str | None, limit: int) -> ListingWindow:
        """Return the first products of a list."""

    async def categories(self) -> Categories:
        """Return the categories that have products on offer."""

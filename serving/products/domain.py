"""What is for sale, as a domain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.kit.domain import DomainDefinition
from serving.kit.stores import Stores
from serving.products import endpoints
from serving.products.service import ProductsService


@asynccontextmanager
async def _open(stores: Stores, currency: str) -> AsyncIterator[ProductsService]:
    """Return the products on offer. `currency` is the shop's."""
    yield ProductsService(stores.clickhouse, stores.versions, stores.names, currency, stores.last_answers)


PRODUCTS = DomainDefinition((endpoints.router,), _open)

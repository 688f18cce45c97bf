"""The commerce services as a domain: their routes, which forward to the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.commerce.commerce_client import CommerceClient
from serving.commerce.routes import CheckSetting, CommerceDomain, commerce_router
from serving.kit.domain import DomainDefinition


@asynccontextmanager
async def _open(client: CommerceClient, check_setting: CheckSetting) -> AsyncIterator[CommerceDomain]:
    """Return the open client with the check of changes of settings."""
    yield CommerceDomain(client, check_setting)


COMMERCE = DomainDefinition((commerce_router(),), _open)

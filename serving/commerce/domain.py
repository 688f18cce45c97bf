"""The commerce services as a domain: their routes, which forward to the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.commerce import alert_routes, gateway, identity_routes, seller_routes, settings_routes
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.forwarding import CheckSetting, CommerceDomain
from serving.kit.domain import DomainDefinition


@asynccontextmanager
async def _open(client: CommerceClient, check_setting: CheckSetting) -> AsyncIterator[CommerceDomain]:
    """Return the open client with the check of changes of settings."""
    yield CommerceDomain(client, check_setting)


COMMERCE = DomainDefinition(
    (
        gateway.router,
        identity_routes.router,
        seller_routes.router,
        alert_routes.router,
        identity_routes.people_router,
        settings_routes.router,
    ),
    _open,
)

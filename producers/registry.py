"""All commerce services by name. A new service is a folder like the others and an entry here."""

from producers.alerts.service import ALERTS
from producers.configuration.service import CONFIGURATION
from producers.inbox.consumer import consumer_group
from producers.inventory.service import INVENTORY
from producers.orders.service import ORDERS
from producers.payments.service import PAYMENTS
from producers.sellers.service import SELLERS
from producers.service import Service
from producers.users.service import USERS

SERVICES: dict[str, Service] = {
    service.name: service for service in (ORDERS, INVENTORY, PAYMENTS, USERS, SELLERS, CONFIGURATION, ALERTS)
}

TOPICS_BY_GROUP: dict[str, tuple[str, ...]] = {
    consumer_group(name): tuple(subscribed.event for subscribed in service.subscriptions)
    for name, service in SERVICES.items()
    if service.subscriptions
}
"""Consumer group of a service → the topics that it reads."""

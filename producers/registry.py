"""Every commerce service by name. A new one is a folder like its siblings and a line here."""

from producers.inbox.consumer import group_of
from producers.inventory.service import INVENTORY
from producers.orders.service import ORDERS
from producers.payments.service import PAYMENTS
from producers.service import Service

SERVICES: dict[str, Service] = {service.name: service for service in (ORDERS, INVENTORY, PAYMENTS)}

READS: dict[str, tuple[str, ...]] = {
    group_of(name): tuple(subscribed.event for subscribed in service.subscriptions)
    for name, service in SERVICES.items()
}
"""A service's consumer group → the topics that it reads."""

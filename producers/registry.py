"""Every commerce service by name. A new one is a folder like its siblings and a line here."""

from producers.inventory.service import INVENTORY
from producers.orders.service import ORDERS
from producers.payments.service import PAYMENTS
from producers.service import Service

SERVICES: dict[str, Service] = {service.name: service for service in (ORDERS, INVENTORY, PAYMENTS)}

"""Turns orders, lines and returns into events. Their values are computed when they are sent."""

from producers.importer.mapped.events.catalogue import products, sellers, shoppers
from producers.importer.mapped.events.orders import cancelled, captured, confirmed, placed
from producers.importer.mapped.events.returns import refunded, returned

MAKERS = (sellers, shoppers, products, placed, captured, confirmed, cancelled, returned, refunded)
"""The conversions. Events with equal times are sent in this order."""

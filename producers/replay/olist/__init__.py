"""The Brazilian E-Commerce Public Dataset by Olist: 99,441 orders of 3,095 sellers, 2016 to 2018, in BRL.

Times are wall-clock times of the shop's zone. The replay's report counts the oddities of the data.
"""

from pathlib import Path
from zoneinfo import ZoneInfo

from producers.replay.dataset import Conversion
from producers.replay.findings import Findings
from producers.replay.olist import catalogue, orders, payments, people, reviews, shipments
from producers.replay.olist.source import CURRENCY, NAME, join
from producers.replay.olist.tables import files, read_tables

__all__ = ["CURRENCY", "NAME", "VERSION", "convert", "files", "read_tables"]

VERSION = 1
"""Raised when the same tables give other events than before, so that no replay resumes across the change."""


def convert(directory: Path, zone: ZoneInfo) -> Conversion:
    """Every event of the tables in `directory`, unsorted between names, and what could not be used.

    Raises:
        UserError: a table is missing, cut short, another, or without a usable row.
    """
    findings = Findings()
    source = join(read_tables(directory, findings), zone, findings)
    makers = (
        people.sellers,
        people.shoppers,
        catalogue.products,
        orders.placed,
        payments.captured,
        orders.confirmed,
        shipments.shipped,
        shipments.delivered,
        orders.cancelled,
        reviews.submitted,
    )
    return Conversion([make(source, findings) for make in makers], findings)

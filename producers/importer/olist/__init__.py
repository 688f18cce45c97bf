"""The Brazilian E-Commerce Public Dataset by Olist: 99,441 orders of 3,095 sellers, 2016 to 2018, in BRL.

Times are wall-clock times of the shop's zone. The report of a replay counts the irregularities of the data.
"""

from pathlib import Path
from zoneinfo import ZoneInfo

from producers.importer.dataset import Conversion, ConversionFindings
from producers.importer.olist import catalogue, orders, reviews
from producers.importer.olist.source import CURRENCY, NAME, join_tables
from producers.importer.olist.tables import files, read_tables

__all__ = ["CURRENCY", "NAME", "VERSION", "convert", "files", "read_tables"]

VERSION = 2
"""Increase this when the same tables give other events, so that no replay resumes across the change."""


def convert(directory: Path, zone: ZoneInfo) -> Conversion:
    """Convert the tables in `directory` to events, grouped by name, and findings.

    Raises:
        UserError: a table is missing or truncated, has other columns, or has no usable row.
    """
    findings = ConversionFindings()
    source = join_tables(read_tables(directory, findings), zone, findings)
    makers = (
        catalogue.sellers,
        catalogue.shoppers,
        catalogue.products,
        orders.placed,
        orders.captured,
        orders.confirmed,
        orders.shipped,
        orders.delivered,
        orders.cancelled,
        reviews.submitted,
    )
    return Conversion([make(source, findings) for make in makers], findings)

"""A seller's figures in a real ClickHouse, from the events of an import that is sent twice."""

import json
from pathlib import Path
from typing import Any

from clickhouse.client import connect
from common.clock import from_millis
from common.settings import Settings
from producers.importer.dataset import Conversion
from tests.imports import MAPPING, convert, records, row, write_table

OWN = MAPPING + "returns: {order_prefix: C}\nstatus: {column: Status, cancelled: void}\ndiscount: Off\n"
FIGURES = (
    "orders", "units", "gross_minor", "discount_minor", "returned_units", "returned_minor", "revenue_minor",
)  # fmt: skip


def as_json(record: dict[str, Any]) -> str:
    times = {key: from_millis(value).isoformat() for key, value in record.items()
             if key.endswith("_at") and value is not None}  # fmt: skip
    return json.dumps({**record, **times})


def insert(database: Settings, conversion: Conversion) -> None:
    """Insert the events into the fact tables, as job `facts` does."""
    options = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}
    with connect(database, admin=True) as client:
        for events in conversion.events:
            rows = "\n".join(as_json(each) for each in records(conversion, events.name))
            client.raw_insert(events.name, insert_block=rows, fmt="JSONEachRow", settings=options)


def test_a_sellers_figures_are_those_of_the_table_also_after_a_second_import(
    empty_database: Settings, tmp_path: Path
) -> None:
    paid = {"Status": "paid", "Off": ""}
    rows = [
        row(quantity=3, **paid | {"Off": "0.50"}),  # 7.50, less 0.50
        row(sku="B", price="1.05", **paid),
        row("2", quantity=2, Customer="", **paid),  # a guest: 5.00
        row("3", **paid | {"Status": "void"}),
        row("4", price="0", **paid),
        row("C5", quantity=-2, **paid | {"Date": "2024-04-09"}),  # 5.00 back, of order 1
    ]
    shop = tmp_path / "shop"
    shop.mkdir()
    write_table(shop / "sales.csv", rows)

    for _ in range(2):
        insert(empty_database, convert(shop, OWN))

    sums = ", ".join(f"sum({figure})" for figure in FIGURES)
    with connect(empty_database) as client:
        found = client.query(f"SELECT {sums} FROM seller_sales_minute WHERE seller_id = 'acme'").first_row
    assert dict(zip(FIGURES, found, strict=True)) == {
        "orders": 2, "units": 6, "gross_minor": 1355, "discount_minor": 50, "returned_units": 2,
        "returned_minor": 500, "revenue_minor": 805,
    }  # fmt: skip

"""Tables of a small shop and mappings of them, for tests of `./souk import`."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from producers.feed.events import Events
from producers.importer.dataset import Conversion
from producers.importer.mapped.data_set import MappedDataSet
from producers.importer.mapped.mapping import parse_mapping

HEADER = ("Invoice", "Sku", "Title", "Qty", "Date", "Price", "Customer", "Country")
MAPPING = """\
name: acme
files: [{path: sales.csv}]
order: Invoice
product: Sku
product_name: Title
shopper: Customer
country: Country
seller: {id: acme, name: Acme}
time: Date
price: Price
quantity: Qty
currency: GBP
"""


def row(
    order: object = "1", sku: object = "A", quantity: object = 1, price: object = "2.50", **others: object
) -> dict[str, object]:
    """A row of the small shop's table; `others` replaces further columns."""
    named = {"Invoice": order, "Sku": sku, "Qty": quantity, "Price": price}
    rest = {"Title": f"Item {sku}", "Date": "2024-03-05 10:00", "Customer": "ana", "Country": "Germany"}
    return rest | named | others


def write_table(path: Path, rows: Iterable[dict[str, object]], **dialect: Any) -> Path:
    """Write rows as CSV; the columns are those of the first row."""
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], **dialect)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_raw(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a header and rows of any length as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def convert(directory: Path, mapping: str = MAPPING) -> Conversion:
    """Convert the tables in `directory`; rejected rows are written to `rejected.csv` beside the directory."""
    data_set = MappedDataSet(
        parse_mapping(mapping, "mapping.yaml"), Path("mapping.yaml"), rejected_file(directory)
    )
    return data_set.convert(directory, ZoneInfo("UTC"))


def rejected_file(directory: Path) -> Path:
    """Where `convert` writes the rows that are not used."""
    return directory.with_name(f"{directory.name}-rejected.csv")


def rejected(directory: Path) -> list[tuple[int, str]]:
    """The line and the reason of each row that was not used."""
    with rejected_file(directory).open(encoding="utf-8", newline="") as file:
        return [(int(each["line"]), each["reason"]) for each in csv.DictReader(file)]


def records(conversion: Conversion, name: str) -> list[dict[str, Any]]:
    """The records of one event, with `event_id` and `occurred_at` (Unix milliseconds)."""
    found = [events for events in conversion.events if events.name == name]
    return [record for events in found for record in records_of(events)]


def records_of(events: Events) -> list[dict[str, Any]]:
    """The records of events."""
    fields = ("event_id", "occurred_at", *events.columns)
    rows = zip(events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True)
    return [dict(zip(fields, values, strict=True)) for values in rows]


def used(conversion: Conversion, file: int = 0) -> dict[str, int]:
    """What the rows of a file are used as, and how many."""
    return conversion.findings.files[file].used


def unused(conversion: Conversion, file: int = 0) -> dict[str, int]:
    """Why rows of a file are not used, and how many."""
    return conversion.findings.files[file].unused

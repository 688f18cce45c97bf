"""The audit compares the tables of an import with its events, and finds what is missing or wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from audit.comparison import ComparisonResult
from audit.registry import COMPARISONS
from audit.replayed_source import imported
from audit.sources.avro import arrow_schema
from audit.sources.imported import ImportedTables
from common.errors import UserError
from producers.importer import journal
from producers.importer.dataset import Conversion
from producers.importer.journal import JournalEntry
from schemas.events import all_events
from tests.imports import MAPPING, convert, row, write_table
from tests.sent_events import as_read

ZONE = ZoneInfo("America/Sao_Paulo")
OWN = (
    MAPPING
    + "returns: {order_prefix: C}\nstatus: {column: Status, cancelled: void}\n"
    + "shipping: {column: Ship, of: order}\n"
)
COMPARED = [name for name in COMPARISONS if name.startswith("source_vs_")]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A table with a guest, a cancelled order, a return, shipping, and a row that is not used."""
    directory = tmp_path / "shop"
    directory.mkdir()
    more = {"Status": "paid", "Ship": "1.01"}
    rows = [
        row(quantity=3, **more), row(sku="B", price="1.05", **more), row("2", Customer="", **more),
        row("3", Customer="bia", **more | {"Status": "void"}), row("4", price="0", **more),
        row("C5", quantity=-1, **more | {"Date": "2024-03-09", "Ship": ""}),
    ]  # fmt: skip
    write_table(directory / "sales.csv", rows)
    (tmp_path / "mapping.yaml").write_text(OWN)
    return directory


def compare(name: str, shop: Path, conversion: Conversion) -> ComparisonResult:
    pair: Any = COMPARISONS[name].__self__  # type: ignore[attr-defined]
    sent = {events.name: events for events in conversion.events}
    found = {
        event: as_read(sent[event])
        if event in sent
        else arrow_schema(all_events()[event].schema).empty_table()
        for event in pair.events
    }
    tables = ImportedTables(shop, shop.parent / "mapping.yaml", ZONE)
    result: ComparisonResult = pair.compare(tables, found, ZONE)
    return result


def without_first(conversion: Conversion, name: str) -> Conversion:
    """The conversion without the first event of a name."""
    events = [each.take(np.arange(1, len(each))) if each.name == name else each for each in conversion.events]
    return replace(conversion, events=events)


@pytest.mark.parametrize("name", COMPARED)
def test_the_tables_agree_with_the_events_of_their_import(shop: Path, name: str) -> None:
    assert not compare(name, shop, convert(shop, OWN)).differing


def test_the_comparisons_compare_every_kind_of_row(shop: Path) -> None:
    conversion = convert(shop, OWN)

    rows = {name: compare(name, shop, conversion).rows for name in COMPARED}

    assert rows == {
        "source_vs_sales": 1, "source_vs_orders": 3, "source_vs_payments": 2, "source_vs_refunds": 1,
        "source_vs_order_steps": 2, "source_vs_cancellations": 1, "source_vs_reviews": 0,
        "source_vs_sellers": 1, "source_vs_shoppers": 2, "source_vs_products": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("source_vs_orders", "order_placed"),
        ("source_vs_sales", "order_placed"),
        ("source_vs_payments", "payment_captured"),
        ("source_vs_refunds", "payment_refunded"),
        ("source_vs_order_steps", "order_confirmed"),
        ("source_vs_cancellations", "order_cancelled"),
        ("source_vs_products", "product_listed"),
        ("source_vs_shoppers", "shopper_registered"),
    ],
)
def test_a_missing_event_is_found(shop: Path, name: str, event: str) -> None:
    conversion = without_first(convert(shop, OWN), event)

    assert compare(name, shop, conversion).differing


def test_an_import_is_found_in_its_journal_and_must_be_finished(shop: Path, tmp_path: Path) -> None:
    mapping, home = tmp_path / "mapping.yaml", tmp_path / "home"
    entry = JournalEntry(
        data_set="import_acme", fingerprint="f", cluster="c", timezone="UTC", start_ms=None, end_ms=None,
        directory=str(shop), total=10, position=10, counts={}, totals={}, report="r", started_at="2026-01-01",
    )  # fmt: skip

    with pytest.raises(UserError, match="nothing was imported here"):
        imported(home, None, mapping, ZONE)
    with journal.exclusive(home, "import_acme"):
        journal.write(home, entry)
    assert imported(home, None, mapping, ZONE).directory == shop
    with journal.exclusive(home, "import_acme"):
        journal.write(home, replace(entry, position=4))
    with pytest.raises(UserError, match=r"interrupted after 4 of 10 events: `./souk import"):
        imported(home, None, mapping, ZONE)

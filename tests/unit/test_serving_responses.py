"""Content negotiation, and lists as CSV."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from typing_extensions import TypedDict

from serving.kit.csv_writer import MinorUnits
from serving.kit.responses import CsvFormat, csv_list, prefers_csv, write_csv

Minor = Annotated[int, MinorUnits()]


class Entry(TypedDict):
    name: str | None
    at: datetime


class Amount(TypedDict):
    price_minor: Minor
    refund: Annotated[Minor | None, "What came back."]
    units: int


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("text/csv", True),
        ("TEXT/CSV; header=present", True),
        ("text/csv, application/json;q=0.5", True),
        ("text/*", True),
        ("text/csv;q=0.5, application/json", False),
        ("text/csv, application/json", False),
        ("text/csv;q=0", False),
        ("text/csv;q=often", False),
        ("application/json", False),
        ("text/csv, */*", False),
        ("text/csv, */*;q=0.1", True),
        ("*/*", False),
        ("", False),
        (";;,,", False),
    ],
)
def test_an_accept_header_chooses_between_csv_and_json(accept: str, csv: bool) -> None:
    assert prefers_csv(accept) is csv


def test_a_list_is_written_with_its_header_and_quotes_what_needs_it() -> None:
    entries = [{"name": 'A "lamp",\nred', "at": datetime(2026, 1, 1, tzinfo=UTC)}, {"name": None, "at": None}]
    written = write_csv(csv_list("entries", Entry), {"entries": entries}).decode()
    assert written == 'name,at\r\n"A ""lamp"",\nred",2026-01-01T00:00:00+00:00\r\n,\r\n'
    assert write_csv(csv_list("entries", Entry), {"entries": []}) == b"name,at\r\n"


@pytest.mark.parametrize(("currency", "written"), [("BRL", "14097.00,-0.05"), ("JPY", "1409700,-5")])
def test_money_is_a_decimal_beside_its_currency(currency: str, written: str) -> None:
    amounts = [
        {"price_minor": 1_409_700, "refund": -5, "units": 3},
        {"price_minor": 0, "refund": None, "units": 0},
    ]
    table = write_csv(csv_list("amounts", Amount), {"amounts": amounts, "currency": currency}).decode()

    header, first, second = table.splitlines()
    assert header == "price,refund,units,currency"
    assert first == f"{written},3,{currency}"
    assert second == f"{'0.00' if currency == 'BRL' else '0'},,0,{currency}"


def test_a_row_with_its_own_currency_keeps_it() -> None:
    form = CsvFormat(("price_minor", "currency"), lambda content: content["rows"], {"price_minor"})
    rows = [{"price_minor": 5, "currency": "JPY"}, {"price_minor": 5, "currency": "EUR"}]

    assert write_csv(form, {"rows": rows}).decode().splitlines() == ["price,currency", "5,JPY", "0.05,EUR"]

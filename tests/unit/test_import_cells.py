"""Cells of any text: each row is used, or rejected with a reason; ids stay the texts that they are."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from producers.importer.mapped.guess.proposal import propose
from producers.importer.mapped.mapping import TIME_FORMATS, parse_mapping
from tests.imports import MAPPING, convert, records, rejected, row, unused, used, write_raw, write_table

FORMATS = (*TIME_FORMATS, "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S %z")
ANY_TEXT = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("0123456789.,-+eE()$€/: TZPM'\u00a0"), max_size=20),
    st.integers(-(10**40), 10**40).map(str),
    st.builds("{}e{}".format, st.integers(0, 999), st.integers(-(10**10), 10**10)),
    st.floats().map(str),
    st.datetimes().map(str),
)
COLUMNS = ("Invoice", "Sku", "Title", "Qty", "Date", "Price", "Customer", "Country", "Off", "Ended", "Status")
EVERY_FIELD = MAPPING + (
    "discount: Off\ncancelled_at: {column: Ended, format: day_first}\n"
    "status: {column: Status, cancelled: [void]}\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


@given(
    st.lists(st.lists(ANY_TEXT, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from(COLUMNS), ANY_TEXT, min_size=1, max_size=2),
    st.sampled_from(FORMATS),
    st.sampled_from(".,"),
)
def test_any_texts_are_values_or_rows_with_a_reason(
    rows: list[list[str]], odd: dict[str, str], time_format: str, decimal: str
) -> None:
    good = row(Off="0.10", Ended="", Status="paid")
    almost = [str((good | odd)[column]) for column in COLUMNS]
    mapping = EVERY_FIELD.replace("time: Date", f"time: {{column: Date, format: '{time_format}'}}")
    with TemporaryDirectory() as folder:
        directory = Path(folder) / "shop"
        directory.mkdir()
        write_raw(directory / "sales.csv", COLUMNS, [*rows, almost])

        conversion = convert(directory, mapping.replace("sales.csv", f"sales.csv, decimal: '{decimal}'"))

        (file,) = conversion.findings.files
        assert sum(file.used.values()) + sum(file.unused.values()) == file.rows
        assert all(reason for _, reason in rejected(directory))


@given(st.lists(st.lists(ANY_TEXT, min_size=4, max_size=4), min_size=1, max_size=5))
def test_of_any_cells_a_mapping_is_proposed_that_is_yaml(rows: list[list[str]]) -> None:
    good = [["1", "paid", "1.50", "2024-03-05"], ["2", "void", "2.50", "2024-03-06"]]
    header = ("Order ID", "Status", "Price", "Date")
    with TemporaryDirectory() as folder:
        write_raw(Path(folder) / "sales.csv", [*header, "SKU", "Country"], [
            [*cells, "A", cells[1]] for cells in (*good, *rows)
        ])  # fmt: skip

        assert YAML(typ="safe", pure=True).load(propose(Path(folder)))["files"]


@pytest.mark.parametrize("odd", ["on\nhold", "a\r\nseller: {id: b}", "\u2028x", "\x85y", "\x00", "#"])
def test_a_value_with_a_line_feed_does_not_end_a_comment_of_the_proposal(shop: Path, odd: str) -> None:
    rows = [
        {"Order ID": number, "SKU": "A", "Price": "1.50", "Date": "2024-03-05", "Status": text,
         "Country": text, "Currency": "EUR"}
        for number, text in enumerate(["paid", "cancelled", odd, "paid"])
    ]  # fmt: skip
    write_raw(shop / "sales.csv", list(rows[0]), [list(each.values()) for each in rows])

    mapping = parse_mapping(propose(shop), "guessed")

    assert mapping.status is not None
    assert mapping.seller.id == "shop"


def test_ids_are_texts(shop: Path) -> None:
    ids = ["39e1804512", "7e12345678901234", "1e3", "10e2", "1000", "007", "7", "0007", "0x1f", "1e9999999",
           "12345678901234567890", "1033501203.1368477803", "+7", "٧"]  # fmt: skip
    write_table(shop / "sales.csv", [row(each, sku=each) for each in ids])

    propose(shop)
    placed = records(convert(shop), "order_placed")

    assert [order["order_id"] for order in placed] == ids
    assert [order["lines"][0]["product_id"] for order in placed] == ids


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("Price", "1e9999999", "the price is not a number"),
        ("Price", "9" * 5000, "the price is not a number"),
        ("Qty", "1e30", "the quantity is not a whole number"),
        ("Date", "1720170000123456789", "the time is not written as unix"),
        ("Date", "1e999999999", "the time is not written as unix"),
        ("Date", "Infinity", "the time is not written as unix"),
    ],
)
def test_a_number_beyond_all_bounds_is_a_rejected_row(
    shop: Path, column: str, text: str, reason: str
) -> None:
    good = row(Date="1720170000")
    bad = row("2", Date="1720170000") | {column: text}
    write_table(shop / "sales.csv", [good, bad])

    conversion = convert(shop, MAPPING.replace("time: Date", "time: {column: Date, format: unix}"))

    assert unused(conversion) == {reason: 1}
    assert rejected(shop) == [(3, reason)]


def test_prices_are_read_as_spreadsheets_of_many_countries_write_them(shop: Path) -> None:
    texts = ["₹1,05,999.00", "AU $19.90", "1’299.90", "１２００", "12.50 USD", "1 234.00"]
    write_table(shop / "sales.csv", [row(str(n), price=text) for n, text in enumerate(texts)])

    paid = [each["amount_minor"] for each in records(convert(shop), "payment_captured")]

    assert paid == [10_599_900, 1_990, 129_990, 120_000, 1_250, 123_400]


def test_a_thousand_is_ambiguous_in_a_column_that_has_decimal_commas_as_well(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(price="1,234"), row("2", price="5.00"), row("3", price="12,50")])

    conversion = convert(shop)

    assert unused(conversion) == {
        "the price is ambiguous: its column has decimal points and decimal commas": 1,
        "the price is not a number": 1,
    }
    assert used(conversion) == {"sale": 1}


def test_a_joined_file_has_its_own_decimal_separator(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(), row("2")])
    (shop / "orders.csv").write_text("Invoice;Ship\n1;1.234,50\n2;0,500\n")
    joins = 'joins: [{path: orders.csv, on: Invoice, delimiter: ";", decimal: ","}]\n'

    placed = records(convert(shop, MAPPING + joins + "shipping: {column: Ship, of: order}\n"), "order_placed")

    assert [order["lines"][0]["shipping_minor"] for order in placed] == [123_450, 50]


@pytest.mark.parametrize(
    ("time", "text", "millis"),
    [
        ("{column: Date, format: day_first, zone: America/Sao_Paulo}", "5 de março de 2024 10:30 hs.",
         1_709_645_400_000),
        ("{column: Date, format: day_first}", "05/03/2024 10:30 BRT", 1_709_645_400_000),
        ("{column: Date, format: month_first}", "03/05/24 5:30 AM PST", 1_709_645_400_000),
        ("{column: Date}", "2024-03-05 13:30:00 UTC", 1_709_645_400_000),
        ("{column: Date, format: excel, zone: America/Sao_Paulo}", "45356.4375", 1_709_645_400_000),
        ("{column: Date, format: unix_ms}", "1,709,645,400,000", 1_709_645_400_000),
    ],
)  # fmt: skip
def test_times_are_read_in_formats_with_a_name(shop: Path, time: str, text: str, millis: int) -> None:
    write_table(shop / "sales.csv", [row(Date=text)])

    (placed,) = records(convert(shop, MAPPING.replace("time: Date", f"time: {time}")), "order_placed")

    assert placed["occurred_at"] == millis


def test_an_ambiguous_abbreviation_of_a_zone_is_a_reason_unless_the_zone_has_it(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(Date="2024-03-05 10:00 CST"), row("2")])

    assert unused(convert(shop)) == {"the time has an abbreviation that names no zone, or several": 1}
    chicago = MAPPING.replace("time: Date", "time: {column: Date, zone: America/Chicago}")
    assert unused(convert(shop, chicago)) == {}

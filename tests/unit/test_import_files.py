"""The edges of files: lines before the header, encodings, workbooks, and what is no table at all."""

import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from producers.importer.mapped.cells import NO_ID
from producers.importer.mapped.guess.profile import detect
from tests.imports import HEADER, MAPPING, convert, records, rejected, row, unused, used, write_table
from tests.workbooks import write_workbook

MADE = (row(quantity=2), row("2", price="1.234"), row("3", price="x"))
ROWS = [[each[column] for column in HEADER] for each in MADE]
AT = datetime(2024, 3, 5, 10, 30, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def text(delimiter: str = ",") -> str:
    return "".join(f"{delimiter.join(map(str, cells))}\r\n" for cells in (HEADER, *ROWS))


def mapping(**keys: object) -> str:
    written = "".join(f", {key}: {json.dumps(value)}" for key, value in keys.items())
    return MAPPING.replace("files: [{path: sales.csv}]", f"files: [{{path: sales.csv{written}}}]")


def check(directory: Path, written: str, line: int) -> None:
    """Check what the three rows become, and that the last one is named by its line in the file."""
    conversion = convert(directory, written)

    (file,) = conversion.findings.files
    assert (used(conversion), unused(conversion)) == (
        {"sale": 1}, {"the price has a fraction of the smallest coin": 1, "the price is not a number": 1},
    )  # fmt: skip
    assert rejected(directory)[1] == (line, "the price is not a number")
    lines = file.skipped_lines + file.header_lines + file.blank_lines + file.rows + file.further_lines
    assert lines == line


@pytest.mark.parametrize(
    "first", ["\r\n", "\r\n\r\n", ",,,,,,,\r\n", '""\r\n', "sep=,\r\n", "\ufeffsep=,\n\n"]
)
def test_blank_lines_and_the_delimiter_before_the_header_need_no_key(shop: Path, first: str) -> None:
    (shop / "sales.csv").write_text(first + text(), encoding="utf-8", newline="")

    assert detect(shop / "sales.csv").skip_lines == 0
    check(shop, MAPPING, first.count("\n") + 4)


def test_the_delimiter_that_the_file_states_is_used(shop: Path) -> None:
    (shop / "sales.csv").write_text("sep=;\n" + text(";"), newline="")

    assert detect(shop / "sales.csv").delimiter == ";"
    check(shop, MAPPING, 5)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_before_the_header_are_found_and_skipped(shop: Path, delimiter: str) -> None:
    preamble = 'Sales of "Acme", all amounts in GBP; see the help\nFrom,2024-03-01\n\nTo,"2024-03-31\n'
    (shop / "sales.csv").write_text(preamble + text(delimiter), newline="")

    found = detect(shop / "sales.csv")

    assert (found.delimiter, found.skip_lines) == (delimiter, 4)
    check(shop, mapping(skip_lines=4, delimiter=delimiter), 8)


def test_a_file_that_ends_before_its_header_is_empty(shop: Path) -> None:
    write_table(shop / "sales.csv", [row()])

    with pytest.raises(UserError, match="is empty: after 9 skipped lines, its first line"):
        convert(shop, mapping(skip_lines=9))


@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [("utf-16-le", "", "utf-16-le"), ("utf-16-be", "", "utf-16-be"), ("utf-16-le", "\ufeff", "utf-16"),
     ("utf-8", "\ufeff", "utf-8"), ("cp1252", "", "cp1252"), ("utf-32", "", "utf-32")],
)  # fmt: skip
def test_encodings_are_found_with_and_without_a_byte_order_mark(
    shop: Path, encoding: str, mark: str, found: str
) -> None:
    (shop / "sales.csv").write_bytes((mark + text().replace("ana", "aná")).encode(encoding))

    assert detect(shop / "sales.csv").encoding == found
    check(shop, mapping(encoding=found), 4)


def test_utf_16_in_a_mapping_without_an_encoding_is_said(shop: Path) -> None:
    (shop / "sales.csv").write_bytes(text().encode("utf-16-le"))

    with pytest.raises(UserError, match="is utf-16-le: write `encoding: utf-16-le` in the mapping"):
        convert(shop)


def test_a_cell_of_a_hundred_thousand_characters_is_a_cell(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(Title="x" * 131_073), row("2"), row("3", Customer="y" * 200_000)])

    conversion = convert(shop)

    assert used(conversion) == {"sale": 2}
    assert unused(conversion) == {f"the shopper {NO_ID}": 1}


def test_a_quote_that_no_other_closes_is_named_by_its_line(shop: Path) -> None:
    (shop / "sales.csv").write_text(text() + '4,B,"Tea,1\n5,C,Cup,1\n', newline="")

    with pytest.raises(UserError, match="line 5: a quote is opened and never closed"):
        convert(shop)


@pytest.mark.parametrize("name", ["sales.xlsx", "sales.csv"])
def test_a_workbook_is_read_whatever_its_name_is(shop: Path, name: str) -> None:
    rows = [
        ["Sales of March"], [], HEADER, [1001, "007", "Tea", 2, AT, 59.96999999999999, 17850, "DE"], [],
        [1002, "A", "Tea", 1, "2024-03-06", "12.50", "ana", "DE"],
        [1003, "A", "Tea", 1, AT, 0.001, "ana", "DE"],
    ]  # fmt: skip
    write_workbook(shop / name, {"Help": [["See below"]], "Sales": rows})

    found = detect(shop / name)
    conversion = convert(shop, MAPPING.replace("sales.csv", f"{name}, sheet: Sales, skip_lines: 2"))

    assert (found.sheet, found.skip_lines) == ("Sales", 2)
    placed = records(conversion, "order_placed")
    assert [order["order_id"] for order in placed] == ["1001", "1002"]
    assert placed[0]["occurred_at"] == AT.timestamp() * 1000
    line = placed[0]["lines"][0]
    assert (line["product_id"], line["quantity"], line["unit_price_minor"]) == ("007", 2, 5_997)
    assert placed[0]["shopper_id"] == "17850"
    assert rejected(shop) == [(7, "the price has a fraction of the smallest coin")]


def test_numbers_of_a_workbook_are_numbers_with_decimal_commas_too(shop: Path) -> None:
    prices = [1.25, "1.250,50"]
    rows = [[str(n), "A", "Tea", 1, AT, price, "ana", "DE"] for n, price in enumerate(prices)]
    write_workbook(shop / "sales.xlsx", {"a": [HEADER, *rows]})

    conversion = convert(shop, MAPPING.replace("sales.csv", "sales.xlsx, decimal: ','"))

    assert [each["amount_minor"] for each in records(conversion, "payment_captured")] == [125, 125_050]


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(shop: Path) -> None:
    write_workbook(shop / "sales.csv", {"Help": [], "Sales": [HEADER]})

    with pytest.raises(UserError, match="has no sheet 'X': write one of Help, Sales"):
        convert(shop, mapping(sheet="X"))


def test_what_is_no_table_is_named(shop: Path, tmp_path: Path) -> None:
    path = shop / "sales.csv"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("sales.csv", "a,b\n")
    kinds = {
        gzip.compress(b"a,b\n"): "is compressed with gzip: unpack it",
        (tmp_path / "a.zip").read_bytes(): "is a ZIP archive: unpack it",
        b"%PDF-1.7\n": "is a PDF",
        b"<!DOCTYPE html><html>": "is a web page",
        b"\xef\xbb\xbf\n<table>": "is a web page",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600): "is not a whole workbook",
    }
    for content, what in kinds.items():
        path.write_bytes(content)
        with pytest.raises(UserError, match=what):
            convert(shop)


@given(st.binary(max_size=200), st.integers(0, 1500), st.sampled_from(["cut", "replaced", "started"]))
def test_a_damaged_workbook_is_one_line(noise: bytes, place: int, damage: str) -> None:
    with TemporaryDirectory() as folder:
        path = write_workbook(Path(folder) / "sales.xlsx", {"a": [HEADER, *ROWS]})
        whole = path.read_bytes()
        path.write_bytes({
            "cut": whole[:place],
            "replaced": whole[:place] + noise + whole[place + len(noise):],
            "started": b"PK\x03\x04" + noise,
        }[damage])  # fmt: skip

        try:
            convert(Path(folder), MAPPING.replace("sales.csv", "sales.xlsx"))
        except UserError as error:
            refusal = str(error)
        else:
            refusal = ""
        assert len(refusal.splitlines()) <= 1

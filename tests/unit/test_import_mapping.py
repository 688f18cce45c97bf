"""Every mistake in a mapping or its files is one line that says what to do."""

from pathlib import Path

import pytest

from common.errors import UserError
from producers.importer.mapped.mapping import parse_mapping, read_mapping
from tests.imports import MAPPING, convert, records, row, write_raw, write_table


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    write_table(directory / "sales.csv", [row()])
    return directory


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MAPPING + "prise: X\n", "there is no `prise` in a mapping"),
        (MAPPING + "order: X\n", "line 13: a key is given twice"),
        (MAPPING.replace("price: Price\n", ""), "`price` is missing"),
        (MAPPING.replace("quantity: Qty", "quantity: Price"), "'Price' is given twice: as price and"),
        (MAPPING.replace("GBP", "XXQ"), "'XXQ' is not a currency"),
        (MAPPING.replace("time: Date", "time: {column: Date, zone: Mars}"), "'Mars' is not a time zone"),
        (MAPPING.replace("{id: acme, name: Acme}", "{}"), "either `id` .* or `column`"),
        (MAPPING.replace("order: Invoice", "order: {otherwise: reject}"), "name a column, or write"),
        (MAPPING.replace("name: acme", "name: Acme Ltd"), "`name`: String should match"),
        (MAPPING.replace("order: Invoice", "order: [a"), "is not YAML"),
        (MAPPING + "status: {column: S, cancelled: x, unpaid: X}\n", "'x' is listed twice"),
        (MAPPING + "status: {column: S}\n", "list the values"),
        (MAPPING + "discount: {column: D, of: month}\n", "`discount.of`"),
        (MAPPING.replace("sales.csv", "sales.csv, encoding: klingon"), "'klingon' is not an encoding"),
        (MAPPING.replace("id: acme", "id: true"), "`seller.id` must be a text: write it in quotes"),
        ("- a\n- b\n", "is not a mapping"),
        ("a: !!python/object/apply:os.system [ls]\n", "is not YAML"),
        ("", "is not a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_mapping_is_explained(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        parse_mapping(text, "shop.yaml")

    assert len(str(raised.value).splitlines()) == 1


def test_a_mapping_that_is_not_there_names_the_command_that_proposes_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="import --guess DIR"):
        read_mapping(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("Price\n", "Cost\n"),
            "has no column 'Cost': correct the mapping, or the file's delimiter. The file has",
        ),
        (("sales.csv", "sold.csv"), "sold.csv is not there"),
        (("sales.csv", "'*.txt'"), "is not there"),
        (("[{path: sales.csv}]", "[{path: sales.csv}, {path: '*.csv'}]"), "is given twice in `files`"),
        (("sales.csv", "/etc/passwd"), "must be relative"),
        (("order: Invoice", "joins: [{path: x.csv, on: Sku}]\norder: Invoice"), "x.csv is not there"),
        (("order: Invoice", "joins: [{path: /etc/x, on: Sku}]\norder: Invoice"), "must be relative"),
        (("sales.csv", "sales.csv, encoding: utf-16"), "is not utf-16: write its encoding"),
    ],
)
def test_a_file_or_column_that_is_not_there_is_named(
    shop: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        convert(shop, MAPPING.replace(*change))


def test_a_column_that_the_file_has_twice_is_ambiguous(shop: Path) -> None:
    write_raw(shop / "sales.csv", [*row(), "Price"], [[*row().values(), 9]])

    with pytest.raises(
        UserError, match=r"has 2 columns 'Price': write which one in the mapping, as 'Price \(1\)'"
    ):
        convert(shop)

    conversion = convert(shop, MAPPING.replace("price: Price", "price: Price (2)"))
    assert [line["unit_price_minor"] for line in records(conversion, "order_placed")[0]["lines"]] == [900]


def test_a_byte_that_is_not_in_the_encoding_is_found(shop: Path) -> None:
    good = (shop / "sales.csv").read_bytes()
    (shop / "sales.csv").write_bytes(good * 2 + "1,Chá".encode("latin-1"))

    with pytest.raises(UserError, match=r"sales.csv, line 5 \(byte 0xe1\) is not utf-8.*encoding: cp1252"):
        convert(shop)


def test_a_quote_that_never_closes_is_found(shop: Path) -> None:
    with (shop / "sales.csv").open("a") as file:
        file.write('2,A,"' + "never closed, \n" * 20_000)

    with pytest.raises(UserError, match="line 3: a quote is opened and never closed"):
        convert(shop)


@pytest.mark.parametrize("text", ["", "\n", "Invoice,Sku,Title,Qty,Date,Price,Customer,Country\n"])
def test_a_file_without_rows_is_a_mistake(shop: Path, text: str) -> None:
    (shop / "sales.csv").write_text(text)

    with pytest.raises(UserError, match=r"is empty|has no rows after its first line"):
        convert(shop)


def test_a_file_that_is_no_parquet_is_a_mistake(shop: Path) -> None:
    (shop / "sales.parquet").write_text("no")

    with pytest.raises(UserError, match="is not a whole Parquet file"):
        convert(shop, MAPPING.replace("sales.csv", "sales.parquet"))


def test_a_column_in_two_joined_files_is_ambiguous_and_joins_have_an_order(shop: Path) -> None:
    write_table(shop / "a.csv", [{"Sku": "A", "Kind": "x", "City": "1"}])
    write_table(shop / "b.csv", [{"City": "1", "Kind": "x", "Sort": "y"}])
    joins = MAPPING + "joins: [{path: a.csv, on: Sku}, {path: b.csv, on: City}]\n"

    with pytest.raises(UserError, match=r"the column 'Kind' is in .*a.csv and in .*b.csv"):
        convert(shop, joins + "category: Kind\n")
    backwards = "joins: [{path: b.csv, on: City}, {path: a.csv, on: Sku}]\ncategory: Sort\n"
    with pytest.raises(UserError, match=r"list the join of a.csv before it"):
        convert(shop, MAPPING + backwards)

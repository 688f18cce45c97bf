"""Random tables: every line is accounted for, and the events' sums are those of a plain computation."""

import csv
from collections import defaultdict
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from common.errors import UserError
from common.money import to_minor
from producers.importer.dataset import Conversion
from producers.importer.mapped.guess.proposal import propose
from producers.services.orders.model import SoldLine, check_return
from producers.services.payments.handlers import line_amount_minor
from schemas.codec import Encoder
from schemas.events import all_events
from tests.imports import HEADER, MAPPING, convert, records, rejected_file, unused, used, write_raw

WITH_SHIPPING = MAPPING + "returns: {order_prefix: [C]}\nshipping_products: [POST]\nnot_products: [FEE*]\n"

CELLS = {
    "Invoice": st.sampled_from(["1", "2", "3", "4", "5", "C6", "C7", "", "2.0"]),
    "Sku": st.sampled_from(["A", "B", "C", "A", "B", "POST", "FEE1", ""]),
    "Title": st.sampled_from(["Tea", 'A "fine" cup', "two\nlines", "", "Chá, verde"]),
    "Qty": st.sampled_from(["1", "2", "3", "10", "-1", "-2", "0", "1.5", "x", "", "-1.0"]),
    "Date": st.sampled_from(
        [
            "2024-03-05 10:00",
            "2024-03-06",
            "2024-03-07 11:30:05",
            "2024-02-30",
            "",
            "1960-01-01",
            "2999-01-01",
        ]
    ),
    "Price": st.sampled_from(["2.50", "1", "0.01", "1,200.75", "0", "-1", "0.001", "£3.10", "n", ""]),
    "Customer": st.sampled_from(["ana", "bia", "", "17850.0", "17850"]),
    "Country": st.sampled_from(["Germany", "EIRE", "", "Atlantis"]),
}
ROWS = st.lists(
    st.one_of(
        st.tuples(*(CELLS[column] for column in HEADER)).map(list),
        st.tuples(
            st.sampled_from(["1", "2", "3"]), st.sampled_from("AB"), st.just("Tea"),
            st.sampled_from(["1", "2", "-1"]), st.just("2024-03-06"), st.sampled_from(["2.50", "1"]),
            st.sampled_from(["ana", "bia"]), st.just("Germany"),
        ).map(list),
        st.just([]),
        st.just(["1", "too", "short"]),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@given(ROWS)
def test_every_line_is_accounted_for_and_sums_are_those_of_a_plain_computation(rows: list[list[str]]) -> None:
    if not any(rows):
        return
    with TemporaryDirectory() as folder:
        directory = Path(folder) / "shop"
        directory.mkdir()
        table = write_raw(directory / "sales.csv", HEADER, rows)
        conversion = convert(directory, WITH_SHIPPING)

        account_for_every_line(conversion, table)
        kept = rows_used(directory, table)
        compare_sums(conversion, kept)
        check_returns(conversion)
        ids = encode_everything(conversion)
        assert ids == encode_everything(convert(directory, WITH_SHIPPING))
        assert len(set(ids)) == len(ids)


def account_for_every_line(conversion: Conversion, table: Path) -> None:
    account_for_rows(conversion)
    (file,) = conversion.findings.files
    lines = table.read_bytes().decode().replace("\r\n", "\n").count("\n")
    assert file.header_lines + file.blank_lines + file.rows + file.further_lines == lines


def rows_used(directory: Path, table: Path) -> list[dict[str, str]]:
    """The rows of the table that `rejected.csv` does not list."""
    with rejected_file(directory).open(encoding="utf-8", newline="") as file:
        listed = {int(each["line"]): each["row"] for each in csv.DictReader(file)}
    kept = []
    with table.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        line = reader.line_num + 1
        for row in reader:
            if line in listed:
                assert next(csv.reader(StringIO(listed.pop(line), newline=""))) == row
            elif row:
                kept.append(dict(zip(HEADER, row, strict=True)))
            line = reader.line_num + 1
    assert not listed
    return kept


def compare_sums(conversion: Conversion, kept: list[dict[str, str]]) -> None:
    """Compare units and amounts of the events with those of the used rows, for each product."""
    expected: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    shipping = 0
    for row in kept:
        quantity = int(float(row["Qty"]))
        amount = to_minor(abs(quantity) * Decimal(row["Price"].replace(",", "").replace("£", "")), "GBP")
        if row["Sku"] == "POST":
            shipping += amount
            continue
        back = quantity < 0 or row["Invoice"].startswith("C")
        sums = expected["returned" if back else "sold", row["Sku"]]
        sums[0] += abs(quantity)
        sums[1] += amount
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    orders = records(conversion, "order_placed")
    for order in orders:
        for line in order["lines"]:
            found["sold", line["product_id"]][0] += line["quantity"]
            found["sold", line["product_id"]][1] += line["quantity"] * line["unit_price_minor"]
    for refund in records(conversion, "payment_refunded"):
        assert refund["amount_minor"] == sum(line["refund_minor"] for line in refund["lines"])
        for line in refund["lines"]:
            found["returned", line["product_id"]][0] += line["quantity"]
            found["returned", line["product_id"]][1] += line["refund_minor"]
    assert dict(found) == dict(expected)
    assert sum(line["shipping_minor"] for order in orders for line in order["lines"]) == shipping
    assert {order["order_id"]: order["lines"] for order in orders} == {
        order["order_id"]: order["lines"] for order in records(conversion, "order_confirmed")
    }


def check_returns(conversion: Conversion) -> None:
    """Apply the returns, by time, as the services would: none takes more than is left of its line."""
    orders = {order["order_id"]: order for order in records(conversion, "order_placed")}
    left = {
        order_id: {
            line["line_number"]: SoldLine(
                line["line_number"],
                line["product_id"],
                line["seller_id"],
                line["quantity"],
                line_amount_minor(line),
            )
            for line in order["lines"]
        }
        for order_id, order in orders.items()
    }
    for event in sorted(records(conversion, "order_returned"), key=lambda each: each["occurred_at"]):
        order = orders[event["order_id"]]
        assert event["occurred_at"] >= order["occurred_at"] == event["placed_at"]
        assert event["shopper_id"] == order["shopper_id"]
        left[event["order_id"]] |= check_return(left[event["order_id"]].values(), event).after


def encode_everything(conversion: Conversion) -> list[str]:
    """Encode every event by its schema, and return the ids."""
    ids = []
    for events in conversion.events:
        encoder = Encoder(all_events()[events.name], 1)
        named: list[dict[str, Any]] = records(conversion, events.name)
        for record in named:
            assert encoder.encode(record)
            ids.append(record["event_id"])
    return ids


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "cp1252", "utf-16"]))
def test_any_bytes_are_accounted_for_or_refused_in_one_line(content: bytes, encoding: str) -> None:
    header = ",".join(HEADER) + "\r\n"
    with TemporaryDirectory() as folder:
        directory = Path(folder) / "shop"
        directory.mkdir()
        (directory / "sales.csv").write_bytes(header.encode(encoding) + content)
        try:
            conversion = convert(directory, MAPPING.replace("sales.csv", f"sales.csv, encoding: {encoding}"))
        except UserError as error:
            refusal = str(error)
        else:
            refusal = ""
            account_for_rows(conversion)
        assert len(refusal.splitlines()) <= 1


def account_for_rows(conversion: Conversion) -> None:
    (file,) = conversion.findings.files
    assert sum(used(conversion).values()) + sum(unused(conversion).values()) == file.rows


@given(st.text(max_size=400))
def test_any_text_is_a_table_of_which_a_mapping_is_proposed_or_refused(text: str) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "sales.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            proposed = propose(Path(folder))
        except UserError as error:
            refusal = str(error)
        else:
            refusal = ""
            assert isinstance(YAML(typ="safe", pure=True).load(proposed), dict)
        assert len(refusal.splitlines()) <= 1

"""Costs of products as CSV: what is written can be read, and a bad row is named by its number."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import is_id
from common.problems import Problem
from producers.services.sellers.costs import (
    FIRST_DAY,
    LAST_DAY,
    MAX_COST_MINOR,
    Cost,
    ProductCosts,
    UnitCost,
    check_costs,
    read_costs,
    write_costs,
)
from producers.services.sellers.problems import TOO_MANY_COSTS, BadCosts

HEADER = "product_id,unit_cost,currency,valid_from\n"
DAYS = st.dates(FIRST_DAY, LAST_DAY)
AMOUNTS = st.integers(0, MAX_COST_MINOR)
# A spreadsheet cuts blanks at the ends of cells, so an id with one can't be sent as CSV.
IDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=128).filter(is_id)
PRODUCTS = st.dictionaries(
    IDS, st.tuples(st.booleans(), st.dictionaries(DAYS, AMOUNTS, max_size=3)), max_size=5
)
CURRENCIES = st.sampled_from(["BRL", "JPY", "KWD"])


def errors(text: str, currency: str = "BRL") -> list[tuple[int, str]]:
    with pytest.raises(BadCosts) as refused:
        check_costs(read_costs(text, currency), currency)
    return [tuple(error) for error in refused.value.errors]


@given(products=PRODUCTS, currency=CURRENCIES)
def test_the_file_that_is_downloaded_can_be_sent_back(
    products: dict[str, tuple[bool, dict[date, int]]], currency: str
) -> None:
    listed = [
        ProductCosts(name, shown, [UnitCost(amount, day) for day, amount in sorted(costs.items())])
        for name, (shown, costs) in products.items()
    ]

    costs = read_costs(write_costs(listed, currency), currency)

    check_costs(costs, currency)
    assert list(costs.values()) == [
        Cost(product.product_id, cost.valid_from, cost.unit_cost_minor, currency)
        for product in listed
        for cost in product.costs
    ]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        (HEADER + "lamp,12.90,BRL,2026-01-31\n", 1290),
        ("\ufeff" + HEADER + "lamp,12.9,BRL,2026-01-31", 1290),
        ("valid_from;name;currency;unit_cost;product_id\r\n2026-01-31;Ünï;BRL;12,90;lamp\r\n", 1290),
        ("product_id;unit_cost;currency;valid_from\nlamp;12.90;BRL;2026-01-31\n", 1290),
        (HEADER + '"lamp", 0 ,BRL,2026-01-31\n', 0),
        (HEADER + "desk,,BRL,\nlamp,,BRL,2026-01-31\n", None),
        ("product_id;unit_cost;currency;valid_from\nlamp;1.234,50;BRL;31/01/2026\n", 123_450),
        ("sep=;\nproduct_id;unit_cost;currency;valid_from\nlamp;R$ 1.234,50;BRL;31/01/26\n", 123_450),
        ("\n\nproduct_id\tunit_cost\tcurrency\tvalid_from\nlamp\t12,50\tBRL\t31.01.2026\n", 1250),
        (HEADER + 'lamp,"1,234.50",BRL,31 Jan 2026\n', 123_450),
        (HEADER + 'lamp,"12,50",BRL,1/31/2026\n', 1250),
        (HEADER + "lamp,1e3,BRL,2026-01-31\n", 100_000),
    ],
)
def test_a_cost_is_read_as_spreadsheets_write_it(text: str, amount: int | None) -> None:
    assert list(read_costs(text, "BRL").values()) == [Cost("lamp", date(2026, 1, 31), amount, "BRL")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("lamp,12.905,BRL,2026-01-31", "unit_cost '12.905' has more than the 2 decimals of BRL"),
        ("lamp,-1,BRL,2026-01-31", "unit_cost '-1' is below 0"),
        ("lamp,1e9999999,BRL,2026-01-31", "unit_cost '1e9999999' is not an amount such as 12.90"),
        ("lamp,12.5 %,BRL,2026-01-31", "unit_cost '12.5 %' is not an amount such as 12.90"),
        ("lamp,NaN,BRL,2026-01-31", "unit_cost 'NaN' is not an amount such as 12.90"),
        ("lamp,100000000.01,BRL,2026-01-31", f"the cost must be from 0 to {MAX_COST_MINOR} minor units"),
        ("lamp,1,EUR,2026-01-31", "the currency is 'EUR': send 'BRL'"),
        ("lamp,1,,2026-01-31", "the currency is '': send 'BRL'"),
        ("lamp,1,BRL,31/02/2026", "valid_from must be a day such as 2026-11-26"),
        (
            "lamp,1,BRL,5/6/2026",
            "valid_from '5/6/2026' may be 2026-05-06 or 2026-06-05: write the year first",
        ),
        ("lamp,1,BRL,", "valid_from must be a day such as 2026-11-26"),
        ("lamp,1,BRL,1999-12-31", "valid_from must be from 2000-01-01 to 2099-12-31"),
        (",1,BRL,2026-01-31", "product_id must have 1 to 128 characters, and no control characters"),
        ("lamp", None),
    ],
)
def test_a_bad_row_is_named_by_its_number(row: str, message: str | None) -> None:
    text = f"{HEADER}desk,1,BRL,2026-01-31\n{row}\n"

    if message is None:  # neither a cost nor a day
        assert list(read_costs(text, "BRL")) == [2]
    else:
        assert errors(text) == [(3, message)]


def test_the_file_settles_what_a_cell_does_not_say() -> None:
    header = "product_id;unit_cost;currency;valid_from\n"

    found = read_costs(header + "lamp;1.234;BRL;5/6/2026\ndesk;12,50;BRL;5/6/2026\n", "BRL")

    assert [(cost.unit_cost_minor, cost.valid_from) for cost in found.values()] == [
        (123_400, date(2026, 6, 5)), (1_250, date(2026, 6, 5)),
    ]  # fmt: skip
    assert errors(header + "lamp;1.234;BRL;2026-06-05\n") == [
        (2, "unit_cost '1.234' may have a decimal separator or not: write it as 12.90")
    ]


@given(cells=st.lists(st.tuples(IDS, st.text(max_size=20), st.text(max_size=20)), max_size=4))
def test_any_file_is_costs_or_rows_with_a_reason(cells: list[tuple[str, str, str]]) -> None:
    text = HEADER + "".join(f"{product},{amount},BRL,{day}\n" for product, amount, day in cells)

    try:
        check_costs(read_costs(text, "BRL"), "BRL")
    except BadCosts as refused:
        assert refused.errors  # noqa: PT017


def test_all_bad_rows_are_named_and_a_duplicate_with_the_row_that_it_repeats() -> None:
    text = HEADER + "lamp,1,BRL,2026-01-31\nlamp,2,BRL,2026-01-31\ndesk,1,EUR,2026-01-31\n"

    assert errors(text) == [
        (3, "row 2 has the same product and the same valid_from"),
        (4, "the currency is 'EUR': send 'BRL'"),
    ]


def test_a_currency_without_decimals_takes_none() -> None:
    assert errors(HEADER + "lamp,12.5,JPY,2026-01-31\n", "JPY") == [
        (2, "unit_cost '12.5' has more than the 0 decimals of JPY")
    ]


@pytest.mark.parametrize(
    "text", ["", "product,unit_cost\n", "product_id,unit_cost,valid_from\nlamp,1,2026-01-31"]
)
def test_a_missing_column_is_named(text: str) -> None:
    [(row, message)] = errors(text)

    assert row == 1
    assert message.startswith("the header lacks the column")


def test_what_is_not_csv_is_refused() -> None:
    assert errors(HEADER + 'lamp,"1"2,BRL,2026-01-31\n')[0][0] == 2


def test_more_costs_than_a_request_may_have_are_refused() -> None:
    rows = "".join(f"lamp-{number},1,BRL,2026-01-31\n" for number in range(5_001))

    with pytest.raises(Problem, match="5,000 costs") as refused:
        read_costs(HEADER + rows, "BRL")
    assert TOO_MANY_COSTS.matches(refused.value)

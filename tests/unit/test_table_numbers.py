"""Numbers as spreadsheets and people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.kit.tables.numbers import NotANumber, Separator, decimal_separator, read_number, scaled

NUMBER_LIKE = st.text(st.sampled_from("0123456789.,-+ '’eE()$€R¤\u00a0٣５²½"), max_size=30)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1200", "1200"),
        ("１２００", "1200"),
        ("١٢٠٠", "1200"),
        ("1,299.90", "1299.90"),
        ("1.299,90", "1299.90"),
        ("1’299.90", "1299.90"),
        ("1 299,90", "1299.90"),
        ("1\u00a0299,90", "1299.90"),
        ("1\u202f299\u202f000,90 €", "1299000.90"),
        ("₹1,05,999.00", "105999.00"),
        ("12,34,567", "1234567"),
        ("1,234,567", "1234567"),
        ("(12.50)", "-12.50"),
        ("($12.50)", "-12.50"),
        ("$(12.50)", "-12.50"),
        ("12.50-", "-12.50"),
        ("-12.50", "-12.50"),
        ("−12.50", "-12.50"),
        ("-$12.50", "-12.50"),
        ("$-12.50", "-12.50"),
        ("R$ -12,50", "-12.50"),
        ("+12.50", "12.50"),
        ("EUR 19,90", "19.90"),
        ("19,90 eur", "19.90"),
        ("AU $19.90", "19.90"),
        ("US$19.90", "19.90"),
        ("$19.90 USD", "19.90"),
        ("Rs.1,05,999.50", "105999.50"),
        ("19,90 zł", "19.90"),
        ("kr 19,90", "19.90"),
        ("＄19.90", "19.90"),
        (".5", "0.5"),
        ("0,123", "0.123"),
        ("1.5E+03", "1500"),
        ("1,5E-01", "0.15"),
        ("\u200e12.50\u200f", "12.50"),
    ],
)
def test_a_number_that_says_its_decimal_separator_is_read(text: str, number: str) -> None:
    assert read_number(text, None) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["", "-", "x", "1.2.3", "1,2,3", "12,345,67", "1.05.999,00", "1 2", "--5", "-5-", "(-5)", "(5", "5)",
     "5.", "NaN", "Infinity", "0x1f", "1e9999999", "39e1804512", "7e12345678901234", "1,234.5E3", "5²", "½",
     "50¢", "10 %", "1_000", "12:50", "2024-03-05", "5 each", "9" * 101,
     # with as many blanks as a cell may have, which a pattern could divide among its places for years
     f"({' ' * 48}1{' ' * 48}x", f"1{' ' * 98}x", f"R${' ' * 96}x"],
)  # fmt: skip
def test_other_texts_are_no_numbers(text: str) -> None:
    assert [read_number(text, each) for each in (None, ".", ",")] == [NotANumber.NO_NUMBER] * 3


@pytest.mark.parametrize(
    ("text", "as_point", "as_comma"),
    [("1,234", "1234", "1.234"), ("$1.234", "1.234", "1234"), ("12,5", None, "12.5"), ("12.5", "12.5", None)],
)
def test_the_column_settles_what_a_text_alone_does_not_say(
    text: str, as_point: str | None, as_comma: str | None
) -> None:
    found = [read_number(text, "."), read_number(text, ",")]

    assert found == [Decimal(each) if each else NotANumber.NO_NUMBER for each in (as_point, as_comma)]
    assert (read_number(text, None) is NotANumber.AMBIGUOUS) == (None not in (as_point, as_comma))


def test_the_decimal_separator_of_a_column_is_that_of_its_unambiguous_numbers() -> None:
    assert decimal_separator(["1.234", "x", "12,50", "3"]) == ","
    assert decimal_separator(["1,234", "12.50"]) == "."
    assert decimal_separator(["1,234", "7"]) is None
    assert decimal_separator(["12,50", "12.50"]) is None


@given(
    st.decimals(-(10**12), 10**12, places=2, allow_nan=False),
    st.sampled_from(["{:,.2f}", "{:.2f}", "R$ {:,.2f}", "{:,.2f} USD"]),
)
def test_what_a_program_writes_is_read_with_either_separator(number: Decimal, written: str) -> None:
    text = written.format(number)
    swapped = text.translate(str.maketrans(",.", ".,"))

    assert read_number(text, ".") == number == read_number(swapped, ",")


@given(st.one_of(NUMBER_LIKE, st.text()), st.sampled_from([None, ".", ","]), st.integers(0, 8))
def test_any_text_is_a_number_or_none(text: str, decimal: Separator | None, digits: int) -> None:
    number = read_number(text, decimal)

    if isinstance(number, Decimal):
        whole = scaled(number, digits)
        assert number.is_finite()
        assert whole is None or whole == int(number.scaleb(digits)) or len(text) > 20

"""Amounts of money, whose decimals come from ISO 4217 alone."""

import ast
from decimal import Decimal

import babel.numbers
import pytest

from clickhouse.views import minor_units as minor_units_in_sql
from common.money import MINOR_DIGITS, InexactMoney, format_money, minor_digits, to_major, to_minor
from common.settings import ROOT

ISO_4217 = {
    "BRL": 2, "EUR": 2, "USD": 2,
    "RSD": 2, "ALL": 2, "LBP": 2,
    "COP": 2, "HUF": 2, "IDR": 2, "PKR": 2, "UZS": 2,
    "AFN": 2, "IRR": 2, "KPW": 2, "LAK": 2, "MGA": 2, "MMK": 2, "SOS": 2, "SYP": 2, "YER": 2,
    "JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "PYG": 0, "UGX": 0, "VND": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "IQD": 3, "KWD": 3, "BHD": 3, "JOD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip
"""Currency → the decimals of its minor unit. Stored amounts are scaled with them: never change one."""


@pytest.mark.parametrize("currency", ISO_4217)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str) -> None:
    assert minor_digits(currency) == ISO_4217[currency]
    smallest = Decimal(1).scaleb(-ISO_4217[currency])
    assert to_minor(smallest, currency) == 1
    assert to_major(1, currency) == smallest
    with pytest.raises(InexactMoney):
        to_minor(smallest / 10, currency)


@pytest.mark.parametrize("amount", ["1e31", "-1e31", "1e999990", "1e9999999", "Infinity", "NaN"])
def test_what_is_no_amount_is_refused_at_once(amount: str) -> None:
    with pytest.raises(InexactMoney):
        to_minor(Decimal(amount), "BRL")


def test_an_amount_in_dinars_keeps_its_paras() -> None:
    assert to_minor("150.51", "RSD") == 15051
    assert format_money(15051, "RSD", "en_US") == "RSD150.51"
    assert format_money(1_234_567, "IQD", "en_US") == "IQD1,234.567"
    assert format_money(-129_900, "JPY", "en_US") == "-¥129,900"
    assert format_money(129_990, "BRL", "pt_BR") == "R$\N{NO-BREAK SPACE}1.299,90"


def test_an_update_of_babel_scales_no_amount_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned_by_cldr(currency: str) -> int:
        raise AssertionError(f"the decimals of {currency} were read from Babel")

    before = {currency: format_money(123_456, currency, "en_US") for currency in ISO_4217}
    monkeypatch.setattr(babel.numbers, "get_currency_precision", planned_by_cldr)

    assert {currency: format_money(123_456, currency, "en_US") for currency in ISO_4217} == before
    assert {currency: minor_digits(currency) for currency in ISO_4217} == ISO_4217


def test_no_module_reads_the_decimals_with_which_cldr_displays_a_currency() -> None:
    reading = []
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[0] in ("tests", ".venv"):
            continue
        text = path.read_text(encoding="utf-8")
        if "babel.numbers" in text and names_imported(text) & {"get_currency_precision", "format_currency"}:
            reading.append(path.relative_to(ROOT))
    scripts = (ROOT / "serving" / "web" / "static").rglob("*.js")
    reading += [path for path in scripts if "resolvedOptions" in path.read_text(encoding="utf-8")]

    assert reading == []


def names_imported(text: str) -> set[str]:
    """The names that a module imports from others."""
    imports = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))
    return {alias.name for node in imports for alias in node.names}


def test_views_for_analysts_have_the_same_decimals() -> None:
    expression = minor_units_in_sql()
    for currency, digits in MINOR_DIGITS.items():
        assert f"'{currency}'" in expression, digits
    assert expression.endswith(", 100)")

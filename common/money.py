"""Exact money: integers in minor units (cents) beside an ISO 4217 currency code."""

from collections.abc import Mapping
from copy import copy
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern

from common.errors import SoukError

MINOR_DIGITS: Mapping[str, int] = {
    currency: digits
    for digits, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}
"""Currency → the decimals of its minor unit (ISO 4217, list one). All other currencies have `USUAL_DIGITS`.

Stored amounts are in minor units, so this table must not change with a library: Babel has the decimals with
which CLDR *displays* a currency, which are fewer for ALL, IQD, LBP, RSD and others, and change with CLDR."""

USUAL_DIGITS = 2

_MAX_MAGNITUDE = 30
"""The digits before the point of an amount, less one. `1e999999` is six characters, and takes a minute as an
integer."""


def minor_digits(currency: str) -> int:
    """Return how many decimals the minor unit of a currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return MINOR_DIGITS.get(currency, USUAL_DIGITS)


def minor_units(currency: str) -> int:
    """Return how many minor units one unit of a currency has: 100 for EUR, 1 for JPY, 1000 for KWD."""
    return int(10 ** minor_digits(currency))


class InexactMoney(SoukError):
    """An amount has more decimals than its currency has minor units."""


def to_minor(amount: Decimal | float | str, currency: str) -> int:
    """Convert an amount in major units (`"129.90"`, `129.9`) to minor units (`12990`), exactly.

    A float is read by its shortest decimal form: `58.9` is exactly 58.90.

    Raises:
        InexactMoney: the amount has a fraction of a minor unit, is not a finite number, or is too large.
    """
    decimal = Decimal(str(amount)) if isinstance(amount, float) else Decimal(amount)
    if not decimal.is_finite() or decimal.adjusted() > _MAX_MAGNITUDE:
        raise InexactMoney(f"{amount!r} is not an amount of money")
    scaled = decimal.scaleb(minor_digits(currency))
    minor = int(scaled)
    if minor != scaled:
        raise InexactMoney(f"{amount} has a fraction of a minor unit of {currency}")
    return minor


def to_major(minor: int, currency: str) -> Decimal:
    """Convert minor units (`12990`) to major units (`Decimal("129.90")`)."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return the quotient, rounded half up. `denominator` must be above 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def format_money(minor: int, currency: str, locale: str) -> str:
    """Return an amount as text in the locale's format, such as `R$129.90`, with all its decimals."""
    pattern = _pattern(locale, minor_digits(currency))
    return str(pattern.apply(to_major(minor, currency), locale, currency=currency, currency_digits=False))


@lru_cache
def _pattern(locale: str, digits: int) -> NumberPattern:
    pattern: NumberPattern = copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern

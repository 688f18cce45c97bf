"""Exact money: integers in minor units (cents) beside an ISO 4217 currency code."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

from common.errors import SoukError


class InexactMoney(SoukError):
    """An amount has more decimals than its currency has minor units."""


def to_minor(amount: Decimal | float | str, currency: str) -> int:
    """Convert an amount in major units (`"129.90"`, `129.9`) to minor units (`12990`), exactly.

    A float is read by its shortest decimal form: `58.9` is exactly 58.90.

    Raises:
        InexactMoney: the amount has a fraction of a minor unit, or is not a finite number.
    """
    decimal = Decimal(str(amount)) if isinstance(amount, float) else Decimal(amount)
    if not decimal.is_finite():
        raise InexactMoney(f"{amount!r} is not an amount of money")
    scaled = decimal.scaleb(get_currency_precision(currency))
    minor = int(scaled)
    if minor != scaled:
        raise InexactMoney(f"{amount} has a fraction of a minor unit of {currency}")
    return minor


def to_major(minor: int, currency: str) -> Decimal:
    """Convert minor units (`12990`) to major units (`Decimal("129.90")`)."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return the quotient, rounded half up. `denominator` must be above 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def format_money(minor: int, currency: str, locale: str) -> str:
    """Return an amount as text in the locale's format, such as `R$129.90`."""
    return format_currency(to_major(minor, currency), currency, locale=locale)

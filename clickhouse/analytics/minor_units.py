"""The number of minor units (cents) in one unit of each currency, for the views."""

from babel.numbers import get_currency_precision, list_currencies

from clickhouse.literals import quoted


def minor_units() -> str:
    """Return an expression: the number of minor units in one unit of the column `currency`."""
    precisions = {code: get_currency_precision(code) for code in sorted(list_currencies())}
    others = {code: 10**digits for code, digits in precisions.items() if digits != 2}
    codes, units = ", ".join(map(quoted, others)), ", ".join(map(str, others.values()))
    return f"transform(currency, [{codes}], [{units}], 100)"

"""Keeps the number of decimals with which a shop's amounts are stored.

Stored amounts are integers in minor units. A release with other decimals for the shop's currency would
read all of them as amounts that are ten, a hundred or a thousand times as high or low.
"""

from clickhouse_connect.driver.client import Client

from common.errors import UserError
from common.money import minor_digits

_WITHOUT_DECIMALS = frozenset(
    ["AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"]
)
"""Currencies whose amounts version 0.1.0 and earlier stored without decimals, unlike ISO 4217."""


def check_minor_digits(client: Client, currency: str) -> None:
    """Store the decimals of the shop's currency at the first call, and compare them at later ones.

    Raises:
        UserError: the amounts of this currency are stored with other decimals.
    """
    if not client.command("EXISTS TABLE stored_minor_digits"):
        return  # without the migration, there are no amounts
    named = {"currency": currency}
    stored = client.query(
        "SELECT digits FROM stored_minor_digits FINAL WHERE currency = {currency:String}", named
    ).result_rows
    digits = stored[0][0] if stored else _first_digits(client, currency)
    if digits != minor_digits(currency):
        raise UserError(
            f"amounts in {currency} are stored with {digits} decimals here, and ISO 4217 has "
            f"{minor_digits(currency)}: set SOUK_HOME to a new directory, and import the shop's tables again"
        )
    if not stored:
        client.insert("stored_minor_digits", [[currency, digits]], column_names=["currency", "digits"])


def _first_digits(client: Client, currency: str) -> int:
    if currency not in _WITHOUT_DECIMALS:
        return minor_digits(currency)
    orders = client.query(
        "SELECT 1 FROM order_placed WHERE currency = {currency:String} LIMIT 1", {"currency": currency}
    ).result_rows
    return 0 if orders else minor_digits(currency)

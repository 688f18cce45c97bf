"""What a cell of a CSV file says of a value of the JSON, for a shop whose currency has two decimals."""

from decimal import Decimal
from typing import Any

from clickhouse.metric_catalogue.definition import read_every_metric


def cell(value: Any, *, is_money: bool = False) -> str:
    """Return the text of a value; money has minor units."""
    if value is None:
        return ""
    return str(Decimal(value).scaleb(-2)) if is_money else str(value)


def metric_cells(values: dict[str, Any]) -> dict[str, str]:
    """Return the texts of values of metrics, by their names."""
    every = read_every_metric()
    return {name: cell(value, is_money=every[name].unit == "money") for name, value in values.items()}

"""The parts of a mapping: files, ids, times, amounts, statuses."""

import codecs
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

MISSING = ("", "NULL", "null", "NaN", "nan", "None", "N/A", "#N/A", "\\N")
"""Cells that count as empty, unless the mapping lists others."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""An id or a name, without control characters."""

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""The name of a column as its file has it: names in workbooks may have several lines."""

MAX_SKIPPED_LINES = 1_000
"""Limit of the lines before the header."""

TIME_FORMATS = ("iso", "day_first", "month_first", "unix", "unix_ms", "excel")
"""The formats of times that have a name. The first three tell the order of day and month in digits."""

PaymentMethod = Literal[
    "unknown", "credit_card", "debit_card", "boleto", "voucher", "pix", "bank_transfer", "wallet", "cash"
]


class Section(BaseModel):
    """A part of the mapping. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def column_as_section(value: Any) -> Any:
    """Return the section that a column's name alone stands for."""
    return {"column": value} if isinstance(value, str | list) else value


def as_list(value: Any) -> Any:
    """Return a list with a single text; other values are returned unchanged."""
    return [value] if isinstance(value, str) else value


def _is_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError(f"{name!r} is not an encoding: write utf-8, cp1252 or latin-1") from error
    return name


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{name!r} is not a time zone: write it as Europe/London") from error
    return name


def _is_time_format(text: str) -> str:
    """Check a format by writing and reading a time with it: strptime knows fewer codes than strftime."""
    if text in TIME_FORMATS:
        return text
    try:
        if "%" not in text:
            raise ValueError("it has no %")
        datetime.strptime(datetime(2024, 3, 5, 10, 30, tzinfo=UTC).strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        names = ", ".join(TIME_FORMATS)
        raise ValueError(f"{text!r} is not a format of times: write {names}, or as '%d/%m/%Y'") from error
    return text


def _is_currency(code: str) -> str:
    if code not in list_currencies():
        raise ValueError(f"{code!r} is not a currency: write its ISO 4217 code, such as GBP")
    return code


Columns = Annotated[list[ColumnName], BeforeValidator(as_list), Field(min_length=1, max_length=5)]
Currency = Annotated[str, AfterValidator(_is_currency)]
Texts = Annotated[list[Text], BeforeValidator(as_list)]


class FileFormat(Section):
    """How a file is written. `sheet` is of workbooks; Parquet files need only `decimal`, for texts."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    encoding: Annotated[str, AfterValidator(_is_encoding)] = "utf-8"
    decimal: Literal[".", ","] = "."
    skip_lines: Annotated[int, Field(ge=0, le=MAX_SKIPPED_LINES)] = 0
    sheet: Text | None = None


class LineFiles(FileFormat):
    """Files whose rows are order lines. `path` is relative to the directory and may contain `*`."""

    path: Text


class Join(FileFormat):
    """A file whose columns are added to the lines: the row whose `key` equals the lines' column `on`."""

    path: Text
    on: ColumnName
    key: str = ""

    @property
    def key_column(self) -> str:
        """The column of this file that identifies its rows."""
        return self.key or self.on


class TextColumn(Section):
    """The first column of `column` with a value."""

    column: Columns


class OrderId(Section):
    """Which lines are one order. `otherwise` applies to lines without a value, and without `column`."""

    column: Annotated[list[ColumnName], BeforeValidator(as_list), Field(max_length=5)] = []
    otherwise: Literal["reject", "shopper_and_time", "row"] = "reject"

    @model_validator(mode="after")
    def _says_how(self) -> "OrderId":
        if not self.column and self.otherwise == "reject":
            raise ValueError("name a column, or write `otherwise: shopper_and_time` or `otherwise: row`")
        return self


class Shopper(TextColumn):
    """Who bought. With `hash`, events have a digest instead of the value, such as an e-mail address."""

    hash: bool = False


class Seller(Section):
    """One seller for all lines (`id`), or a column."""

    id: Text | None = None
    name: Text | None = None
    column: Annotated[list[ColumnName], BeforeValidator(as_list), Field(max_length=5)] = []
    name_column: ColumnName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Seller":
        if bool(self.id) == bool(self.column):
            raise ValueError("give either `id` (one seller for all lines) or `column`")
        return self


class Time(Section):
    """When it happened. Several columns are joined by a space. A time with an offset needs no `zone`.

    `format` is one of `TIME_FORMATS`, or a format of strptime.
    """

    column: Columns
    format: Annotated[Text, AfterValidator(_is_time_format)] = "iso"
    zone: Annotated[str, AfterValidator(_is_zone)] = "UTC"


class Price(Section):
    """The price of one unit, or of the whole line. `round` accepts fractions of the smallest coin."""

    column: ColumnName
    of: Literal["unit", "line"] = "unit"
    round: bool = False


class Amount(Section):
    """A further amount of each unit or line, or of the whole order: the sum of `column`, less that of `less`.

    `negative`: `column` has it as −5.00.
    """

    column: Columns
    less: Annotated[list[ColumnName], BeforeValidator(as_list), Field(max_length=5)] = []
    of: Literal["unit", "line", "order"] = "line"
    negative: bool = False


class CurrencyOfLines(Section):
    """The currency of all amounts. With `column`, lines of another currency are not used."""

    only: Currency
    column: ColumnName | None = None


class Country(Section):
    """The shopper's country: its code or its name. `values` translates other texts to codes."""

    column: Columns
    values: dict[str, Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]] = {}


class Payment(Section):
    """How it was paid. `values`: text of the column → method of the platform. Other texts are `unknown`."""

    column: Columns
    values: dict[str, PaymentMethod] = {}


class Status(Section):
    """What became of an order or a line. Other values count as confirmed. Case does not matter."""

    column: ColumnName
    cancelled: Texts = []
    unpaid: Texts = []
    returned: Texts = []

    @model_validator(mode="after")
    def _has_disjoint_values(self) -> "Status":
        values = [value.casefold() for value in (*self.cancelled, *self.unpaid, *self.returned)]
        if not values:
            raise ValueError("list the values that mean `cancelled`, `unpaid` or `returned`")
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} is listed twice")
        return self


class Returns(Section):
    """Which lines take an earlier sale back: those with a quantity below 0, or with such an order id."""

    negative_quantity: bool = True
    order_prefix: Texts = []

"""The mapping of a shop's tables: which column is the order, the product, the price, … (docs/import.md).

It is read from a YAML file. Every mistake is one line that says where it is and what to do.
"""

import codecs
import re
from datetime import UTC, datetime
from pathlib import Path
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
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from common.errors import UserError

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


Order = Annotated[OrderId, BeforeValidator(column_as_section)]
Column = Annotated[TextColumn, BeforeValidator(column_as_section)]
TextOfLine = Annotated[str | None, StringConstraints(min_length=1)]


class Mapping(Section):
    """The whole mapping."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    id_prefix: Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    files: Annotated[list[LineFiles], Field(min_length=1)]
    joins: list[Join] = Field(default=[])
    missing: list[str] = Field(default=list(MISSING))
    duplicates: Literal["drop", "keep"] = "drop"
    order: Order
    line: TextOfLine = None
    product: Column
    product_name: Column | None = None
    category: Column | None = None
    shopper: Annotated[Shopper | None, BeforeValidator(column_as_section)] = None
    country: Annotated[Country | None, BeforeValidator(column_as_section)] = None
    seller: Annotated[Seller, BeforeValidator(column_as_section)]
    time: Annotated[Time, BeforeValidator(column_as_section)]
    price: Annotated[Price, BeforeValidator(column_as_section)]
    quantity: TextOfLine = None
    currency: Annotated[CurrencyOfLines, BeforeValidator(lambda v: {"only": v} if isinstance(v, str) else v)]
    discount: Annotated[Amount | None, BeforeValidator(column_as_section)] = None
    shipping: Annotated[Amount | None, BeforeValidator(column_as_section)] = None
    tax: Annotated[Amount | None, BeforeValidator(column_as_section)] = None
    payment: Annotated[Payment | None, BeforeValidator(column_as_section)] = None
    status: Status | None = None
    cancelled_at: Annotated[Time | None, BeforeValidator(column_as_section)] = None
    returns: Returns = Returns()
    shipping_products: Texts = Field(default=[])
    not_products: Texts = Field(default=[])

    def columns(self) -> dict[str, list[str]]:
        """Return field → the columns that it reads, for every field that reads one."""
        found: dict[str, list[str]] = {}
        for field in type(self).model_fields:
            value = getattr(self, field)
            parts = [getattr(value, part, None) for part in ("column", "less", "name_column")]
            named = [value] if field in ("line", "quantity") else parts
            found[field] = [name for part in named if part for name in as_list(part)]
        return {field: columns for field, columns in found.items() if columns}

    @model_validator(mode="after")
    def _reads_each_number_once(self) -> "Mapping":
        """Refuse a column that is read as a number or a time and as something else, too."""
        fields: dict[str, str] = {}
        for field, columns in self.columns().items():
            for column in columns:
                other = fields.setdefault(column, field)
                if other != field and _NUMBERS & {field, other}:
                    raise ValueError(f"the column {column!r} is given twice: as {other} and as {field}")
        return self


_NUMBERS = {"time", "price", "quantity", "discount", "shipping", "tax", "cancelled_at"}
_MAX_BYTES = 1 << 20


def read_mapping(path: Path) -> Mapping:
    """Return the mapping in a file.

    Raises:
        UserError: the file can't be read, is not YAML, or is not a mapping.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UserError(f"{path} has more than {_MAX_BYTES:,} bytes: that is not a mapping")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"the mapping {path} can't be read ({error.strerror}): `./souk import --guess DIR` proposes one"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"the mapping {path} is not UTF-8: save it as UTF-8") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, where: str) -> Mapping:
    """Return the mapping in a text; `where` names it in messages.

    Raises:
        UserError: the text is not YAML, or not a mapping.
    """
    try:
        parsed = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        is_twice = isinstance(error, DuplicateKeyError)
        what = ": a key is given twice: keep one of them" if is_twice else f" is not YAML: {error.problem}"
        raise UserError(f"{where}, line {line}{what}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{where} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(parsed, dict):
        raise UserError(f"{where} is not a mapping: it must have `name`, `files`, `order` and so on")
    try:
        return Mapping.model_validate(parsed)
    except ValidationError as error:
        raise UserError(f"{where}: {_first_mistake(error)}") from error


def _first_mistake(error: ValidationError) -> str:
    first, *others = error.errors()
    place = ".".join(str(part) for part in first["loc"])
    return _explain(place, first) + (f" (and {len(others)} more)" if others else "")


def _explain(place: str, mistake: Any) -> str:
    message = mistake["msg"].removeprefix("Value error, ")
    explained = {
        "missing": f"`{place}` is missing: docs/import.md lists what a mapping needs",
        "extra_forbidden": f"there is no `{place}` in a mapping: see docs/import.md",
        "string_type": f"`{place}` must be a text: write it in quotes",
    }
    return explained.get(mistake["type"], f"`{place}`: {message}" if place else message)

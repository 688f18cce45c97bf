"""The mapping of a shop's tables: which column is the order, the product, the price, … (docs/import.md)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from common.money import minor_digits
from producers.importer.mapped.sections import (
    MISSING,
    Amount,
    Country,
    CurrencyOfLines,
    Join,
    LineFiles,
    OrderId,
    Payment,
    Price,
    Returns,
    Section,
    Seller,
    Shopper,
    Status,
    TextColumn,
    Texts,
    Time,
    as_list,
    column_as_section,
)

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

    @property
    def minor_digits(self) -> int:
        """How many decimals the currency has."""
        return minor_digits(self.currency.only)

    def columns(self) -> dict[str, list[str]]:
        """Return field → the columns that it reads, for every field that reads one."""
        return {field: columns for field, columns in self._columns() if columns}

    def _columns(self) -> Iterator[tuple[str, list[str]]]:
        for field in type(self).model_fields:
            value = getattr(self, field)
            if field in ("line", "quantity"):
                yield field, [value] if value else []
            elif isinstance(value, Seller):
                yield field, [*value.column, *([value.name_column] if value.name_column else [])]
            elif isinstance(value, Amount):
                yield field, [*value.column, *value.less]
            elif hasattr(value, "column"):
                yield field, as_list(value.column) or []

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

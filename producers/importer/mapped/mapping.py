"""The mapping of a shop's tables: which column is the order, the product, the price, … (docs/import.md).

It is read from a YAML file. Every mistake is one line that says where it is and what to do.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from common.errors import UserError
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

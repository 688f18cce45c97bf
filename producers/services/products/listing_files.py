"""Files of listings: reads the cells of sellers' spreadsheets, and writes listings as cells. Pure.

A file has a row for each listing. Its header names what the rows have, in English or Portuguese; what a file
does not name stays as it is. A row is found by `product_id`, or by `sku`.
"""

import csv
import re
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from common.errors import UserError
from common.ids import is_id
from common.money import minor_digits, to_major
from producers.kit.listings import MAX_ON_HAND
from producers.kit.tables.characters import without_accents
from producers.kit.tables.files import DELIMITERS, UnknownEncoding, encoding_of, kind_of, stated_delimiter
from producers.kit.tables.numbers import (
    NotANumber,
    Separator,
    decimal_separator,
    read_number,
    scaled,
    separator_of,
)
from producers.kit.tables.records import guarded, read_records, unguarded
from producers.kit.tables.workbooks import Workbook
from producers.services.products.model import Listing, ListingChange, Value
from schemas.product_categories import ProductAttribute, ProductCategory

MAX_ROWS = 100_000
MAX_VALUE_SHOWN = 200
"""Characters of a cell that a report shows."""

_MAX_UNZIPPED = 512 << 20
"""Bytes of an unzipped workbook. The largest file of `MAX_ROWS` rows has a fifth of that."""

_HEADER_WITHIN = 20
"""The header is one of so many first lines."""

KEYS = ("product_id", "sku")

ATTRIBUTE = "attribute."
"""Begins the name of the column of an attribute: `attribute.colour`."""

COLUMNS: Mapping[str, Sequence[str]] = {
    "product_id": ("id_do_produto", "codigo_do_produto"),
    "sku": ("codigo", "referencia", "seller_sku"),
    "name": ("nome", "title", "titulo", "product_name", "nome_do_produto"),
    "category": ("categoria",),
    "description": ("descricao",),
    "price": ("preco", "unit_price", "preco_unitario", "preco_r", "price_r"),
    "currency": ("moeda",),
    "condition": ("condicao",),
    "handling_days": ("prazo_de_envio", "dias_de_preparo", "prazo_de_postagem"),
    "status": ("situacao",),
    "stock": ("estoque", "on_hand", "quantity", "quantidade"),
    "group": ("grupo", "group_id"),
    "pictures": ("fotos", "imagens", "images"),
    "weight_g": ("peso_g",),
    "length_cm": ("comprimento_cm",),
    "height_cm": ("altura_cm",),
    "width_cm": ("largura_cm",),
}
"""The columns in the order in which they are written → their other names, folded."""

CLEARABLE = frozenset(
    {"description", "handling_days", "pictures", "weight_g", "length_cm", "height_cm", "width_cm"}
)
"""An empty cell of these columns, or of an attribute, removes the value. Others change nothing."""

FIELDS = {**{name: name for name in COLUMNS}, "price": "price_minor", "group": "group_id"}
"""Column → the field of `Listing`."""

_NUMBERS = ("price", "stock", "handling_days", "weight_g", "length_cm", "height_cm", "width_cm")

_STATUSES = {
    "draft": ("rascunho",),
    "listed": ("anunciado", "ativo", "active"),
    "delisted": ("retirado", "pausado", "inativo", "inactive"),
    "blocked": ("bloqueado",),
}
_CONDITIONS = {
    "new": ("novo", "nova"),
    "used": ("usado", "usada"),
    "refurbished": ("recondicionado", "recondicionada"),
}


class BadFile(Exception):
    """No row of a file can be used. `code` is stable, the text says what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason.replace("\0", "\ufffd"))  # PostgreSQL stores no NUL
        self.code = code


class BadCell(Exception):
    """A cell can't be used. `code` is stable, the text says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Defect:
    """Why a row was refused. `row` is its number in the spreadsheet, in which the header is mostly row 1."""

    row: int
    column: str
    value: str
    code: str
    reason: str

    @classmethod
    def of(cls, row: int, column: str, value: str, error: BadCell) -> "Defect":
        """Return the defect of a cell. PostgreSQL stores no NUL."""
        column, value, reason = (text.replace("\0", "\ufffd") for text in (column, value, str(error)))
        return cls(row, column[:MAX_VALUE_SHOWN], value[:MAX_VALUE_SHOWN], error.code, reason)


class Row(NamedTuple):
    """A row of a file: the text of each column, or why the row can't be read."""

    number: int
    cells: Mapping[str, str] | BadCell


@dataclass(frozen=True, slots=True)
class Overview:
    """What only a whole file says.

    `rows` is the number of rows that are not blank. `repeated` are the numbers of rows that are about the
    listing of an earlier row, with the number of that one.
    """

    rows: int
    decimal: Separator | None
    repeated: Mapping[int, int]


class ListingFile:
    """A file of listings on disk: CSV as spreadsheets of many countries write it, or a workbook.

    `columns` are the names of its columns, None for one that is not known. `unknown` are the names of these.
    """

    def __init__(self, path: Path, attributes: Mapping[str, ProductAttribute]) -> None:
        """Find the header.

        Raises:
            BadFile: it is no table, or its header lacks what is needed.
        """
        self._path = path
        self._attributes = attributes
        self._is_guessed = False
        try:
            kind = kind_of(path)
            self._is_workbook = kind == "workbook"
            if kind == "parquet":
                raise UserError(f"{path} is a Parquet file: export the table as CSV or xlsx")
            if self._is_workbook:
                _check_size(path)
                self._workbook = Workbook(path)
                self._sheet = self._workbook.largest_sheet()
                self._find_header_of_sheet()
            else:
                self._encoding = self._find_encoding()
                self._find_header_of_text()
        except UserError as error:
            raise BadFile("not-a-table", _about_file(error, path)) from error
        self.columns = columns_of(self.header, attributes)
        self._check_header()

    def rows(self) -> Generator[Row, None, None]:
        """Yield the rows after the header that are not blank.

        Raises:
            BadFile: the file can't be read to its end.
        """
        try:
            for number, record in self._records():
                if record is None:
                    why = "The quotes of this row are malformed. Double a quote inside a quoted cell."
                    yield Row(number, BadCell("bad-quotes", why))
                elif any(cell.strip() for cell in record):
                    yield Row(number, self._cells(record))
        except UserError as error:
            raise BadFile("not-a-table", _about_file(error, self._path)) from error

    def overview(self) -> Overview:
        """Read the whole file, and return what only all of its rows say.

        Raises:
            BadFile: it has no rows, or too many of them.
        """
        numbers: set[str] = set()
        first_rows: dict[tuple[str, str], int] = {}
        repeated: dict[int, int] = {}
        count = 0
        for row in self.rows():
            count += 1
            if count > MAX_ROWS:
                raise BadFile("too-many-rows", f"The file has more than {MAX_ROWS:,} rows. Split it.")
            if isinstance(row.cells, BadCell):
                continue
            numbers.update(text for name in _NUMBERS if (text := row.cells.get(name, "")))
            if key := key_of(row.cells):
                first = first_rows.setdefault(key, row.number)
                if first != row.number:
                    repeated[row.number] = first
        if not count:
            raise BadFile("no-rows", "The file has no row after the header.")
        return Overview(count, self._decimal(numbers), repeated)

    def _decimal(self, numbers: set[str]) -> Separator | None:
        """Return the decimal separator that unambiguous numbers say, or else the delimiter.

        Typed numbers of a workbook have points.
        """
        decimal = decimal_separator(numbers)
        if decimal is None and self._delimiter == "," and not any(map(separator_of, numbers)):
            return "."
        return decimal

    def _cells(self, record: Sequence[str]) -> Mapping[str, str] | BadCell:
        if any(cell.strip() for cell in record[len(self.columns) :]):
            return BadCell(
                "too-many-cells", "The row has more cells than the header. Put quotes around texts."
            )
        if self._is_guessed and any("\ufffd" in cell for cell in record):
            return BadCell("bad-encoding", f"The row is not in {self._encoding}. Save the file in UTF-8.")
        cells = zip(self.columns, record, strict=False)
        return {column: unguarded(cell) for column, cell in cells if column is not None}

    def _find_encoding(self) -> str:
        try:
            with self._path.open("rb") as file:
                encoding = encoding_of(file)
        except UnknownEncoding as error:
            raise BadFile("unknown-encoding", "The encoding is unknown. Save the file in UTF-8.") from error
        self._is_guessed = encoding != "utf-8"
        return encoding

    def _lines(self) -> Iterator[str]:
        with self._path.open(encoding=self._encoding, errors="replace", newline="") as file:
            first = next(file, None)
            if first is not None:
                yield first.removeprefix("\ufeff")
                yield from file

    def _find_header_of_text(self) -> None:
        """Find the line of the header, and the delimiter that divides it into columns that are known."""
        lines = list(islice(self._lines(), 10 * _HEADER_WITHIN))
        stated = stated_delimiter(lines[0]) if lines else None
        delimiters = (stated,) if stated else DELIMITERS
        headers = [
            (line, delimiter, _first_record(lines[line:], delimiter))
            for line in range(1 if stated else 0, min(len(lines), _HEADER_WITHIN))
            for delimiter in delimiters
        ]
        if not headers:
            raise BadFile("no-header", "The file is empty. Its first row must name the columns.")
        self._line, self._delimiter, self.header = max(headers, key=lambda it: (self._known(it[2]), -it[0]))
        # Spreadsheets show no row for a line that states the delimiter.
        self.header_row = self._line + (0 if stated else 1)

    def _find_header_of_sheet(self) -> None:
        self._delimiter = ","
        rows = list(islice(self._workbook.rows(self._sheet, "."), _HEADER_WITHIN))
        if not rows:
            raise BadFile("no-header", "The sheet is empty. Its first row must name the columns.")
        self._line = max(range(len(rows)), key=lambda row: (self._known(rows[row]), -row))
        self.header, self.header_row = rows[self._line], self._line + 1

    def _known(self, header: Sequence[str]) -> int:
        return sum(column is not None for column in columns_of(header, self._attributes))

    def _check_header(self) -> None:
        known = [column for column in self.columns if column is not None]
        self.unknown = [
            name.strip()
            for name, column in zip(self.header, self.columns, strict=True)
            if column is None and name.strip()
        ]
        shown = ", ".join(name.strip() for name in self.header if name.strip())[:MAX_VALUE_SHOWN]
        if not set(KEYS) & set(known):
            raise BadFile("no-key", f"The header has neither a column sku nor product_id. It has: {shown}.")
        if len(set(known)) == 1:
            raise BadFile("nothing-to-change", f"The header has no column besides the key. It has: {shown}.")
        if twice := next((column for column in known if known.count(column) > 1), None):
            raise BadFile("column-twice", f"Two columns are {twice}. Remove one of them.")

    def _records(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield each row after the header with its number; None if its quotes are malformed."""
        if self._is_workbook:
            records: Iterator[list[str] | None] = islice(
                self._workbook.rows(self._sheet, "."), self._line + 1, None
            )
        else:
            records = read_records(islice(self._lines(), self._line, None), self._delimiter)
            next(records)
        yield from enumerate(records, self.header_row + 1)


def pictures_of(text: str) -> list[str]:
    """Return the names of pictures that a cell has."""
    return [each for each in re.split(r"[\s,;|]+", text) if each]


def _first_record(lines: Sequence[str], delimiter: str) -> list[str]:
    return next(iter(read_records(lines, delimiter)), None) or []


def key_of(cells: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the column and the text by which a row names its listing; None if it names none."""
    for name in KEYS:
        if text := cells.get(name, "").strip():
            return name, text
    return None


def columns_of(header: Sequence[str], attributes: Mapping[str, ProductAttribute]) -> list[str | None]:
    """Return the columns that the names in a header mean; None for each that is not known.

    An attribute is named by its key (`attribute.colour`) or its name (`atributo.Cor`, `Attribute: Colour`).
    """
    return [_column(name.strip(), attributes) for name in header]


def _column(name: str, attributes: Mapping[str, ProductAttribute]) -> str | None:
    if name.startswith(ATTRIBUTE) and name != ATTRIBUTE:
        return name
    if found := re.match(r"(?:attribute|atributo)\s*[.:]\s*(?=\S)", name, re.IGNORECASE):
        key = name[found.end() :]
        return f"{ATTRIBUTE}{_key_named(_folded(key), attributes) or key}"
    return _BY_NAME.get(_folded(name))


def _key_named(folded: str, attributes: Mapping[str, ProductAttribute]) -> str | None:
    return next(
        (
            key
            for key, attribute in attributes.items()
            if folded in (_folded(key), *map(_folded, attribute.names.values()))
        ),
        None,
    )


def _folded(name: str) -> str:
    """Return a name without accents, signs and differences of case: `Preço (R$)` → `preco_r`."""
    return "_".join(re.findall(r"\w+", without_accents(name)))


_BY_NAME = {name: column for column, names in COLUMNS.items() for name in (column, *names)}


def _check_size(path: Path) -> None:
    """Raises BadFile: a workbook would be far larger than its file."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > _MAX_UNZIPPED:
            raise BadFile("too-large", "The workbook is too large. Save its table as CSV.")


def _about_file(error: UserError, path: Path) -> str:
    return f"The file {str(error).removeprefix(f'{path} ')}."


_STRICT = ConfigDict(strict=True, hide_input_in_errors=True)
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(field.rebuild_annotation(), config=_STRICT)
    for name, field in ListingChange.model_fields.items()
}
"""Field of a listing → the rules of its values, which are those of requests."""
_ATTRIBUTE_VALUE: TypeAdapter[str] = TypeAdapter(Value, config=_STRICT)


class CellReader:
    """Reads the cells of one file. `currency` is that of the shop."""

    def __init__(
        self,
        currency: str,
        decimal: Separator | None,
        categories: Mapping[str, ProductCategory],
        attributes: Mapping[str, ProductAttribute],
    ) -> None:
        self._decimal = decimal
        self._currency = currency
        self._categories = categories
        self._attributes = attributes
        self._category_ids: dict[str, list[str]] = {}
        for category_id, category in categories.items():
            for name in {_folded(each) for each in (category_id, *category.names.values())}:
                self._category_ids.setdefault(name, []).append(category_id)
        self._readers: Mapping[str, Callable[[str], Any]] = {
            "sku": str.strip,
            "category": self._category,
            "price": self._price,
            "currency": lambda text: text.strip().upper(),
            "condition": lambda text: _coded(text, _CONDITIONS),
            "status": lambda text: _coded(text, _STATUSES),
            "group": _group,
            "pictures": pictures_of,
            **dict.fromkeys(_NUMBERS[1:], self._integer),
        }

    def read(self, column: str, text: str) -> Any:
        """Return the value of a cell as listings have it; None or an empty one for an empty cell.

        Raises:
            BadCell: the value can't be used.
        """
        if column.startswith(ATTRIBUTE):
            return self._attribute(column.removeprefix(ATTRIBUTE), text)
        value = self._readers.get(column, str)(text)
        if column == "stock":
            return _in_range(value, 0, MAX_ON_HAND)
        adapter = _ADAPTERS.get(FIELDS[column])
        if adapter is None or column == "status":
            return value
        return _checked(adapter, value)

    def _price(self, text: str) -> int:
        return self._scaled(text, minor_digits(self._currency), f"{to_major(1290, self._currency)}")

    def _integer(self, text: str) -> int | None:
        return self._scaled(text, 0, "12") if text.strip() else None

    def _scaled(self, text: str, digits: int, example: str) -> int:
        number = read_number(text, self._decimal)
        if number is NotANumber.AMBIGUOUS:
            why = f"It may have a decimal separator or groups of thousands. Write it as {example}."
            raise BadCell("ambiguous-number", why)
        if not isinstance(number, Decimal) or abs(number) >= 10**15:
            raise BadCell("not-a-number", f"It is not a number such as {example}.")
        if (value := scaled(number, digits)) is None:
            raise BadCell("too-many-decimals", f"It has more than {digits} decimals. Write it as {example}.")
        return value

    def _category(self, text: str) -> str:
        name = text.strip()
        if name in self._categories:
            return name
        found = self._category_ids.get(_folded(name), [])
        if len(found) > 1:
            raise BadCell("ambiguous-category", f"Several categories have this name: {', '.join(found)}.")
        if not found:
            raise BadCell("unknown-category", "There is no such category. GET /v1/category_tree lists them.")
        return found[0]

    def _attribute(self, key: str, text: str) -> str:
        """Return the value of an attribute: the code of one that the tree names, else the text as it is."""
        if not text.strip():
            return ""
        attribute = self._attributes.get(key)
        if attribute is not None and text not in attribute.values:
            folded = _folded(text)
            for value, names in attribute.values.items():
                if folded in (_folded(value), *map(_folded, names.values())):
                    return value
        checked: str = _checked(_ATTRIBUTE_VALUE, text)
        return checked


def _coded(text: str, codes: Mapping[str, Sequence[str]]) -> str:
    folded = _folded(text)
    found = next((code for code, others in codes.items() if folded in (code, *others)), None)
    if found is None:
        raise BadCell("unknown-value", f"It must be one of {', '.join(codes)}.")
    return found


def _group(text: str) -> str:
    name = text.strip()
    if not is_id(name):
        raise BadCell("bad-text", "A group has up to 128 characters, and no control characters.")
    return name


def _in_range(value: int | None, low: int, high: int) -> int | None:
    if value is not None and not low <= value <= high:
        raise BadCell("out-of-range", f"It must be from {low} to {high:,}.")
    return value


def _checked(adapter: TypeAdapter[Any], value: Any) -> Any:
    """Return a value that the rules of requests accept.

    Raises:
        BadCell: they don't.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    match first["type"]:
        case "string_too_long" | "too_long" if isinstance(value, str):
            raise BadCell("too-long", f"It has more than {context['max_length']} characters.")
        case "too_long":
            raise BadCell("too-many", f"It has more than {context['max_length']} entries.")
        case "greater_than_equal" | "less_than_equal":
            limits = {name: context[name] for name in ("ge", "le") if name in context}
            text = " and ".join(
                f"{'at least' if name == 'ge' else 'at most'} {n:,}" for name, n in limits.items()
            )
            raise BadCell("out-of-range", f"It must be {text}.")
        case "string_pattern_mismatch" if isinstance(value, list):
            why = "Pictures are named by the SHA-256 that the platform gives them. Send the pictures first."
            raise BadCell("bad-picture", why)
        case "string_pattern_mismatch":
            raise BadCell("bad-text", "It has a line break or another control character.")
        case _:
            raise BadCell("bad-text", f"{first['msg'].removeprefix('Value error, ').capitalize()}.")


def written(listing: Listing) -> dict[str, str]:
    """Return the cells of a listing by column. A cell with the same text changes nothing.

    The inventory service has the stock, so that column is empty.
    """
    cells = {name: getattr(listing, field, None) for name, field in FIELDS.items()}
    cells |= {
        "price": f"{to_major(listing.price_minor, listing.currency):f}",
        "pictures": " ".join(listing.pictures),
    }
    texts = {name: "" if value is None else str(value) for name, value in cells.items()}
    return texts | {f"{ATTRIBUTE}{key}": value for key, value in listing.attributes.items()}


def header_of(attributes: Iterable[str]) -> list[str]:
    """Return the header of a file of listings that have these attributes."""
    return [*COLUMNS, *(f"{ATTRIBUTE}{key}" for key in sorted(attributes))]


def csv_rows(rows: Iterable[Iterable[str]]) -> bytes:
    """Return rows of texts as CSV in UTF-8. None of them is a formula for a spreadsheet."""
    text = StringIO(newline="")
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode()

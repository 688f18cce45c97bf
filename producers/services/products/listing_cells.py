"""Cells of files of listings: reads what people write in spreadsheets, and writes listings. Pure."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from io import StringIO
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from common.ids import is_id
from common.money import minor_digits, to_major
from producers.kit.listings import MAX_ON_HAND
from producers.kit.tables.characters import without_accents
from producers.kit.tables.numbers import (
    NotANumber,
    Separator,
    read_number,
    scaled,
)
from producers.kit.tables.records import guarded
from producers.services.products.model import Listing, ListingChange, Status, Value
from schemas.product_categories import ProductAttribute, ProductCategory

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

NUMBERS = ("price", "stock", "handling_days", "weight_g", "length_cm", "height_cm", "width_cm")

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


class BadCell(Exception):
    """A cell can't be used. `code` is stable, the text says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@lru_cache(10_000)
def folded(name: str) -> str:
    """Return a name without accents, signs and differences of case: `Preço (R$)` → `preco_r`."""
    return "_".join(re.findall(r"\w+", without_accents(name)))


def code_of(text: str, codes: Iterable[tuple[str, Iterable[str]]]) -> str | None:
    """Return the code that a text means. `codes` are codes with their other names; all are `folded`."""
    name = folded(text)
    return next((code for code, names in codes if name in map(folded, (code, *names))), None)


def pictures_of(text: str) -> list[str]:
    """Return the names of pictures that a cell has."""
    return [each for each in re.split(r"[\s,;|]+", text) if each]


_STRICT = ConfigDict(strict=True, hide_input_in_errors=True)
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(rule, config=_STRICT)
    for name, rule in {
        **{name: field.rebuild_annotation() for name, field in ListingChange.model_fields.items()},
        "status": Status,
        "stock": Annotated[int, Field(ge=0, le=MAX_ON_HAND)],
    }.items()
}
"""Field of a listing → the rules of its values, which are those of requests. A file may also delist."""
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
            for name in {folded(each) for each in (category_id, *category.names.values())}:
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
            **dict.fromkeys(NUMBERS[1:], self._integer),
        }

    def read(self, column: str, text: str) -> Any:
        """Return the value of a cell as listings have it; None or an empty one for an empty cell.

        Raises:
            BadCell: the value can't be used.
        """
        if column.startswith(ATTRIBUTE):
            return self._attribute(column.removeprefix(ATTRIBUTE), text)
        value = self._readers.get(column, str)(text)
        adapter = _ADAPTERS.get(FIELDS[column])
        return value if adapter is None else _checked(adapter, value)

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
        found = self._category_ids.get(folded(name), [])
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
            usual = ((value, names.values()) for value, names in attribute.values.items())
            if (value := code_of(text, usual)) is not None:
                return value
        checked: str = _checked(_ATTRIBUTE_VALUE, text)
        return checked


def _coded(text: str, codes: Mapping[str, Sequence[str]]) -> str:
    found = code_of(text, codes.items())
    if found is None:
        raise BadCell("unknown-value", f"It must be one of {', '.join(codes)}.")
    return found


def _group(text: str) -> str:
    name = text.strip()
    if not is_id(name):
        raise BadCell("bad-text", "A group has up to 128 characters, and no control characters.")
    return name


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
        case "greater_than_equal":
            raise BadCell("out-of-range", f"It must be at least {context['ge']:,}.")
        case "less_than_equal":
            raise BadCell("out-of-range", f"It must be at most {context['le']:,}.")
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

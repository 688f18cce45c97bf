"""Recognises known exports by their columns, as the files in `known/` say, and settlements."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

from babel.numbers import list_currencies
from pydantic import BaseModel, BeforeValidator, ConfigDict
from ruamel.yaml import YAML

from producers.importer.mapped.column_roles import plain, role_of, words
from producers.importer.mapped.guess.profile import ColumnProfile, FileProfile
from producers.importer.mapped.guess.vocabulary import name_score
from producers.importer.mapped.mapping import as_list

_DIRECTORY = Path(__file__).with_name("known")

_CURRENCIES = frozenset(list_currencies())
_NUMBERED = re.compile(r" \(\d+\)$")
"""What tells columns of one name apart."""

_PAID_OUT = words(
    "payout payouts settlement disbursement deposit repasse repasses liquidacao liquidacion auszahlung "
    "versement reversement transfer funds uitbetaling accredito saque retiro"
)
"""Words of what was paid out."""
_PAYOUT_NUMBER = re.compile(
    r"(settlement|payout|disbursement|abrechnung|auszahlung|versement|liquida[ct])\w*"
    r" ?(id|no|nr|number|nummer)\b"
    r"|\b(id|no|number|numero) (de |of |do )?(settlement|payout|disbursement|versement|liquida[ct])"
    r"|abrechnungsnummer|auszahlungsnummer"
)
"""The number of a payout, which all its rows have."""

Names = Annotated[list[str], BeforeValidator(as_list)]


class KnownExport(BaseModel):
    """An export of a shop's software. Names of columns are compared without case, signs and currencies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    export: str
    """What it is: `Shopify's export of orders`."""
    headers: Names
    """The columns by which it is recognised: a file with all of them is this export."""
    refused: str | None = None
    """Why it can't be imported by itself, and what to export instead."""
    details: bool = False
    """Whether it has details of orders whose lines are in another file."""
    columns: dict[str, Names] = {}
    """Field of a mapping → columns, in the order of preference; empty if the export has none."""
    price_of: str | None = None
    """`unit` or `line`, where the export says so."""
    amounts: dict[str, Names] = {}
    """`discount`, `shipping`, `tax` → all columns whose sum it is. Those with a `-` before are subtracted."""
    tax_outside: Names = []
    """The currencies for which the tax is added to the prices, if no total says so; all others include it."""
    totals: Names = []
    """The columns that what the shopper pays must equal."""


def find_columns(names: list[str], columns: list[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns with these names."""
    by_name = {known_name(column.name): column for column in reversed(columns)}
    return [by_name[key] for name in names if (key := known_name(name)) in by_name]


def known_name(name: str) -> str:
    """Return a column's name without case, signs, its place among namesakes, and a currency at its end."""
    words = plain(_NUMBERED.sub("", name)).split()
    if len(words) > 1 and words[-1].upper() in _CURRENCIES:
        words.pop()
    return " ".join(words)


def recognise(header: Iterable[str]) -> KnownExport | None:
    """Return the export that has this header; of several the one with the most columns in common."""
    names = set(map(known_name, header))
    fitting = [known for known in known_exports() if names.issuperset(map(known_name, known.headers))]
    return max(fitting, key=lambda known: len(known.headers), default=None)


@cache
def known_exports() -> tuple[KnownExport, ...]:
    """Return every export of `known/`."""
    yaml = YAML(typ="safe", pure=True)
    return tuple(KnownExport.model_validate(yaml.load(path)) for path in sorted(_DIRECTORY.glob("*.yaml")))


def settlement_reason(file: FileProfile) -> str | None:
    """Return why a file is a settlement, or None.

    A settlement has fees and what is left of them, and names a payout. One with a row for each product has
    the number of its payout beside the fees, or no price beside several fees or what is left of them.
    """
    names = [plain(column.name) for column in file.columns]
    tokens = {token for name in names for token in name.split()}
    roles = [role_of(column.name) for column in file.columns]
    pays_out = bool(tokens & _PAID_OUT)
    has_fees = "fee" in roles
    has_net = bool(tokens & {"net", "netto", "liquido", "neto"})
    has_quantity = "quantity" in roles or any(name_score("quantity", column.name) for column in file.columns)
    if has_quantity and any(name_score("product", column.name) for column in file.columns):
        has_number = any(map(_PAYOUT_NUMBER.search, names))
        without_price = "price" not in roles and (roles.count("fee") > 1 or has_net)
        is_settlement = has_fees and (has_number or without_price)
    else:
        is_settlement = (has_fees and (pays_out or has_net)) or (pays_out and has_net)
    if not is_settlement:
        return None
    return (
        "looks like a settlement: it lists payments, fees and payouts, not what was sold. Export the"
        " orders with their "
        "lines instead"
    )

"""What a seller types about a product, as the routes of the products service take it. Pure."""

from collections.abc import Mapping
from typing import Any

from common.money import minor_digits, to_major
from producers.services.products.model import MAX_VARIANTS
from serving.web.category_names import CategoryNames
from serving.web.forms import BadField, Form
from serving.web.translation import gettext

ATTRIBUTE = "attribute."
"""The beginning of the name of the field of an attribute."""

VARIANT = "variant"

FIRST_ROWS = 4
"""The rows of the table of variants at first."""

MORE_ROWS = 6
"""The rows that a click adds."""


def price(form: Form, name: str, currency: str) -> int:
    """Return a price in minor units.

    Raises:
        BadField: the field is empty, or no amount of this currency.
    """
    minor = form.minor(name, gettext("The price"), currency)
    if minor is None:
        raise BadField(gettext("The price is missing. Enter an amount such as 149.90."))
    return minor


def plain_amount(minor: int | None, currency: str) -> str:
    """Return an amount as the field of a form has it: `149.90`; empty for None."""
    return "" if minor is None else f"{to_major(minor, currency):.{minor_digits(currency)}f}"


def attributes(form: Form, names: CategoryNames, category: str, prefix: str = ATTRIBUTE) -> dict[str, str]:
    """Return the attributes that were entered, of those that products of the category have."""
    typed = {key: form.text(f"{prefix}{key}") for key in names.attributes_of(category)}
    return {key: names.value_of(key, text) for key, text in typed.items() if text}


def rows(form: Form) -> int:
    """Return how many rows the table of variants has."""
    return min(_number(form.text("rows"), FIRST_ROWS), MAX_VARIANTS)


def variants(form: Form, names: CategoryNames, category: str, currency: str) -> list[dict[str, Any]]:
    """Return the variants of the rows in which something was entered.

    Raises:
        BadField: a price is no amount of this currency.
    """
    found = []
    for number in range(rows(form)):
        prefix = f"{VARIANT}.{number}."
        given = attributes(form, names, category, prefix)
        minor = form.minor(f"{prefix}price", gettext("The price"), currency)
        sku = form.optional(f"{prefix}sku")
        if given or minor is not None or sku:
            found.append({"attributes": given, "price_minor": minor, "sku": sku})
    return found


def pictures(form: Form) -> list[str]:
    """Return the pictures that stay, in the order of their numbers; one without a number is last."""
    kept = [sha256 for sha256 in form.all("picture") if sha256]
    return sorted(kept, key=lambda sha256: _number(form.text(f"place.{sha256}"), 1_000))


def _number(typed: str, otherwise: int) -> int:
    """Return a number of at most three digits; `otherwise` for any other text."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else otherwise


def contents(form: Form, names: CategoryNames, category: str, currency: str) -> dict[str, Any]:
    """Return the fields of a listing that the form has in another shape than the request."""
    return {
        "name": form.text("name"),
        "category": category,
        "price_minor": price(form, "price", currency),
        "attributes": attributes(form, names, category),
        "pictures": pictures(form),
    }


def changed_prices(form: Form) -> dict[str, int]:
    """Return product → price in minor units, of those whose price was changed in the list.

    Raises:
        BadField: a price is missing, or no amount of the listing's currency.
    """
    return {
        product_id: price(form, f"price.{product_id}", form.text(f"currency.{product_id}"))
        for product_id in _changed(form, "price")
    }


def changed_stock(form: Form) -> dict[str, int]:
    """Return product → units on hand, of those whose stock was changed in the list.

    Raises:
        BadField: a number is not whole.
    """
    return {
        product_id: form.whole(f"on_hand.{product_id}", gettext("The stock"))
        for product_id in _changed(form, "on_hand")
        if form.text(f"on_hand.{product_id}")
    }


def _changed(form: Form, what: str) -> list[str]:
    """Return the products whose field differs from what the page showed, so that sales meanwhile stay."""
    products = [name.removeprefix(f"{what}.") for name in form.fields if name.startswith(f"{what}.")]
    return [each for each in products if form.text(f"{what}.{each}") != form.text(f"was_{what}.{each}")]


def shown_attributes(
    entered: Form, names: CategoryNames, values: Mapping[str, str], category: str | None
) -> list[tuple[str, str, str, list[str]]]:
    """Return (key, name, text, usual values) of each attribute of a category, for the fields of a form."""
    return [
        (
            key,
            names.attribute(key),
            entered.text(f"{ATTRIBUTE}{key}") if entered.fields else names.value(key, values.get(key, "")),
            names.values(key),
        )
        for key in names.attributes_of(category)
    ]

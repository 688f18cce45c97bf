"""The variants of a product as links, of which each changes one attribute. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.products.indexed import ProductVariant


@dataclass(frozen=True, slots=True)
class VariantLink:
    """A value in which variants differ, and the product that has it.

    `keeps_others` is whether that product is equal to the shown one in all else.
    """

    value: str
    product_id: str
    is_current: bool
    keeps_others: bool
    sold_out: bool


def variant_links(product_id: str, variants: Sequence[ProductVariant]) -> list[tuple[str, list[VariantLink]]]:
    """Return each attribute in which the variants differ, with a link for each of its values.

    A link leads to the variant that is most like the shown one; of equal ones to one in stock.
    """
    shown = next((each for each in variants if each["product_id"] == product_id), None)
    if shown is None:
        return []
    keys = dict.fromkeys(key for each in variants for key in each["attributes"])
    differing = [key for key in keys if len({each["attributes"].get(key) for each in variants}) > 1]
    return [(key, _links(key, shown, variants, differing)) for key in differing]


def _links(
    key: str, shown: ProductVariant, variants: Sequence[ProductVariant], differing: Sequence[str]
) -> list[VariantLink]:
    links = []
    others = [each for each in differing if each != key]
    for value in dict.fromkeys(each["attributes"][key] for each in variants if key in each["attributes"]):
        having = [each for each in variants if each["attributes"].get(key) == value]
        best = min(having, key=lambda it: (-_equal(it, shown, others), it["sold_out"], it["product_id"]))
        is_current = shown["attributes"].get(key) == value
        linked = shown if is_current else best
        keeps_others = _equal(linked, shown, others) == len(others)
        links.append(VariantLink(value, linked["product_id"], is_current, keeps_others, linked["sold_out"]))
    return links


def _equal(one: ProductVariant, other: ProductVariant, keys: Sequence[str]) -> int:
    return sum(one["attributes"].get(key) == other["attributes"].get(key) for key in keys)

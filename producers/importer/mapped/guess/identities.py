"""Writes the keys of orders, products, shoppers and sellers."""

from producers.importer.mapped.countries import known_countries
from producers.importer.mapped.guess.choice import Choice
from producers.importer.mapped.guess.draft import Draft, identifier, names, quoted


def write_ids(draft: Draft) -> None:
    """Write `order`, `line`, `product`, `product_name` and `category`."""
    order = draft.choices.get("order")
    if order:
        draft.add(*draft.comment("order", order), f"order: {names(order.columns)}")
    else:
        otherwise = "shopper_and_time" if "shopper" in draft.choices else "row"
        draft.add(
            "# No column looks like an order's id. `shopper_and_time` makes one order of a shopper's rows",
            "# with the same time; `row` makes each row an order.",
            "order:",
            f"  otherwise: {otherwise}",
        )
    if line := draft.choices.get("line"):
        draft.add(*draft.comment("line", line), f"line: {quoted(line.column.name)}")
    _write_product(draft)
    if category := draft.choices.get("category"):
        draft.add(*draft.comment("category", category), f"category: {names(category.columns)}")


def _write_product(draft: Draft) -> None:
    product, title = draft.choices.get("product"), draft.choices.get("product_name")
    if product:
        columns = list(product.columns)
        more = []
        if title and title.column not in columns and product.column.missing_share > 0.001:
            columns.append(title.column)
        if len(columns) > 1:
            more = [f"# Where it is empty, {quoted(columns[1].name)} identifies it."]
        draft.add(*draft.comment("product", product), *more, f"product: {names(columns)}")
    elif title:
        draft.add(
            "# No column looks like a product's id: the name identifies it.",
            f"product: {names(title.columns)}",
        )
    else:
        draft.lacking("product", "which column identifies the product")
    if title:
        draft.add(*draft.comment("product_name", title), f"product_name: {names(title.columns)}")


def write_people(draft: Draft) -> None:
    """Write `shopper`, `country` and `seller`."""
    shopper = draft.choices.get("shopper")
    if shopper:
        lines = [*draft.comment("shopper", shopper)]
        if shopper.column.missing_share > 0:
            share = f"{shopper.column.missing_share:.1%}"
            lines += [f"# {share} of the rows have none: each of their orders is one of a guest."]
        if _is_personal(shopper):
            lines += ["# Addresses and names are replaced by digests, so that events contain none.",
                      "shopper:", f"  column: {names(shopper.columns)}", "  hash: true"]  # fmt: skip
        else:
            lines += [f"shopper: {names(shopper.columns)}"]
        draft.add(*lines)
    else:
        draft.add("# No column looks like a shopper's id: each order is one of a guest.", "# shopper: …")
    if country := draft.choices.get("country"):
        _write_country(draft, country)
    if seller := draft.choices.get("seller"):
        draft.add(*draft.comment("seller", seller), "# For one seller instead: {id: …, name: …}.",
                  f"seller: {names(seller.columns)}")  # fmt: skip
    else:
        name = draft.directory.resolve().name
        draft.add(
            "# No column looks like a seller: all lines belong to one. Its id in the platform, and its name.",
            "seller:", f"  id: {quoted(identifier(name) or 'shop')}", f"  name: {quoted(name or 'Shop')}",
        )  # fmt: skip


def _write_country(draft: Draft, country: Choice) -> None:
    unknown = sorted({t for t in country.column.given if t.casefold() not in known_countries()})
    lines = [*draft.comment("country", country)]
    if unknown:
        lines += ["# Unknown texts count as no country. Their codes can be added under `values`: "
                  + ", ".join(unknown[:10])]  # fmt: skip
    draft.add(*lines, "country:", f"  column: {names(country.columns)}", "  values: {}")


def _is_personal(shopper: Choice) -> bool:
    """Whether the values are e-mail addresses, or names of people, which have blanks."""
    given = shopper.column.given[:500]
    names = sum(" " in text and not any(sign.isdigit() for sign in text) for text in given)
    return shopper.column.email_share > 0.5 or names > 0.5 * len(given)

"""Writes the keys of a mapping with comments: identities, times, amounts, and what became of orders."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from babel.numbers import get_territory_currencies, list_currencies

from producers.importer.mapped.cells import UNREADABLE, number_parser
from producers.importer.mapped.column_roles import plain
from producers.importer.mapped.countries import known_countries
from producers.importer.mapped.guess.amount_columns import AMOUNTS
from producers.importer.mapped.guess.choice import Choice
from producers.importer.mapped.guess.joins import ProposedJoin
from producers.importer.mapped.guess.known import KnownExport
from producers.importer.mapped.guess.money_search import AmountChoice, MoneyChoice
from producers.importer.mapped.guess.profile import ColumnProfile, FileProfile
from producers.importer.mapped.guess.vocabulary import (
    CURRENCY_SIGNS,
    FALSE_WORDS,
    NOT_PRODUCTS,
    SHIPPING_PRODUCTS,
    TRUE_WORDS,
    payment_method,
    status_meaning,
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_ZONES = {
    "eastern time us canada": "America/New_York", "central time us canada": "America/Chicago",
    "mountain time us canada": "America/Denver", "pacific time us canada": "America/Los_Angeles",
    "arizona": "America/Phoenix", "alaska": "America/Anchorage", "hawaii": "Pacific/Honolulu",
    "atlantic time canada": "America/Halifax", "newfoundland": "America/St_Johns",
    "indiana east": "America/Indianapolis",
    "london": "Europe/London", "edinburgh": "Europe/London", "dublin": "Europe/Dublin",
    "lisbon": "Europe/Lisbon",
    "paris": "Europe/Paris", "madrid": "Europe/Madrid", "berlin": "Europe/Berlin",
    "brasilia": "America/Sao_Paulo",
    "tokyo": "Asia/Tokyo", "osaka": "Asia/Tokyo", "sydney": "Australia/Sydney",
    "melbourne": "Australia/Melbourne",
    "brisbane": "Australia/Brisbane", "perth": "Australia/Perth", "adelaide": "Australia/Adelaide",
    "darwin": "Australia/Darwin", "hobart": "Australia/Hobart", "utc": "UTC", "gmt": "UTC",
    "est": "America/New_York", "edt": "America/New_York", "cst": "America/Chicago", "cdt": "America/Chicago",
    "mst": "America/Denver", "mdt": "America/Denver", "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "brt": "America/Sao_Paulo", "cet": "Europe/Paris", "cest": "Europe/Paris", "bst": "Europe/London",
}  # fmt: skip
"""Names of zones, as Rails and shops write them, in the form that `plain` returns."""


@dataclass
class Draft:
    """What is known of the tables, and the lines of YAML so far. `missing` says what was not found."""

    directory: Path
    lines: FileProfile
    joins: list[ProposedJoin]
    known: KnownExport | None
    choices: dict[str, Choice]
    money: MoneyChoice
    currency: str
    missing: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Append lines, and an empty one."""
        self.out += [*lines, ""]

    def lacking(self, key: str, what: str) -> None:
        """Record that no column was found for a key that every mapping needs."""
        self.missing.append(f"{key}: {what}")
        self.add(f"# NOT FOUND: {what}.", f"# {key}: …")

    def comment(self, name: str, choice: Choice) -> list[str]:
        """Return the comment on a choice: why, and which columns could be meant instead."""
        where = "" if choice.column.file is self.lines else f" in {choice.column.file.path.name}"
        because = "" if choice.why.split()[0] in ("by", "because", "as") else "because "
        others = ", ".join(quoted(other.name) for other in choice.others)
        alternatives = f". Alternatives: {others}" if others else ""
        return [f"# {name}: chosen {because}{choice.why}{where}{alternatives}"]


def one_line(text: str) -> str:
    """Return a line of YAML with escapes for the characters that would end it, or that YAML doesn't allow.

    In a comment, they only show what a cell has; between double quotes, YAML reads them back.
    """
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str) -> str:
    """Return a text as YAML, in quotes."""
    return json.dumps(text, ensure_ascii=False)


def texts_list(texts: list[str]) -> str:
    """Return texts as a YAML list; those that a mapping can't have, with control characters, are left out."""
    return f"[{', '.join(quoted(text) for text in texts if len(text) <= 200 and not _CONTROL.search(text))}]"


def names(columns: list[ColumnProfile]) -> str:
    """Return columns as YAML: a name, or a list."""
    texts = [quoted(column.name) for column in columns]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def identifier(text: str) -> str:
    """Return a text as an identifier: lower-case letters, digits and `_`."""
    return plain(text).replace(" ", "_")


def write_ids(draft: Draft) -> None:
    """Write `order`, `line`, `product`, `product_name` and `category`."""
    if order := draft.choices.get("order"):
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
        columns, more = product.columns, []
        if title and title.column not in columns and product.column.missing_share > 0.001:
            columns = [*columns, title.column]
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
    if shopper := draft.choices.get("shopper"):
        lines = draft.comment("shopper", shopper)
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
    names = shopper.column.share(lambda text: " " in text and not any(map(str.isdigit, text)), 500)
    return shopper.column.email_share > 0.5 or names > 0.5


def write_money(draft: Draft) -> None:
    """Write `time`, `price`, `quantity`, `currency` and the further amounts."""
    write_time(draft, "time", draft.choices.get("time"))
    _write_price(draft)
    money = draft.money
    if money.quantity:
        draft.add(f"quantity: {quoted(money.quantity.name)}")
    else:
        draft.add("# No column looks like a quantity: each row is one unit.", "# quantity: …")
    _write_currency(draft)
    for name in AMOUNTS:
        if name in money.left_out:
            draft.add(f"# {name}: {money.left_out[name]}.")
        elif amount := money.amounts.get(name):
            _write_amount(draft, name, amount)


def write_time(draft: Draft, name: str, choice: Choice | None) -> None:
    """Write `time` or `cancelled_at`."""
    if choice is None:
        if name == "time":
            draft.lacking("time", "which column says when the order was placed, and in which format")
        return
    whole = joined_times(choice.columns)
    if not whole.time_formats:  # the day is worth more than nothing
        whole = choice.column
        choice = Choice([whole], choice.why, choice.others)
    formats = whole.time_formats
    if not formats:
        if name == "time":
            draft.lacking("time", f"in which format the times of {quoted(whole.name)} are written")
        return
    lines = draft.comment(name, choice)
    if others := whole.other_readings:
        lines += [f"# The values can also be read as {', '.join(others)}: check day and month."]
    has_zone = formats[0].endswith("%z") or all(map(_OFFSET.search, whole.given[:50]))
    zone = []
    if not has_zone and not formats[0].startswith("unix"):
        found, why, is_mixed = zone_of(draft.lines.columns)
        zone = [f"  # {why}.", f"  zone: {found}"]
        if is_mixed:
            draft.missing.append(f"times have several zones ({why}): all are read in {found}")
        elif is_mixed is None and name == "time":
            draft.missing.append("the time zone of the times (`zone`, now UTC)")
    draft.add(*lines, f"{name}:", f"  column: {names(choice.columns)}",
              f"  format: {quoted(formats[0])}", *zone)  # fmt: skip


def joined_times(columns: list[ColumnProfile]) -> ColumnProfile:
    """Return the texts of the columns, joined by a space."""
    if len(columns) == 1:
        return columns[0]
    texts = [" ".join(parts) for parts in zip(*(column.texts for column in columns), strict=True)]
    return ColumnProfile(columns[0].file, columns[0].name, texts)


def _write_price(draft: Draft) -> None:
    money = draft.money
    if money.price is None:
        draft.lacking("price", "which column has the price, of one unit or of the line")
        return
    if money.contradiction:
        draft.missing.append(f"price: {money.contradiction}")
        draft.add(f"# NOT PROPOSED: {money.contradiction}.",
                  "# price:", f"#   column: {quoted(money.price.name)}",
                  f"#   of: {money.price_of}")  # fmt: skip
        return
    lines = draft.comment("price", Choice([money.price], money.why, money.others))
    if any(abs(number * 100 - round(number * 100)) > 1e-6 for number in money.price.numbers):
        lines += ["# Some prices have more than two decimals. A line whose amount has a fraction of the",
                  "# smallest coin is not used, unless you add `round: true`."]  # fmt: skip
    if count := sum(number <= 0 for number in money.price.numbers):
        lines += [f"# {count:,} of {len(money.price.texts):,} sampled rows have a price of 0 or below."]
    draft.add(*lines, "price:", f"  column: {quoted(money.price.name)}", f"  of: {money.price_of}")


def _write_currency(draft: Draft) -> None:
    if choice := draft.choices.get("currency"):
        found = Counter(text.upper() for text in choice.column.given)
        lines = draft.comment("currency", choice)
        if len(found) > 1:
            others = ", ".join(code for code in found if code != draft.currency)
            lines += [f"# Lines in {others} are not used: import them apart."]
        draft.add(*lines, "currency:", f"  only: {draft.currency}", f"  column: {quoted(choice.column.name)}")
        return
    code, why, is_sure = currency_of(draft.choices, draft.money.price, draft.lines.columns, draft.currency)
    if not is_sure:
        draft.missing.append(f"the currency (now {code})")
    draft.add(f"# {why}", f"currency: {code}")


def currency_of(
    choices: dict[str, Choice], price: ColumnProfile | None, columns: list[ColumnProfile], otherwise: str
) -> tuple[str, str, bool]:
    """Return the currency's code, what says so, and whether it is sure."""
    if choice := choices.get("currency"):
        return Counter(text.upper() for text in choice.column.given).most_common(1)[0][0], "", True
    codes = set(list_currencies())
    named = Counter(
        code for column in columns for code in re.findall(r"\(([A-Z]{3})\)", column.name) if code in codes
    )
    if named:
        code = named.most_common(1)[0][0]
        return code, f"The columns' names have ({code}).", True
    for text in price.given[:20] if price else []:
        if sign := next((sign for sign in CURRENCY_SIGNS if sign in text), None):
            return CURRENCY_SIGNS[sign], f"The prices have the sign {sign}.", True
    country = choices.get("country")
    if country and country.column.given:
        text = Counter(country.column.given).most_common(1)[0][0]
        territory = known_countries().get(text.casefold())
        if currencies := get_territory_currencies(territory) if territory else []:
            return currencies[0], f"Nothing says the currency; most shoppers live in {text}.", False
    return otherwise, "Nothing in the files says the currency.", False


_OF = {
    "order": "It belongs to the whole order, and is divided among its lines.",
    "line": "It belongs to each line. If it is that of the whole order: `of: order`.",
    "unit": "It belongs to each unit of a line.",
}


def _write_amount(draft: Draft, name: str, amount: AmountChoice) -> None:
    lines = draft.comment(name, Choice(amount.columns, amount.why))
    lines += [f"# {_OF[amount.of]}", f"{name}:", f"  column: {names(amount.columns)}"]
    if amount.less:
        lines += [f"  less: {names(amount.less)}"]
    lines += [f"  of: {amount.of}"]
    if amount.is_negative:
        lines += ["  negative: true  # it is written as a negative amount"]
    draft.add(*lines)


_OFFSET = re.compile(r"\d\d:\d\d\S*\s*(Z|UTC|[+-]\d\d:?\d\d)$")


def zone_of(columns: list[ColumnProfile]) -> tuple[str, str, bool | None]:
    """Return the zone that a column names for most rows, what says so, and whether it names others, too.

    If no column names one, that is None, and the zone is UTC.
    """
    known = available_timezones()
    for column in columns:
        is_zone = "zone" in plain(column.name) and column.distinct <= 20 and column.number_share <= 0.5
        if is_zone and column.given:
            counts = Counter(column.given)
            zones = {text: text if text in known else _ZONES.get(plain(text)) for text in counts}
            text, _ = counts.most_common(1)[0]
            if zone := zones[text]:
                return zone, f'The column "{column.name}" says "{text}"', len(set(zones.values())) > 1
    return "UTC", "Nothing in the files says in which zone these times are", None


def write_ends(draft: Draft) -> None:
    """Write the keys that say what became of orders, and which lines are no products."""
    if payment := draft.choices.get("payment"):
        found = sorted(set(payment.column.given))[:40]
        values = [f"{quoted(text)}: {method}" for text in found if (method := payment_method(text))]
        draft.add(*draft.comment("payment", payment), "payment:",
                  f"  column: {names(payment.columns)}",
                  f"  values: {{{', '.join(values)}}}")  # fmt: skip
    if status := draft.choices.get("status"):
        _write_status(draft, status)
    write_time(draft, "cancelled_at", draft.choices.get("cancelled_at"))
    _write_returns(draft)
    _write_no_products(draft)


def _write_status(draft: Draft, status: Choice) -> None:
    rows = Counter(status.column.given)
    found = [text for text, _ in rows.most_common()]
    is_flag = {text.casefold() for text in found} <= TRUE_WORDS | FALSE_WORDS
    worthless = set() if is_flag else _without_money(draft, status.column)
    meanings: dict[str, list[str]] = {"cancelled": [], "unpaid": [], "returned": []}
    for text in found:
        if is_flag:
            meaning = "cancelled" if text.casefold() in TRUE_WORDS else None
        else:
            meaning = status_meaning(text) or ("cancelled" if text in worthless else None)
        if meaning and text.casefold() not in map(str.casefold, meanings[meaning]):
            meanings[meaning].append(text)
    known = {text for texts in meanings.values() for text in texts if texts_list([text]) != "[]"}
    ends = {text.casefold(): meaning for meaning, texts in meanings.items() for text in texts}
    others = [text for text in found if text.casefold() not in ends]
    counts = Counter(ends[text.casefold()] for text in rows.elements() if text.casefold() in ends)
    whole = f"{len(status.column.texts):,} sampled rows"
    lines = [
        *draft.comment("status", status),
        f"# These values count as confirmed: {', '.join(others)[:300]}",
        *(
            f"# {counts[meaning]:,} of {whole} are {meaning}: they are no sales."
            for meaning in meanings
            if counts[meaning]
        ),
        *(
            f"# {quoted(text)}: none of its rows has an amount in the total, so it counts as cancelled."
            for text in sorted(worthless)
            if not status_meaning(text)
        ),
    ]
    if not known:
        draft.add(*lines, "# No value means that an order is cancelled, unpaid or returned.", "# status: …")
        return
    draft.add(*lines, "status:", f"  column: {quoted(status.column.name)}",
              *(f"  {meaning}: {texts_list(texts)}"
                for meaning, texts in meanings.items() if known & set(texts)))  # fmt: skip


def _without_money(draft: Draft, status: ColumnProfile) -> set[str]:
    """Return the statuses whose rows all have a total of 0 or none, if those of other statuses have one."""
    totals = [each for each in draft.money.compared if each.file is status.file]
    if not totals:
        return set()
    parse = number_parser(totals[0].file.format.decimal, 6)
    paid = {
        text
        for text, amount in zip(status.texts, totals[0].texts, strict=True)
        if amount and parse(amount) not in (0, UNREADABLE)
    }
    return set(status.texts) - paid - {""} if paid else set()


def _write_returns(draft: Draft) -> None:
    quantity, order = draft.money.quantity, draft.choices.get("order")
    negative = [number < 0 for number in quantity.numbers] if quantity else []
    if not any(negative):
        return
    lines = [
        f"# {sum(negative):,} of {len(negative):,} sampled rows have a quantity below 0: returns, each of",
        "# an earlier sale to the same shopper.",
    ]
    prefixes = _return_prefixes(quantity, order) if quantity and order else []
    if prefixes:
        lines += [f"# Orders that begin with {', '.join(prefixes)} take goods back, too."]
    draft.add(*lines, "returns:", "  negative_quantity: true", f"  order_prefix: {json.dumps(prefixes)}")


def _return_prefixes(quantity: ColumnProfile, order: Choice) -> list[str]:
    if quantity.file is not order.column.file:
        return []
    signs: dict[str, list[bool]] = {}
    for order_id, text in zip(order.column.texts, quantity.texts, strict=True):
        if order_id[:1].isalpha() and order_id[1:2].isdigit():
            signs.setdefault(order_id[0], []).append(text.startswith("-"))
    return sorted(letter for letter, negative in signs.items() if sum(negative) > 0.9 * len(negative))


def _write_no_products(draft: Draft) -> None:
    product = draft.choices.get("product")
    found = sorted(set(product.column.given)) if product else []
    for key, words, what in (
        ("shipping_products", SHIPPING_PRODUCTS, "These lines are an order's shipping."),
        ("not_products", NOT_PRODUCTS, "These lines are fees or corrections, and are not used."),
    ):
        texts = [text for text in found if text.casefold() in words]
        if texts:
            draft.add(f"# {what} By their ids.", f"{key}: {texts_list(texts)}")

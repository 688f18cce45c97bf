"""Writes the keys of times and amounts."""

import re
from collections import Counter

from babel.numbers import get_territory_currencies

from producers.replay.mapped.countries import known_countries
from producers.replay.mapped.guess.choice import Choice
from producers.replay.mapped.guess.draft import Draft, quoted
from producers.replay.mapped.guess.profile import ColumnProfile
from producers.replay.mapped.guess.vocabulary import CURRENCY_SIGNS


def write_money(draft: Draft) -> None:
    """Write `time`, `price`, `quantity`, `currency` and the further amounts."""
    write_time(draft, "time", draft.choices.get("time"))
    _write_price(draft)
    quantity = draft.choices.get("quantity")
    if quantity:
        draft.add(*draft.comment("quantity", quantity), f"quantity: {quoted(quantity.column.name)}")
    else:
        draft.add("# No column looks like a quantity: each row is one unit.", "# quantity: …")
    _write_currency(draft)
    for name in ("discount", "shipping", "tax"):
        if choice := draft.choices.get(name):
            _write_amount(draft, name, choice)


def write_time(draft: Draft, name: str, choice: Choice | None) -> None:
    """Write `time` or `cancelled_at`."""
    if choice is None:
        if name == "time":
            draft.lacking("time", "which column says when the order was placed, and in which format")
        return
    formats = choice.column.time_formats
    lines = draft.comment(name, choice)
    if others := choice.column.other_readings:
        lines += [f"# The values can also be read as {', '.join(others)}: check day and month."]
    has_zone = formats[0].endswith("%z") or all(_has_offset(text) for text in choice.column.given[:50])
    zone = []
    if not has_zone and not formats[0].startswith("unix"):
        if name == "time":
            draft.missing.append("the time zone of the times (`zone`, now UTC)")
        zone = ["  # Nothing in the files says in which zone these times are.", "  zone: UTC"]
    draft.add(*lines, f"{name}:", f"  column: {quoted(choice.column.name)}",
              f"  format: {quoted(formats[0])}", *zone)  # fmt: skip


def _write_price(draft: Draft) -> None:
    price, total = draft.choices.get("price"), draft.choices.get("line_price")
    if not price and not total:
        draft.lacking("price", "which column has the price, of one unit or of the line")
        return
    choice = price or total
    assert choice is not None
    lines = draft.comment("price", choice)
    if price and total:
        lines += [f"# {quoted(total.column.name)} looks like the total of a line (`of: line`)."]
    if not price:
        lines += ["# Its name is that of a total of the line. If it is the price of a unit: `of: unit`."]
    if any(abs(number * 100 - round(number * 100)) > 1e-6 for number in choice.column.numbers):
        lines += ["# Some prices have more than two decimals. A line whose amount has a fraction of the",
                  "# smallest coin is not used, unless you add `round: true`."]  # fmt: skip
    if any(number <= 0 for number in choice.column.numbers):
        count = sum(number <= 0 for number in choice.column.numbers)
        lines += [f"# {count:,} of {len(choice.column.texts):,} sampled rows have a price of 0 or below."]
    draft.add(*lines, "price:", f"  column: {quoted(choice.column.name)}",
              f"  of: {'unit' if price else 'line'}")  # fmt: skip


def _write_currency(draft: Draft) -> None:
    choice = draft.choices.get("currency")
    if choice:
        found = Counter(choice.column.given)
        only = found.most_common(1)[0][0]
        lines = draft.comment("currency", choice)
        if len(found) > 1:
            lines += [
                f"# Lines in {', '.join(c for c in found if c != only)} are not used: import them apart."
            ]
        draft.add(*lines, "currency:", f"  only: {only}", f"  column: {quoted(choice.column.name)}")
        return
    code, why = _guess_currency(draft)
    draft.add(f"# {why}", f"currency: {code}")


def _guess_currency(draft: Draft) -> tuple[str, str]:
    price = draft.choices.get("price") or draft.choices.get("line_price")
    for text in price.column.given[:20] if price else []:
        for sign, code in CURRENCY_SIGNS.items():
            if sign in text:
                return code, f"The prices have the sign {sign}."
    country = draft.choices.get("country")
    if country:
        text = Counter(country.column.given).most_common(1)[0][0]
        territory = known_countries().get(text.casefold())
        currencies = get_territory_currencies(territory) if territory else []
        if currencies:
            draft.missing.append(f"the currency (now {currencies[0]}, that of {text})")
            return currencies[0], f"Nothing says the currency; most shoppers live in {text}."
    draft.missing.append(f"the currency (now {draft.currency})")
    return draft.currency, "Nothing in the files says the currency."


def _write_amount(draft: Draft, name: str, choice: Choice) -> None:
    of = "order" if _is_of_order(draft, choice.column) else "line"
    explain = {"order": "It belongs to the whole order, and is divided among its lines.",
               "line": "It belongs to each line. If it is that of the whole order: `of: order`."}  # fmt: skip
    lines = [*draft.comment(name, choice), f"# {explain[of]}", f"{name}:"]
    lines += [f"  column: {quoted(choice.column.name)}", f"  of: {of}"]
    numbers = [number for number in choice.column.numbers if number]
    if numbers and all(number < 0 for number in numbers):
        lines += ["  negative: true  # it is written as a negative amount"]
    draft.add(*lines)


def _is_of_order(draft: Draft, column: ColumnProfile) -> bool:
    """Whether an amount is that of an order: in a file of orders, or only once or equal in its lines."""
    if column.file is not draft.lines:
        return any(join.file is column.file and join.is_of_orders for join in draft.joins)
    order = draft.choices.get("order")
    if not order or order.column.file is not draft.lines:
        return False
    lines: dict[str, list[str]] = {}
    for order_id, text in zip(order.column.texts, column.texts, strict=True):
        lines.setdefault(order_id, []).append(text)
    several = [texts for texts in lines.values() if len(texts) > 1 and any(t not in ("", "0") for t in texts)]
    if not several:
        return False
    alike = sum(len(set(texts) - {""}) == 1 for texts in several)
    return alike > 0.9 * len(several)


_OFFSET = re.compile(r"\d\d:\d\d\S*\s*(Z|UTC|[+-]\d\d:?\d\d)$")


def _has_offset(text: str) -> bool:
    return _OFFSET.search(text) is not None

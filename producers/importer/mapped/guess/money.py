"""Writes the keys of times and amounts."""

import re
from collections import Counter
from dataclasses import dataclass
from zoneinfo import available_timezones

from babel.numbers import get_territory_currencies, list_currencies

from producers.importer.mapped.column_roles import plain
from producers.importer.mapped.countries import known_countries
from producers.importer.mapped.guess.amount_columns import AMOUNTS
from producers.importer.mapped.guess.choice import Choice
from producers.importer.mapped.guess.draft import Draft, names, quoted
from producers.importer.mapped.guess.money_search import AmountChoice
from producers.importer.mapped.guess.profile import ColumnProfile
from producers.importer.mapped.guess.vocabulary import CURRENCY_SIGNS

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
    draft.missing += money.unsure
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
    column = choice.column
    whole = joined_times(choice.columns)
    if not whole.time_formats:  # the day is worth more than nothing
        choice = Choice([column], choice.why, choice.others)
        whole = column
    formats = whole.time_formats
    if not formats:
        if name == "time":
            draft.lacking("time", f"in which format the times of {quoted(column.name)} are written")
        return
    lines = draft.comment(name, choice)
    if others := whole.other_readings:
        lines += [f"# The values can also be read as {', '.join(others)}: check day and month."]
    has_zone = formats[0].endswith("%z") or all(_has_offset(text) for text in whole.given[:50])
    zone = []
    if not has_zone and not formats[0].startswith("unix"):
        found = zone_of(draft.lines.columns)
        if found:
            zone = [f"  # {found.why}.", f"  zone: {found.zone}"]
            if found.is_mixed:
                draft.missing.append(f"times have several zones ({found.why}): all are read in {found.zone}")
        else:
            if name == "time":
                draft.missing.append("the time zone of the times (`zone`, now UTC)")
            zone = ["  # Nothing in the files says in which zone these times are.", "  zone: UTC"]
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
    lines = draft.reasons("price", money.price, money.why, money.others)
    if any(abs(number * 100 - round(number * 100)) > 1e-6 for number in money.price.numbers):
        lines += ["# Some prices have more than two decimals. A line whose amount has a fraction of the",
                  "# smallest coin is not used, unless you add `round: true`."]  # fmt: skip
    if count := sum(number <= 0 for number in money.price.numbers):
        lines += [f"# {count:,} of {len(money.price.texts):,} sampled rows have a price of 0 or below."]
    draft.add(*lines, "price:", f"  column: {quoted(money.price.name)}", f"  of: {money.price_of}")


def _write_currency(draft: Draft) -> None:
    choice = draft.choices.get("currency")
    if choice:
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
        for sign, code in CURRENCY_SIGNS.items():
            if sign in text:
                return code, f"The prices have the sign {sign}.", True
    country = choices.get("country")
    if country and country.column.given:
        text = Counter(country.column.given).most_common(1)[0][0]
        territory = known_countries().get(text.casefold())
        currencies = get_territory_currencies(territory) if territory else []
        if currencies:
            return currencies[0], f"Nothing says the currency; most shoppers live in {text}.", False
    return otherwise, "Nothing in the files says the currency.", False


_OF = {
    "order": "It belongs to the whole order, and is divided among its lines.",
    "line": "It belongs to each line. If it is that of the whole order: `of: order`.",
    "unit": "It belongs to each unit of a line.",
}


def _write_amount(draft: Draft, name: str, amount: AmountChoice) -> None:
    lines = draft.reasons(name, amount.columns[0], amount.why, [])
    lines += [f"# {_OF[amount.of]}", f"{name}:", f"  column: {names(amount.columns)}"]
    if amount.less:
        lines += [f"  less: {names(amount.less)}"]
    lines += [f"  of: {amount.of}"]
    if amount.is_negative:
        lines += ["  negative: true  # it is written as a negative amount"]
    draft.add(*lines)


_OFFSET = re.compile(r"\d\d:\d\d\S*\s*(Z|UTC|[+-]\d\d:?\d\d)$")


def _has_offset(text: str) -> bool:
    return _OFFSET.search(text) is not None


@dataclass(frozen=True)
class FoundZone:
    """The commonest zone of a column, and what says so."""

    zone: str
    why: str
    is_mixed: bool


def zone_of(columns: list[ColumnProfile]) -> FoundZone | None:
    """Return the zone that a column names for most rows."""
    known = available_timezones()
    for column in columns:
        if (
            not column.given
            or column.distinct > 20
            or column.number_share > 0.5
            or "zone" not in plain(column.name)
        ):
            continue
        counts = Counter(column.given)
        zones = {text: text if text in known else _ZONES.get(plain(text)) for text in counts}
        text, _ = counts.most_common(1)[0]
        zone = zones[text]
        if zone:
            return FoundZone(zone, f'The column "{column.name}" says "{text}"', len(set(zones.values())) > 1)
    return None

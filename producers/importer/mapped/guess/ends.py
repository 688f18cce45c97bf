"""Writes the keys of payments, statuses, returns, and of lines that are no products."""

import json
from collections import Counter

from producers.importer.mapped.cells import UNREADABLE, number_parser
from producers.importer.mapped.guess.choice import Choice
from producers.importer.mapped.guess.draft import Draft, names, quoted, texts_list
from producers.importer.mapped.guess.money import write_time
from producers.importer.mapped.guess.profile import ColumnProfile
from producers.importer.mapped.guess.vocabulary import (
    FALSE_WORDS,
    NOT_PRODUCTS,
    SHIPPING_PRODUCTS,
    TRUE_WORDS,
    payment_method,
    status_meaning,
)


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
        if meaning and text.casefold() not in {each.casefold() for each in meanings[meaning]}:
            meanings[meaning].append(text)
    known = {text for texts in meanings.values() for text in texts if texts_list([text]) != "[]"}
    ends = {text.casefold(): meaning for meaning, texts in meanings.items() for text in texts}
    others = [text for text in found if text.casefold() not in ends]
    counts = Counter(ends[text.casefold()] for text in rows.elements() if text.casefold() in ends)
    lines = [
        *draft.comment("status", status),
        f"# These values count as confirmed: {', '.join(others)[:300]}",
    ]
    whole = f"{len(status.column.texts):,} sampled rows"
    lines += [
        f"# {counts[meaning]:,} of {whole} are {meaning}: they are no sales."
        for meaning in meanings
        if counts[meaning]
    ]
    lines += [
        f"# {quoted(text)}: none of its rows has an amount in the total, so it counts as cancelled."
        for text in sorted(worthless)
        if not status_meaning(text)
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
    paid: dict[str, bool] = {}
    for text, amount in zip(status.texts, totals[0].texts, strict=True):
        value = parse(amount) if amount else 0
        paid[text] = paid.get(text, False) or value not in (0, UNREADABLE)
    return {text for text, is_paid in paid.items() if text and not is_paid} if any(paid.values()) else set()


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

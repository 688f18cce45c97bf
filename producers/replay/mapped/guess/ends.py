"""Writes the keys of payments, statuses, returns, and of lines that are no products."""

import json
from collections import Counter

from producers.replay.mapped.guess.choice import Choice
from producers.replay.mapped.guess.draft import Draft, names, quoted, texts_list
from producers.replay.mapped.guess.money import write_time
from producers.replay.mapped.guess.profile import ColumnProfile
from producers.replay.mapped.guess.vocabulary import (
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
    found = [text for text, _ in Counter(status.column.given).most_common()]
    is_flag = {text.casefold() for text in found} <= TRUE_WORDS | FALSE_WORDS
    meanings: dict[str, list[str]] = {"cancelled": [], "unpaid": [], "returned": []}
    for text in found:
        meaning = (
            ("cancelled" if text.casefold() in TRUE_WORDS else None) if is_flag else status_meaning(text)
        )
        if meaning and text.casefold() not in {each.casefold() for each in meanings[meaning]}:
            meanings[meaning].append(text)
    known = {text for texts in meanings.values() for text in texts if texts_list([text]) != "[]"}
    others = [text for text in found if (is_flag and text not in known) or not status_meaning(text)]
    lines = [
        *draft.comment("status", status),
        f"# These values count as confirmed: {', '.join(others)[:300]}",
    ]
    if not known:
        draft.add(*lines, "# No value means that an order is cancelled, unpaid or returned.", "# status: …")
        return
    draft.add(*lines, "status:", f"  column: {quoted(status.column.name)}",
              *(f"  {meaning}: {texts_list(texts)}"
                for meaning, texts in meanings.items() if known & set(texts)))  # fmt: skip


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

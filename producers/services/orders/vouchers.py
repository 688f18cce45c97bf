"""The rules of vouchers, without a database: what a voucher lowers, by how much, and who pays for it.

A voucher for a category or a product is a catalogue rule: it lowers each line that it is for. One without is
an order rule: it lowers their sum. Of each line the catalogue rule that lowers it most counts; then, on the
lowered prices, the one order rule that lowers the order most; then the best voucher for free shipping. See
docs/decisions/vouchers.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator
from typing_extensions import TypedDict

from common.ids import MAX_VOUCHER_CODES, Id, VoucherCode
from common.problems import problem
from producers.kit.http.strict_request import StrictRequest
from producers.kit.listings import MAX_PRICE_MINOR
from producers.services.orders.model import Minor, OrderedLine

Kind = Literal["percentage", "amount", "free_shipping"]
State = Literal["scheduled", "active", "ended", "used_up"]
Flaw = Literal[
    "unknown",
    "other_currency",
    "not_started",
    "ended",
    "not_for_these",
    "below_minimum",
    "not_first_order",
    "used_up",
    "used_by_you",
    "no_gain",
]

MAX_AUTOMATIC = 100
"""Vouchers of one owner that apply by themselves and have not ended."""

ALL_BP = 10_000
"""100 % in basis points."""

VOUCHER_REFUSED = problem(
    409,
    "voucher-refused",
    "A voucher can't be used",
    "The voucher {code} does not lower this order ({flaw}). Nothing was ordered. Remove the code, or ask "
    "POST /v1/orders/quotes what is left to do, and send the order again with a new Idempotency-Key.",
    members={"code": "code", "problem": "flaw"},
)
TOO_MANY_GUESSES = problem(
    429,
    "too-many-attempts",
    "Too many attempts",
    "Too many codes that do not exist were tried here. Try again in {seconds} s.",
)
CODE_TAKEN = problem(
    409, "code-taken", "This code is taken", "There is a voucher with the code {code}. Choose another code."
)
TOO_MANY_AUTOMATIC = problem(
    409,
    "too-many-vouchers",
    "Too many vouchers without a code",
    "{limit} vouchers without a code have not ended. End one of them first, or give this one a code.",
)
UNKNOWN_VOUCHER = problem(
    404, "unknown-voucher", "Unknown voucher", "There is no voucher {voucher_id!r} of this owner."
)


Codes = Annotated[
    list[VoucherCode],
    Field(
        max_length=MAX_VOUCHER_CODES,
        description="The codes that the shopper entered. Each has to take effect.",
    ),
]


class VoucherRequest(StrictRequest):
    """A new voucher. Nothing of it changes later; its owner can end it."""

    name: Annotated[str, Field(min_length=1, max_length=80, description="What shoppers read.")]
    code: Annotated[
        VoucherCode | None, Field(description="Null: it applies by itself.", examples=["SUMMER-10"])
    ] = None
    kind: Kind
    percent_bp: Annotated[
        int | None, Field(ge=1, le=ALL_BP, description="Of a `percentage`: 1000 is 10 %.")
    ] = None
    amount_minor: Annotated[
        int | None,
        Field(ge=1, le=MAX_PRICE_MINOR, description="Of an `amount`: for each unit, or for the order."),
    ] = None
    category: Annotated[Id | None, Field(description="Only products of this category.")] = None
    product_id: Annotated[Id | None, Field(description="Only this product.")] = None
    first_order: Annotated[bool, Field(description="Only for a shopper's first order.")] = False
    minimum_minor: Annotated[
        int | None,
        Field(ge=1, le=MAX_PRICE_MINOR, description="What the owner's lines of the order must cost."),
    ] = None
    starts_at: Annotated[AwareDatetime | None, Field(description="Default: now.")] = None
    ends_at: AwareDatetime | None = None
    limit_total: Annotated[int | None, Field(ge=1, le=1_000_000, description="Uses in all.")] = None
    limit_per_person: Annotated[int | None, Field(ge=1, le=1_000)] = None

    @model_validator(mode="after")
    def _fits(self) -> "VoucherRequest":
        if (self.kind == "percentage") != (self.percent_bp is not None):
            raise ValueError("percent_bp belongs to the kind percentage, which needs it")
        if (self.kind == "amount") != (self.amount_minor is not None):
            raise ValueError("amount_minor belongs to the kind amount, which needs it")
        if self.category is not None and self.product_id is not None:
            raise ValueError("a voucher is for a category or for a product, not for both")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A voucher. `seller_id` is null if it is the marketplace's; its owner pays for it.

    `used` counts the orders with it that were not cancelled. `ended_at` is when its owner ended it.
    """

    voucher_id: str
    seller_id: str | None
    name: str
    code: str | None
    kind: Kind
    percent_bp: int | None
    amount_minor: Minor | None
    currency: str
    category: str | None
    product_id: str | None
    first_order: bool
    minimum_minor: Minor | None
    starts_at: datetime
    ends_at: datetime | None
    limit_total: int | None
    limit_per_person: int | None
    used: int
    created_at: datetime
    ended_at: datetime | None

    def state_at(self, now: datetime) -> State:
        """Return whether it can be used now."""
        if self.ended_at is not None or (self.ends_at is not None and self.ends_at <= now):
            return "ended"
        if self.limit_total is not None and self.used >= self.limit_total:
            return "used_up"
        return "scheduled" if now < self.starts_at else "active"

    @property
    def is_of_lines(self) -> bool:
        """Whether it is a catalogue rule."""
        return self.kind != "free_shipping" and (self.category is not None or self.product_id is not None)

    def is_for(self, line: OrderedLine, category: str | None) -> bool:
        """Return whether it is for a line whose product is in a category."""
        return (
            self.seller_id in (None, line.seller_id)
            and self.product_id in (None, line.product_id)
            and self.category in (None, category)
        )

    def saving(self, price_minor: int, units: int = 1) -> int:
        """Return by how much it lowers a price. An amount counts once for each of the units."""
        if self.kind == "percentage":
            return half_up(price_minor * (self.percent_bp or 0), ALL_BP)
        return min(price_minor, units * (self.amount_minor or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableVoucher(Voucher):
    """A voucher, and what the person who orders has done: uses of it, and other orders."""

    used_by_person: int
    has_ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVoucher(Voucher):
    """A voucher as its owner sees it."""

    state: Annotated[State, Field(description="Whether it can be used now.", examples=["active"])]


class Vouchers(TypedDict):
    """Vouchers of one owner, the newest first."""

    vouchers: list[ListedVoucher]
    next_cursor: Annotated[str | None, Field(description="For the next page; null on the last one.")]


@dataclass(frozen=True, slots=True)
class VoucherOutcome:
    """What a voucher does to an order. `code` is null if it applies by itself.

    `problem` says why an entered code has no effect: it is `unknown`; in an `other_currency`; `not_started`;
    `ended`; `not_for_these` products; `below_minimum` (`minimum_minor`); `not_first_order`; `used_up`;
    `used_by_you`; or another voucher lowers the order more (`no_gain`).
    """

    code: str | None
    name: str | None
    seller_id: str | None
    kind: Kind | None
    saved_minor: Minor
    problem: Flaw | None
    minimum_minor: Minor | None


@dataclass(frozen=True, slots=True)
class Discounted:
    """An order after its vouchers: the lines, what each voucher does, and the ids of those that are used."""

    lines: list[OrderedLine]
    outcomes: list[VoucherOutcome]
    used: list[str]


def half_up(numerator: int, denominator: int) -> int:
    """Return a quotient of numbers that are not below 0, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Return shares of a total in proportion to weights, by largest remainder. They add up to it exactly.

    No share is above its weight if the total is not above their sum.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares


def discounted(
    lines: Sequence[OrderedLine],
    categories: Mapping[int, str | None],
    vouchers: Sequence[UsableVoucher],
    codes: Sequence[str],
    currency: str,
    now: datetime,
) -> Discounted:
    """Return an order with its vouchers. `categories` has the category of each line number.

    `vouchers` are those with one of `codes`, and all without a code that may be for these lines.
    """
    by_code = {voucher.code: voucher for voucher in vouchers if voucher.code}
    flaws = {voucher.voucher_id: _flaw(voucher, lines, categories, currency, now) for voucher in vouchers}
    usable = [voucher for voucher in vouchers if flaws[voucher.voucher_id] is None]
    usable.sort(key=lambda each: (each.code is None, each.voucher_id))  # of two that are alike, the entered
    saved: dict[str, int] = {}
    after = [_with_catalogue_rule(line, categories, usable, saved) for line in lines]
    after = _with_order_rule(after, categories, usable, saved)
    after = _with_free_shipping(after, categories, usable, saved)
    entered = [(code, by_code.get(code)) for code in dict.fromkeys(codes)]
    outcomes = [_outcome(code, voucher, flaws, saved) for code, voucher in entered]
    automatic = [voucher for voucher in usable if voucher.code is None and saved.get(voucher.voucher_id)]
    outcomes += [_outcome(None, voucher, flaws, saved) for voucher in automatic]
    return Discounted(after, outcomes, sorted(saved))


def _flaw(
    voucher: UsableVoucher,
    lines: Sequence[OrderedLine],
    categories: Mapping[int, str | None],
    currency: str,
    now: datetime,
) -> Flaw | None:
    """Return why a voucher can't be used for an order."""
    state = voucher.state_at(now)
    of_owner = [line for line in lines if voucher.seller_id in (None, line.seller_id)]
    subtotal = sum(line.quantity * line.unit_price_minor for line in of_owner)
    limit = voucher.limit_per_person
    flaws: tuple[tuple[bool, Flaw], ...] = (
        (voucher.currency != currency, "other_currency"),
        (state == "scheduled", "not_started"),
        (state == "ended", "ended"),
        (not any(voucher.is_for(line, categories[line.line_number]) for line in lines), "not_for_these"),
        (subtotal < (voucher.minimum_minor or 0), "below_minimum"),
        (voucher.first_order and voucher.has_ordered, "not_first_order"),
        (state == "used_up", "used_up"),
        (limit is not None and voucher.used_by_person >= limit, "used_by_you"),
    )
    return next((flaw for applies, flaw in flaws if applies), None)


def _outcome(
    code: str | None, voucher: Voucher | None, flaws: Mapping[str, Flaw | None], saved: Mapping[str, int]
) -> VoucherOutcome:
    if voucher is None:
        return VoucherOutcome(code, None, None, None, 0, "unknown", None)
    saved_minor = saved.get(voucher.voucher_id, 0)
    flaw = flaws[voucher.voucher_id] or (None if saved_minor else "no_gain")
    return VoucherOutcome(
        code, voucher.name, voucher.seller_id, voucher.kind, saved_minor, flaw, voucher.minimum_minor
    )


def _with_catalogue_rule(
    line: OrderedLine,
    categories: Mapping[int, str | None],
    vouchers: Sequence[Voucher],
    saved: dict[str, int],
) -> OrderedLine:
    """Return a line after the catalogue rule that lowers it most, and add to what that has `saved`."""
    price = line.quantity * line.unit_price_minor
    rules = [
        voucher
        for voucher in vouchers
        if voucher.is_of_lines and voucher.is_for(line, categories[line.line_number])
    ]
    best = max(rules, key=lambda rule: rule.saving(price, line.quantity), default=None)
    saving = best.saving(price, line.quantity) if best else 0
    if best is None or not saving:
        return line
    return _paid_by(replace(line, line_voucher_id=best.voucher_id), best, saving, saved)


def _with_order_rule(
    lines: Sequence[OrderedLine],
    categories: Mapping[int, str | None],
    vouchers: Sequence[Voucher],
    saved: dict[str, int],
) -> list[OrderedLine]:
    """Return the lines after the order rule that lowers the order most."""

    def weights(rule: Voucher) -> list[int]:
        return [_price_left(line) if rule.is_for(line, categories[line.line_number]) else 0 for line in lines]

    rules = [voucher for voucher in vouchers if voucher.kind != "free_shipping" and not voucher.is_of_lines]
    best = max(rules, key=lambda rule: rule.saving(sum(weights(rule))), default=None)
    if best is None:
        return list(lines)
    left = weights(best)
    shares = spread(best.saving(sum(left)), left)
    return [
        _paid_by(replace(line, order_voucher_id=best.voucher_id), best, share, saved) if share else line
        for line, share in zip(lines, shares, strict=True)
    ]


def _with_free_shipping(
    lines: Sequence[OrderedLine],
    categories: Mapping[int, str | None],
    vouchers: Sequence[Voucher],
    saved: dict[str, int],
) -> list[OrderedLine]:
    """Return the lines after the voucher for free shipping that saves most.

    A seller who pays does not get the shipping; if the marketplace pays, the seller gets it all the same.
    """

    def shipping(rule: Voucher, line: OrderedLine) -> int:
        return line.shipping_minor if rule.is_for(line, categories[line.line_number]) else 0

    rules = [voucher for voucher in vouchers if voucher.kind == "free_shipping"]
    best = max(rules, key=lambda rule: sum(shipping(rule, line) for line in lines), default=None)
    if best is None:
        return list(lines)
    after = []
    for line in lines:
        saving = shipping(best, line)
        if saving and best.seller_id is not None:
            saved[best.voucher_id] = saved.get(best.voucher_id, 0) + saving
            after.append(replace(line, shipping_minor=0))
        else:
            after.append(_paid_by(line, best, saving, saved) if saving else line)
    return after


def _price_left(line: OrderedLine) -> int:
    """Return what is left of the price of a line after its discounts."""
    return line.quantity * line.unit_price_minor - line.discount_minor - (line.marketplace_minor or 0)


def _paid_by(line: OrderedLine, voucher: Voucher, saving: int, saved: dict[str, int]) -> OrderedLine:
    """Return a line that costs less; the owner of the voucher pays the difference."""
    saved[voucher.voucher_id] = saved.get(voucher.voucher_id, 0) + saving
    if voucher.seller_id is not None:
        return replace(line, discount_minor=line.discount_minor + saving)
    return replace(line, marketplace_minor=(line.marketplace_minor or 0) + saving)

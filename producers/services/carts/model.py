"""What a cart is, and how it changes: by its shopper, at a sign-in, and by what becomes of orders. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from common.clock import from_millis, to_millis
from common.ids import MAX_VOUCHER_CODES, Id
from common.problems import problem
from producers.kit.http.strict_request import StrictRequest
from producers.kit.listings import MAX_ORDER_LINES
from producers.kit.offers import Offer
from schemas.codec import Record

Reason = Literal["ordered", "merged", "put_back", "erased"]
"""Why a cart changes that its shopper has not changed; see the event `cart_changed`."""

LineProblem = Literal["not_listed", "sold_out", "too_many"]
"""Why a line can't be bought: its seller does not offer it in the shop's currency any more, no unit is left,
or fewer are left than the line has."""

MAX_UNITS = 999
"""Units of one line."""

ABANDONED_AFTER = timedelta(hours=4)
"""A cart that nobody has touched for so long is abandoned."""

CART_DAYS = timedelta(days=30)
"""Untouched carts of guests, and empty ones, are deleted after this time. No older cart is abandoned anew."""

ORDER_MEMORY = timedelta(days=7)
"""So long does a cart follow an order: events of older orders, as in a history, change no cart.

It is shorter than the setting `inbox_days`, so no event acts twice.
"""

UNKNOWN_OFFER = problem(
    422,
    "unknown-product",
    "Unknown product",
    "Product {product_id!r} is not for sale {by_seller}in {currency} (unknown, or no longer listed). Nothing "
    "was changed.",
)
UNKNOWN_CART_LINE = problem(
    404,
    "unknown-cart-line",
    "Not in the cart",
    "Product {product_id!r} is not in your cart: it was removed or ordered, maybe on another device. GET "
    "/v1/cart returns the cart as it is. Nothing was changed.",
)
CART_FULL = problem(
    409,
    "cart-full",
    "The cart is full",
    "The cart has {lines} products with those that are saved for later, the most that an order can have. "
    "Remove one, or order first. Nothing was changed.",
)
TOO_MANY_UNITS = problem(
    409,
    "too-many-units",
    "Too many units",
    "The cart has {quantity} units of product {product_id!r}, and takes up to 999 of one product. Nothing "
    "was changed.",
)
TOO_MANY_CODES = problem(
    409,
    "too-many-codes",
    "Too many voucher codes",
    "The cart has {codes} voucher codes, the most that an order can have. Remove one first.",
)
UNKNOWN_CART = problem(
    404,
    "unknown-cart",
    "Unknown cart",
    "There is no cart for this shopper, whose account was erased. Nothing was changed.",
)

Minor = Annotated[int, Field(description="Money in minor units (cents) of the cart's `currency`.")]
Quantity = Annotated[int, Field(ge=1, le=MAX_UNITS)]


class CartRequest(StrictRequest):
    """Whose cart a request changes, and in which visit."""

    shopper_id: Annotated[Id | None, Field(description="Only for processes of the platform.")] = None
    session_id: Annotated[
        Id | None,
        Field(description="The visit, from its cookie or `guest_sessions`. Ignored if it is another's."),
    ] = None
    recommendation_id: Annotated[Id | None, Field(description="The list that led to it.")] = None


class AddRequest(CartRequest):
    """Units to put into the cart, besides those that are in it."""

    product_id: Annotated[Id, Field(examples=["product-000001"])]
    quantity: Quantity = 1
    seller_id: Annotated[
        Id | None,
        Field(
            description="Whose offer; the whole line moves to this seller. Default: the line's seller, else "
            "the cheapest."
        ),
    ] = None


class LineRequest(CartRequest):
    """What a line shall be; what is left out stays as it is."""

    quantity: Quantity | None = None
    seller_id: Annotated[Id | None, Field(description="Moves the line to this seller's offer.")] = None
    is_saved: Annotated[bool | None, Field(description="true: save for later; false: back again.")] = None
    is_price_seen: Annotated[
        bool,
        Field(description="true: the shopper knows the current price. `was_minor` compares later ones."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """A product in a cart, or saved for later there.

    `seen_minor` is the price that the shopper is known to have seen last. `added_at` is when the
    product came into the cart.
    """

    product_id: str
    seller_id: str
    quantity: int
    is_saved: bool
    currency: str
    seen_minor: int
    added_at: datetime

    @property
    def units(self) -> int:
        """The units in the cart: none of what is saved for later."""
        return 0 if self.is_saved else self.quantity


Lines = Mapping[str, StoredLine]
"""The lines of a cart by their products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCart:
    """A cart whose row is locked; see its table in `migrations/0001_carts.sql`."""

    cart_id: str
    shopper_id: str
    guest_ids: list[str]
    is_guest: bool
    session_id: str
    changed_at: datetime
    touched_at: datetime
    is_idle: bool
    voucher_codes: list[str]

    @property
    def subject(self) -> dict[str, Any]:
        """The fields of its events that say whose cart it is. Those of a guest name the visit only."""
        shopper_id = None if self.is_guest else self.shopper_id
        return {"cart_id": self.cart_id, "session_id": self.session_id, "shopper_id": shopper_id}

    def next_moment(self, now: datetime) -> datetime:
        """Return the time of its next event, in milliseconds: later than its last one."""
        return max(from_millis(to_millis(now)), self.changed_at + timedelta(milliseconds=1))


def with_code(codes: Sequence[str], code: str) -> list[str]:
    """Return the codes of a cart with a further one, each once.

    Raises:
        TOO_MANY_CODES: there are `MAX_VOUCHER_CODES` others.
    """
    found = list(dict.fromkeys([*codes, code]))
    if len(found) > MAX_VOUCHER_CODES:
        raise TOO_MANY_CODES(codes=len(codes))
    return found


def guests_of(owner: str, *shopper_ids: str) -> list[str]:
    """Return the `guest_ids` of a cart into which carts of these shoppers were merged, each once."""
    return [each for each in dict.fromkeys(shopper_ids) if each != owner]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenLine:
    """What an order took out of a line of a cart. `shopper_id` is whose cart it was."""

    shopper_id: str
    product_id: str
    seller_id: str
    quantity: int
    currency: str
    seen_minor: int
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine(StoredLine):
    """A line with its seller's offer and stock. `price_minor` is null if the seller does not offer it in the
    shop's currency; `available` is null if the stock is not known."""

    price_minor: int | None
    available: int | None


@dataclass(frozen=True, slots=True)
class CartLine:
    """A line at its current price.

    `unit_price_minor` is the current price; if the product is not listed any more, the last that the shopper
    saw. It is null, and `total_minor` is 0, if the product is not listed and that price was in another
    currency than the cart's. `was_minor` is the price that they saw, if it is another one. `available` is how
    many units are left; null if that is not known. `problem` says why the line can't be bought: `not_listed`,
    `sold_out`, or `too_many`.
    """

    product_id: str
    seller_id: str
    quantity: int
    is_saved: bool
    unit_price_minor: Minor | None
    was_minor: Minor | None
    total_minor: Minor
    available: int | None
    problem: LineProblem | None
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Amounts:
    """What the lines cost that can be bought. `shipping_minor` is an estimate: 0, as it is free."""

    units: int
    items_minor: Minor
    shipping_minor: Minor
    total_minor: Minor


@dataclass(frozen=True, slots=True)
class Parcel(Amounts):
    """What one seller ships."""

    seller_id: str
    lines: list[CartLine]


@dataclass(frozen=True, slots=True)
class Cart(Amounts):
    """A cart at current prices, with a parcel for each seller.

    `saved` are the lines that are saved for later. `can_be_bought` is whether there is a line in the cart,
    and none has a `problem`. `cart_id` and `touched_at` are null if there is no cart yet. `voucher_codes` are
    those that the shopper has entered; `POST /v1/orders/quotes` says what they do.
    """

    cart_id: str | None
    currency: str
    parcels: list[Parcel]
    saved: list[CartLine]
    can_be_bought: bool
    touched_at: datetime | None
    voucher_codes: list[str]


class CartExport(TypedDict):
    """All that is kept of a person: what is in their cart, or saved for later there, and voucher codes."""

    cart: list[StoredLine]
    voucher_codes: list[str]


def choose_offer(offers: Iterable[Offer], seller_id: str | None, currency: str) -> Offer | None:
    """Return the listed offer of a seller in a currency, by default the cheapest one; None without any."""
    payable = [
        each
        for each in offers
        if each.listed and each.currency == currency and seller_id in (None, each.seller_id)
    ]
    return min(payable, key=lambda each: (each.price_minor, each.seller_id), default=None)


def added(lines: Lines, asked: AddRequest, offer: Offer, at: datetime) -> Lines:
    """Return the lines with further units of an offer. The line moves to its seller.

    Adding what is saved for later puts it into the cart with the added units.

    Raises:
        CART_FULL: there are `MAX_ORDER_LINES` other lines.
        TOO_MANY_UNITS: the line would have over `MAX_UNITS`.
    """
    before = lines.get(asked.product_id)
    units = before.units if before else 0
    if units + asked.quantity > MAX_UNITS:
        raise TOO_MANY_UNITS(product_id=asked.product_id, quantity=units)
    if before is None and len(lines) >= MAX_ORDER_LINES:
        raise CART_FULL(lines=len(lines))
    line = StoredLine(
        product_id=asked.product_id,
        seller_id=offer.seller_id,
        quantity=units + asked.quantity,
        is_saved=False,
        currency=offer.currency,
        seen_minor=offer.price_minor,
        added_at=before.added_at if before and not before.is_saved else at,
    )
    return {**lines, line.product_id: line}


def altered(line: StoredLine, asked: LineRequest, offer: Offer | None, at: datetime) -> StoredLine:
    """Return a line as its shopper wants it. `offer` is that of its seller then; None if it is not listed.

    Whoever chooses another seller has seen that seller's price.
    """
    wanted = {name: getattr(asked, name) for name in ("quantity", "is_saved")}
    changed = replace(line, **{name: value for name, value in wanted.items() if value is not None})
    if offer is not None and (asked.is_price_seen or offer.seller_id != line.seller_id):
        changed = replace(
            changed, seller_id=offer.seller_id, currency=offer.currency, seen_minor=offer.price_minor
        )
    return replace(changed, added_at=at) if line.is_saved and not changed.is_saved else changed


def merged(own: Lines, others: Lines) -> Lines:
    """Return the lines of a person's cart after a guest's cart was merged into it.

    Of a product that both have, the larger quantity stays, with its seller: nothing doubles. What is in a
    cart counts more than what is saved for later. If there are over `MAX_ORDER_LINES`, the guest's oldest are
    left out.
    """

    def rank(line: StoredLine) -> tuple[int, int]:
        return line.units, line.quantity

    result = dict(own)
    for line in sorted(others.values(), key=lambda each: each.added_at, reverse=True):
        before = result.get(line.product_id)
        if before is None:
            if len(result) < MAX_ORDER_LINES:
                result[line.product_id] = line
        elif rank(line) > rank(before):
            result[line.product_id] = replace(line, added_at=min(line.added_at, before.added_at))
    return result


def without_ordered(
    shopper_id: str, lines: Lines, ordered: Sequence[Record], placed_at: datetime, now: datetime
) -> tuple[Lines, list[TakenLine]]:
    """Return the lines of a shopper without the units of an order, whoever sold them, and what was taken out.

    What came into the cart after the order stays, and what is saved for later. Two carts of one person each
    give all units of the order, because a merge keeps the larger quantity: so it makes no difference whether
    they are merged before the order or after it.
    """
    units: dict[str, int] = {}
    for each in ordered:
        units[each["product_id"]] = units.get(each["product_id"], 0) + each["quantity"]
    left, taken = dict(lines), []
    for product_id, wanted in units.items():
        line = lines.get(product_id)
        if line is None or line.is_saved or line.added_at > placed_at:
            continue
        quantity = min(wanted, line.quantity)
        taken.append(
            TakenLine(
                shopper_id=shopper_id,
                product_id=product_id,
                seller_id=line.seller_id,
                quantity=quantity,
                currency=line.currency,
                seen_minor=line.seen_minor,
                taken_at=now,
            )
        )
        del left[product_id]
        if line.quantity > quantity:
            left[product_id] = replace(line, quantity=line.quantity - quantity)
    return left, taken


def put_back(lines: Lines, taken: Iterable[TakenLine], now: datetime) -> Lines:
    """Return the lines with what an order took that came to nothing.

    Units that were left in the cart meanwhile are added up. A product that was put into it again has as many
    units as the order, at least. What was saved for later meanwhile stays so. If two carts that gave units of
    a product were merged meanwhile, the larger quantity comes back.
    """
    result = dict(lines)
    largest = {one.product_id: one for one in sorted(taken, key=lambda each: each.quantity)}
    for one in largest.values():
        line = result.get(one.product_id)
        if line is None:
            if len(result) < MAX_ORDER_LINES:
                result[one.product_id] = StoredLine(
                    product_id=one.product_id,
                    seller_id=one.seller_id,
                    quantity=one.quantity,
                    is_saved=False,
                    currency=one.currency,
                    seen_minor=one.seen_minor,
                    added_at=now,
                )
        elif not line.is_saved:
            was_left = line.added_at <= one.taken_at
            quantity = line.quantity + one.quantity if was_left else max(line.quantity, one.quantity)
            result[one.product_id] = replace(line, quantity=min(quantity, MAX_UNITS))
    return result


def changes(before: Lines, after: Lines, at: datetime) -> list[dict[str, Any]]:
    """Return the fields of the events that tell how a cart changed, with their times.

    A line that moves to another seller leaves the one, and a millisecond later comes to the other.
    """
    found = []
    for product_id in {**before, **after}:
        old, new = before.get(product_id), after.get(product_id)
        units = old.units if old else 0, new.units if new else 0
        if old and new and old.seller_id != new.seller_id and all(units):
            steps = [(old, units[0], 0), (new, 0, units[1])]
        else:
            line = new if units[1] else old
            steps = [(line, *units)] if line and units[0] != units[1] else []
        found += [
            {
                "occurred_at": at + timedelta(milliseconds=place),
                "product_id": product_id,
                "seller_id": line.seller_id,
                "quantity_before": was,
                "quantity": now,
                "currency": line.currency,
                "unit_price_minor": line.seen_minor,
            }
            for place, (line, was, now) in enumerate(steps)
        ]
    return found


def abandonment(cart: StoredCart, lines: Iterable[StoredLine], currency: str) -> dict[str, Any] | None:
    """Return the fields of `cart_abandoned` for an untouched cart; None if nothing is in it.

    Lines in a former currency of the shop, which nobody can buy, are left out.
    """
    left = [line for line in lines if line.units and line.currency == currency]
    return (
        {
            **cart.subject,
            "changed_at": cart.touched_at,
            "currency": currency,
            "units": sum(line.units for line in left),
            "amount_minor": sum(line.units * line.seen_minor for line in left),
            "lines": [
                {
                    "product_id": line.product_id,
                    "seller_id": line.seller_id,
                    "quantity": line.quantity,
                    "unit_price_minor": line.seen_minor,
                }
                for line in left
            ],
        }
        if left
        else None
    )


def priced(cart: StoredCart | None, lines: Iterable[PricedLine], currency: str) -> Cart:
    """Return a cart at current prices. Parcels and lines are in the order in which they came into it."""
    parcels: dict[str, list[CartLine]] = {}
    saved: list[CartLine] = []
    for stored in lines:
        line = _shown(stored, currency)
        (saved if line.is_saved else parcels.setdefault(line.seller_id, [])).append(line)
    in_cart = [line for each in parcels.values() for line in each]
    return Cart(
        *_amounts(in_cart),
        cart_id=cart.cart_id if cart else None,
        currency=currency,
        parcels=[Parcel(*_amounts(each), seller_id, each) for seller_id, each in parcels.items()],
        saved=saved,
        can_be_bought=bool(in_cart) and all(line.problem is None for line in in_cart),
        touched_at=cart.touched_at if cart else None,
        voucher_codes=cart.voucher_codes if cart else [],
    )


def _shown(line: PricedLine, currency: str) -> CartLine:
    seen = line.seen_minor if line.currency == currency else None
    price = seen if line.price_minor is None else line.price_minor
    return CartLine(
        product_id=line.product_id,
        seller_id=line.seller_id,
        quantity=line.quantity,
        is_saved=line.is_saved,
        unit_price_minor=price,
        was_minor=seen if seen != price else None,
        total_minor=line.quantity * (price or 0),
        available=None if line.available is None else max(line.available, 0),
        problem=_problem(line),
        added_at=line.added_at,
    )


def _problem(line: PricedLine) -> LineProblem | None:
    if line.price_minor is None:
        return "not_listed"
    if line.available is None or line.available >= line.quantity:
        return None
    return "too_many" if line.available > 0 else "sold_out"


def _amounts(lines: Iterable[CartLine]) -> tuple[int, int, int, int]:
    """Return the fields of `Amounts`."""
    payable = [line for line in lines if line.problem is None]
    items_minor, shipping_minor = sum(line.total_minor for line in payable), 0
    units = sum(line.quantity for line in payable)
    return units, items_minor, shipping_minor, items_minor + shipping_minor

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from producers.services.orders.model import OrderedLine, SoldLine, amount_minor
from producers.services.orders.vouchers import UsableVoucher, VoucherRequest, discounted, half_up, spread

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MAX_AMOUNT = 10**10


def voucher(voucher_id="v1", **changes):
    fields = {
        "voucher_id": voucher_id, "seller_id": "ana", "name": "Summer", "code": voucher_id.upper(),
        "kind": "percentage", "percent_bp": None, "amount_minor": None, "currency": "BRL", "category": None,
        "product_id": None, "first_order": False, "minimum_minor": None, "starts_at": NOW, "ends_at": None,
        "limit_total": None, "limit_per_person": None, "used": 0, "created_at": NOW, "ended_at": None,
        "used_by_person": 0, "has_ordered": False,
    }  # fmt: skip
    return UsableVoucher(**{**fields, **changes})


def percent(percent_bp, **changes):
    return voucher(**{"percent_bp": percent_bp, **changes})


def amount(minor, **changes):
    return voucher(**{"kind": "amount", "amount_minor": minor, **changes})


def line(number=1, seller_id="ana", price=1_000, quantity=1, shipping=0, product_id=None):
    return OrderedLine(
        line_number=number, product_id=product_id or f"p{number}", seller_id=seller_id, quantity=quantity,
        unit_price_minor=price, discount_minor=0, shipping_minor=shipping, tax_minor=0,
        marketplace_minor=None, line_voucher_id=None, order_voucher_id=None, commission_bp=1_000,
    )  # fmt: skip


def order(lines, *vouchers, categories=None, currency="BRL", now=NOW):
    of_line = {each.line_number: (categories or {}).get(each.line_number) for each in lines}
    codes = [each.code for each in vouchers if each.code]
    return discounted(lines, of_line, vouchers, codes, currency, now)


def flaw(lines, one, **about):
    (outcome,) = order(lines, one, **about).outcomes
    return outcome.problem


def parts(bought):
    return [(each.discount_minor, each.marketplace_minor) for each in bought.lines]


def test_a_percentage_of_a_seller_lowers_only_the_lines_of_this_seller():
    bought = order([line(1, price=999), line(2, "bia")], percent(1_000))

    assert parts(bought) == [(100, None), (0, None)]
    assert bought.lines[0].order_voucher_id == "v1"
    assert bought.outcomes[0].saved_minor == 100
    assert bought.used == ["v1"]


def test_the_marketplace_pays_for_its_voucher_beside_the_seller():
    shop, summer = percent(1_000, seller_id=None), percent(2_000, voucher_id="v2", product_id="p1")

    bought = order([line(1, price=1_000)], shop, summer)

    assert parts(bought) == [(200, 80)]  # 20 % of 10.00, then 10 % of 8.00
    assert (bought.lines[0].line_voucher_id, bought.lines[0].order_voucher_id) == ("v2", "v1")
    assert amount_minor(bought.lines) == 720


def test_an_amount_for_a_product_counts_for_each_unit_and_not_below_zero():
    assert parts(order([line(1, price=300, quantity=3)], amount(100, product_id="p1"))) == [(300, None)]
    assert parts(order([line(1, price=50, quantity=3)], amount(100, product_id="p1"))) == [(150, None)]


def test_an_amount_for_the_order_is_spread_to_the_cent():
    bought = order([line(1, price=333), line(2, price=333), line(3, price=334)], amount(100))

    assert parts(bought) == [(33, None), (33, None), (34, None)]


def test_everything_off_costs_nothing():
    bought = order([line(1, price=333, quantity=7), line(2, price=1)], percent(10_000))

    assert amount_minor(bought.lines) == 0


def test_of_two_order_rules_the_better_one_counts_and_the_other_is_told():
    bought = order([line(1, price=1_000)], percent(1_000), amount(150, voucher_id="v2"))

    assert [(each.code, each.saved_minor, each.problem) for each in bought.outcomes] == [
        ("V1", 0, "no_gain"),
        ("V2", 150, None),
    ]
    assert bought.used == ["v2"]


def test_an_entered_code_is_preferred_to_a_like_voucher_without_one():
    bought = order([line(1)], percent(1_000, voucher_id="a1", code=None), percent(1_000, voucher_id="b1"))

    assert bought.used == ["b1"]


def test_a_voucher_without_a_code_is_told_where_it_takes_effect():
    automatic = percent(1_000, code=None, category="Lamps")

    assert [each.name for each in order([line(1)], automatic, categories={1: "Lamps"}).outcomes] == ["Summer"]
    assert order([line(1)], automatic, categories={1: "Chairs"}).outcomes == []


def test_free_shipping_of_a_seller_is_not_paid_and_of_the_marketplace_is():
    mine = order([line(1, shipping=300)], voucher(kind="free_shipping"))
    theirs = order([line(1, shipping=300)], voucher(kind="free_shipping", seller_id=None))

    assert (mine.lines[0].shipping_minor, parts(mine)) == (0, [(0, None)])
    assert (theirs.lines[0].shipping_minor, parts(theirs)) == (300, [(0, 300)])
    assert amount_minor(mine.lines) == amount_minor(theirs.lines) == 1_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "USD"}, "other_currency"),
        ({"starts_at": NOW + timedelta(seconds=1)}, "not_started"),
        ({"ends_at": NOW}, "ended"),
        ({"ended_at": NOW}, "ended"),
        ({"product_id": "other"}, "not_for_these"),
        ({"category": "Lamps"}, "not_for_these"),
        ({"seller_id": "bia"}, "not_for_these"),
        ({"minimum_minor": 1_001}, "below_minimum"),
        ({"first_order": True, "has_ordered": True}, "not_first_order"),
        ({"limit_total": 5, "used": 5}, "used_up"),
        ({"limit_per_person": 1, "used_by_person": 1}, "used_by_you"),
    ],
)
def test_a_code_says_why_it_has_no_effect(changes, said):
    assert flaw([line(1)], percent(1_000, **changes)) == said


def test_the_minimum_counts_the_lines_of_the_owner_without_shipping():
    lines = [line(1, price=600, shipping=500), line(2, "bia", price=600)]

    assert flaw(lines, percent(1_000, minimum_minor=601)) == "below_minimum"
    assert flaw(lines, percent(1_000, minimum_minor=1_200, seller_id=None)) is None


def test_a_code_of_no_voucher_is_unknown():
    (outcome,) = discounted([line(1)], {1: None}, [], ["NOPE"], "BRL", NOW).outcomes

    assert (outcome.code, outcome.problem, outcome.name) == ("NOPE", "unknown", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "percentage"},
        {"kind": "percentage", "percent_bp": 1_000, "amount_minor": 5},
        {"kind": "amount", "percent_bp": 1_000},
        {"kind": "free_shipping", "amount_minor": 5},
        {"kind": "percentage", "percent_bp": 0},
        {"kind": "percentage", "percent_bp": 10_001},
        {"kind": "amount", "amount_minor": 5, "category": "Lamps", "product_id": "p"},
        {"kind": "amount", "amount_minor": 5, "starts_at": NOW, "ends_at": NOW},
        {"kind": "amount", "amount_minor": 5, "code": "A B C D"},
        {"kind": "amount", "amount_minor": 5, "code": "ABC"},
        {"kind": "amount", "amount_minor": 5, "used": 0},
        {"kind": "amount", "amount_minor": 5, "seller_id": "bia"},
        {"kind": "amount", "amount_minor": 5, "limit_total": 0},
    ],
)
def test_a_voucher_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        VoucherRequest(name="Summer", **wrong)


def test_a_code_is_kept_in_upper_case():
    assert VoucherRequest(name="S", code="summer-10", kind="amount", amount_minor=5).code == "SUMMER-10"


AMOUNTS = st.integers(0, MAX_AMOUNT)


@given(st.lists(AMOUNTS, max_size=40), st.data())
def test_shares_add_up_and_none_is_above_its_weight(weights, data):
    total = data.draw(st.integers(0, sum(weights)))
    shares = spread(total, weights)

    assert sum(shares) == (total if sum(weights) else 0)
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))
    assert all(
        abs(share * sum(weights) - total * weight) < max(sum(weights), 1)
        for share, weight in zip(shares, weights, strict=True)
    )


@given(AMOUNTS, st.integers(1, 10_000))
def test_half_a_cent_is_rounded_up(price, percent_bp):
    assert half_up(price * percent_bp, 10_000) == (price * percent_bp + 5_000) // 10_000


LINES = st.lists(
    st.tuples(st.sampled_from(["ana", "bia"]), st.integers(0, 5_000), st.integers(1, 5), st.integers(0, 500)),
    min_size=1,
    max_size=8,
).map(lambda drawn: [line(number, *each) for number, each in enumerate(drawn, start=1)])
VOUCHERS = st.lists(
    st.builds(
        lambda seller, kind, value, product, code: (seller, kind, value, product, code),
        st.sampled_from(["ana", "bia", None]),
        st.sampled_from(["percentage", "amount", "free_shipping"]),
        st.integers(1, 10_000),
        st.sampled_from([None, None, "p1", "p2"]),
        st.booleans(),
    ),
    max_size=6,
).map(
    lambda drawn: [
        voucher(
            f"v{place}", seller_id=seller, kind=kind, product_id=product,
            code=f"C{place}00" if code else None,
            percent_bp=value if kind == "percentage" else None,
            amount_minor=value if kind == "amount" else None,
        )
        for place, (seller, kind, value, product, code) in enumerate(drawn)
    ]
)  # fmt: skip


@given(LINES, VOUCHERS)
def test_what_vouchers_save_is_what_the_order_costs_less(lines, vouchers):
    bought = order(lines, *vouchers)

    assert all(each.due_minor >= 0 for each in bought.lines)
    assert amount_minor(lines) - amount_minor(bought.lines) == sum(
        each.saved_minor for each in bought.outcomes
    )
    named = {of for each in bought.lines for of in (each.line_voucher_id, each.order_voucher_id)}
    assert named <= {None, *bought.used}
    for before, after in zip(lines, bought.lines, strict=True):
        gross = after.quantity * after.unit_price_minor
        assert after.discount_minor <= gross
        assert after.marketplace_minor is None or 0 < after.marketplace_minor <= gross + before.shipping_minor
        owners = {each.voucher_id: each.seller_id for each in vouchers}
        named = {after.line_voucher_id, after.order_voucher_id} - {None}
        assert {owners[each] for each in named} <= {after.seller_id, None}


@given(LINES, VOUCHERS, st.randoms())
def test_the_order_in_which_vouchers_are_given_does_not_matter(lines, vouchers, random):
    shuffled = list(vouchers)
    random.shuffle(shuffled)

    assert order(lines, *shuffled).lines == order(lines, *vouchers).lines


@given(st.integers(0, 2_000), st.integers(1, 2_000), st.integers(1, 6), st.data())
def test_returns_give_the_marketplace_back_its_part_and_no_more(amount_due, part, quantity, data):
    sold = SoldLine(1, "p1", "ana", quantity, amount_due, marketplace_minor=part)
    given_back = 0
    while sold.returned < sold.quantity:
        units = data.draw(st.integers(1, sold.quantity - sold.returned))
        is_last = units == sold.quantity - sold.returned
        left = sold.amount_minor - sold.refunded_minor
        after = sold.after_return(units, left if is_last else data.draw(st.integers(0, left)))
        assert after.returned_marketplace_minor >= sold.returned_marketplace_minor
        given_back += after.returned_marketplace_minor - sold.returned_marketplace_minor
        sold = after

    assert given_back == part


def test_an_order_without_vouchers_is_as_it_was():
    lines = [line(1), line(2, "bia")]

    assert order(lines).lines == lines
    assert order(lines, replace(percent(1_000), code=None, minimum_minor=10_000)).lines == lines

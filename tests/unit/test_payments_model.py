from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Rejected
from producers.payments.model import DueLine, Payment, give_back_lines, owed_back_minor, retry_after
from producers.payments.provider import Asked
from producers.payments.provider.simulated import decide

WAITING = Payment("order", "payment")
NEWS = {
    "placed": lambda payment: replace(payment, amount_minor=500),
    "reserved": lambda payment: replace(payment, reserved=True),
    "cancelled": lambda payment: replace(payment, cancelled=True),
    "asked": lambda payment: replace(payment, attempts=payment.attempts + (payment.state == "due")),
}


def after(*news):
    payment = WAITING
    for one in news:
        payment = NEWS[one](payment).next()
    return payment


@given(st.permutations(["placed", "reserved"]))
def test_a_payment_is_due_once_its_order_is_both_placed_and_reserved(news):
    assert after(news[0]).state == "waiting"
    assert after(*news).state == "due"


@given(st.permutations(["placed", "reserved", "cancelled"]))
def test_a_cancelled_order_is_never_asked_for_in_whatever_order_the_news_come(news):
    assert after(*news).state == "void"


def test_what_the_provider_may_have_been_asked_has_to_be_cleared_up_with_it():
    assert after("placed", "reserved", "asked", "cancelled").state == "voiding"


@given(st.lists(st.sampled_from(sorted(NEWS))))
def test_the_provider_is_asked_only_for_what_is_known_and_reserved(news):
    payment = after(*news)

    if payment.to_be_asked_for:
        assert payment.amount_minor is not None
        assert payment.reserved


@given(st.integers(0, 10**15), st.data())
def test_a_cancelled_order_gets_back_what_was_taken_less_what_went_back_already(amount, data):
    refunded = data.draw(st.integers(0, amount))
    captured = replace(WAITING, amount_minor=amount, state="captured")

    assert owed_back_minor(captured, refunded) == 0
    assert owed_back_minor(replace(captured, cancelled=True), refunded) + refunded == amount


LINES = {1: DueLine(1, quantity=2, amount_minor=1_000), 2: DueLine(2, quantity=1, amount_minor=700)}


def test_lines_come_back_bit_by_bit_until_nothing_is_left_of_them():
    once = give_back_lines(LINES, [(1, 1, 400)])
    twice = give_back_lines(LINES | once, [(1, 1, 600)])

    assert twice == {1: DueLine(1, 2, 1_000, returned=2, refunded_minor=1_000)}


@pytest.mark.parametrize(
    "returned",
    [
        [(1, 3, 900)],  # more units than were bought
        [(1, 2, 1_001)],  # more than was paid
        [(1, 2, 900), (1, 1, 50)],  # the same line twice
        [(1, -1, 0)],
        [(2, 1, -1)],
        [(3, 1, 1)],  # no such line
    ],
)
def test_more_of_a_line_than_is_left_does_not_come_back(returned):
    with pytest.raises(Rejected):
        give_back_lines(LINES, returned)


@given(st.integers(0, 10**6))
def test_retries_come_ever_later_but_never_too_late(attempts):
    assert timedelta(0) < retry_after(attempts) <= retry_after(attempts + 1) <= timedelta(seconds=30)


def asked(token, payment_id="p"):
    return Asked(payment_id, 100, "BRL", "pix", token, 1)


def test_the_simulated_provider_decides_by_the_token():
    assert decide(asked("tok_visa"), 0).kind == "captured"
    assert decide(asked("tok_decline_please"), 0).kind == "declined"


def test_the_simulated_provider_declines_the_share_that_it_is_told_to_and_the_same_each_time():
    outcomes = [decide(asked("tok_visa", f"payment-{n}"), 0.25).kind for n in range(4_000)]

    assert outcomes == [decide(asked("tok_visa", f"payment-{n}"), 0.25).kind for n in range(4_000)]
    assert 900 < outcomes.count("declined") < 1_100

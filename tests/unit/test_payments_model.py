from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.services.payments.model import Payment, refund_due_minor, retry_after
from producers.services.payments.provider import ChargeRequest
from producers.services.payments.provider.simulated import decide

WAITING = Payment("order", "payment")
NEWS = {
    "placed": lambda payment: replace(payment, amount_minor=500),
    "reserved": lambda payment: replace(payment, reserved=True),
    "cancelled": lambda payment: replace(payment, cancelled=True),
    "asked": lambda payment: replace(payment, attempts=payment.attempts + (payment.state == "due")),
}


FREE = {"placed": lambda payment: replace(payment, amount_minor=0)}


def after(*news, kinds=NEWS):
    payment = WAITING
    for one in news:
        payment = kinds[one](payment).next()
    return payment


@given(st.permutations(["placed", "reserved"]))
def test_a_payment_is_due_once_its_order_is_both_placed_and_reserved(news):
    assert after(news[0]).state == "waiting"
    assert after(*news).state == "due"


@given(st.permutations(["placed", "reserved"]))
def test_an_order_that_costs_nothing_is_free_once_it_is_both_placed_and_reserved(news):
    assert after(news[0], kinds=NEWS | FREE).state == "waiting"
    assert after(*news, kinds=NEWS | FREE).state == "free"


@given(st.permutations(["placed", "reserved", "cancelled"]))
def test_a_free_order_that_is_cancelled_is_refunded_nothing(news):
    payment = after(*news, kinds=NEWS | FREE)

    assert payment.state == ("free" if news[-1] == "cancelled" else "void")
    assert refund_due_minor(payment, 0) == 0


@given(st.lists(st.sampled_from(sorted(NEWS))))
def test_the_provider_is_never_called_for_an_order_that_costs_nothing(news):
    assert not after(*news, kinds=NEWS | FREE).needs_provider_call


@given(st.permutations(["placed", "reserved", "cancelled"]))
def test_a_cancelled_order_is_never_charged_in_whatever_order_events_arrive(news):
    assert after(*news).state == "void"


def test_a_cancelled_payment_that_the_provider_may_have_taken_is_voided():
    assert after("placed", "reserved", "asked", "cancelled").state == "voiding"


@pytest.mark.parametrize(
    ("state", "attempts", "after", "cancelled"),
    [
        ("waiting", 0, "void", True),
        ("due", 0, "void", True),
        ("due", 1, "voiding", False),
        ("voiding", 1, "voiding", False),
        ("captured", 1, "captured", False),
        ("failed", 1, "failed", None),
        ("void", 0, "void", None),
        ("free", 0, "free", False),
    ],
)
def test_the_payment_of_an_expired_order_is_closed_unless_the_provider_may_have_taken_it(
    state, attempts, after, cancelled
):
    expired = replace(WAITING, amount_minor=500, reserved=True, state=state, attempts=attempts).expired()

    assert expired.state == after
    assert expired.is_closed == (after in ("void", "failed"))
    assert cancelled is None or expired.cancelled == cancelled


@given(st.sampled_from(["captured", "failed", "void", "voiding", "free"]), st.booleans(), st.integers(0, 3))
def test_an_expiry_never_moves_a_payment_that_was_decided(state, cancelled, attempts):
    decided = replace(WAITING, amount_minor=500, state=state, cancelled=cancelled, attempts=attempts)

    assert decided.expired().state == state


@given(st.lists(st.sampled_from(sorted(NEWS))))
def test_only_placed_and_reserved_orders_are_charged(news):
    payment = after(*news)

    if payment.needs_provider_call:
        assert payment.amount_minor is not None
        assert payment.reserved


@given(st.integers(0, 10**15), st.data())
def test_a_cancelled_order_is_refunded_what_was_taken_less_earlier_refunds(amount, data):
    refunded = data.draw(st.integers(0, amount))
    captured = replace(WAITING, amount_minor=amount, state="captured")

    assert refund_due_minor(captured, refunded) == 0
    assert refund_due_minor(replace(captured, cancelled=True), refunded) + refunded == amount


@given(st.integers(0, 10**6))
def test_retry_delays_grow_up_to_a_limit(attempts):
    assert timedelta(0) < retry_after(attempts) <= retry_after(attempts + 1) <= timedelta(seconds=30)


def asked(token, payment_id="p"):
    return ChargeRequest(payment_id, 100, "BRL", "pix", token, 1)


def test_the_simulated_provider_decides_by_the_token():
    assert decide(asked("tok_visa"), 0).kind == "captured"
    assert decide(asked("tok_decline_please"), 0).kind == "declined"


def test_the_simulated_provider_declines_the_configured_share_and_the_same_payments_each_time():
    outcomes = [decide(asked("tok_visa", f"payment-{n}"), 0.25).kind for n in range(4_000)]

    assert outcomes == [decide(asked("tok_visa", f"payment-{n}"), 0.25).kind for n in range(4_000)]
    assert 900 < outcomes.count("declined") < 1_100

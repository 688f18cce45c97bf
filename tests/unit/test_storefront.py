"""The steps of an order."""

from typing import Any

import pytest

from serving.web.storefront.order_tracking import STEPS, sellers_parts, track


def taken(step: str) -> dict[str, Any]:
    """Return a step of the whole order (`placed`), or of a seller's parcel (`shipped ana`)."""
    status, _, seller_id = step.partition(" ")
    return {"status": status, "at": "2026-11-20T12:00:00Z", "seller_id": seller_id or None}


def order(status: str, payment: str = "pending", reason: str | None = None, *steps: str) -> dict[str, Any]:
    return {
        "status": status,
        "cancellation_reason": reason,
        "history": [taken(step) for step in ("placed", *steps)],
        "lines": [{"seller_id": "ana"}, {"seller_id": "ana"}],
        "payment": {"status": payment, "amount_minor": 17980, "refunded_minor": 0},
    }


def two_parcels(status: str, *steps: str) -> dict[str, Any]:
    """Return an order of two sellers, each with its own parcel."""
    return order(status, "captured", None, *steps) | {"lines": [{"seller_id": "ana"}, {"seller_id": "bo"}]}


@pytest.mark.parametrize(
    ("known", "done"),
    [
        (order("placed"), 1),
        (order("placed", "captured"), 3),
        (order("confirmed", "captured"), 4),
        (order("shipped", "captured"), 5),
        (order("delivered", "captured"), 6),
    ],
)
def test_every_step_up_to_the_furthest_is_done_and_the_next_is_under_way(
    known: dict[str, Any], done: int
) -> None:
    states = [step.state for step in track(known).steps]
    assert states == (["done"] * done + ["now"] + ["ahead"] * len(STEPS))[: len(STEPS)]


@pytest.mark.parametrize(
    ("reason", "payment", "said"),
    [
        ("out_of_stock", "pending", "not charged"),
        ("payment_failed", "failed", "Your bank said no"),
        ("shopper_request", "refunded", "You cancelled"),
        ("something_new", "pending", "was cancelled"),
    ],
)
def test_a_cancelled_order_says_why_and_what_becomes_of_the_money(
    reason: str, payment: str, said: str
) -> None:
    tracking = track(order("cancelled", payment, reason, "cancelled"))
    assert said in tracking.summary
    assert tracking.cancelled
    assert tracking.ended
    assert not tracking.can_be_cancelled
    assert tracking.steps[-1].state == "stopped"


def test_a_refund_that_is_on_its_way_is_waited_for() -> None:
    waiting = track(order("cancelled", "captured", "shopper_request", "cancelled"))
    assert (waiting.ended, waiting.refunded) == (False, False)
    assert track(order("cancelled", "refunded", "shopper_request", "cancelled")).ended


def test_an_order_that_cost_nothing_has_nothing_to_wait_for_once_it_is_cancelled() -> None:
    free = order("cancelled", "captured", "shopper_request", "cancelled")
    free["payment"]["amount_minor"] = 0
    assert track(free).ended


@pytest.mark.parametrize(("status", "can_be"), [("placed", True), ("confirmed", True), ("shipped", False)])
def test_an_order_can_be_called_off_until_it_is_shipped(status: str, can_be: bool) -> None:
    found = track(order(status, "captured"))
    assert found.can_be_cancelled is can_be
    assert bool(found.why_not_cancelled) is not can_be


@pytest.mark.parametrize(
    ("reason", "belongs_back"),
    [("payment_failed", True), ("out_of_stock", True), ("timed_out", True), ("shopper_request", False)],
)
def test_what_an_order_did_not_buy_belongs_back_into_the_cart(reason: str, belongs_back: bool) -> None:
    assert track(order("cancelled", "failed", reason, "cancelled")).can_be_retried is belongs_back
    assert not track(order("confirmed", "captured")).can_be_retried


def test_each_seller_of_an_order_says_how_far_their_parcel_is_and_who_carries_it() -> None:
    known = two_parcels("delivered", "shipped ana", "delivered ana")
    known["history"][-2] |= {"carrier": "Correios", "tracking_code": "T0042"}

    ana, bo = (sellers_parts(known)[seller] for seller in ("ana", "bo"))

    assert (ana.status, ana.text, bo.status, bo.text) == ("delivered", "Arrived", "confirmed", "Being packed")
    assert [(sent.carrier, sent.tracking_code) for sent in ana.sent] == [("Correios", "T0042")]
    assert bo.sent == []
    sent = sellers_parts(two_parcels("shipped", "shipped bo"))["bo"]
    assert (sent.text, sent.sent[0].carrier) == ("On its way", None)
    assert sellers_parts(order("placed", "pending")) == {}


def test_nothing_is_said_of_a_seller_of_whose_parcel_nothing_is_known() -> None:
    assert sellers_parts(two_parcels("shipped", "shipped")) == {}
    assert list(sellers_parts(two_parcels("shipped", "shipped", "shipped ana"))) == ["ana"]


@pytest.mark.parametrize(
    ("known", "title", "said", "done"),
    [
        (two_parcels("shipped", "shipped ana"), "1 of 2 parcels has left", "1 is still being packed.", 4),
        (
            two_parcels("shipped", *["shipped ana"] * 2),
            "1 of 2 parcels has left",
            "1 is still being packed.",
            4,
        ),
        (two_parcels("shipped", "shipped ana", "shipped bo"), "On its way", "On its way to you.", 5),
        (two_parcels("shipped", *["shipped"] * 2), "On its way", "On its way to you.", 5),
        (
            two_parcels("delivered", "shipped bo", "delivered bo", "delivered bo"),
            "1 of 2 parcels has arrived",
            "1 is still being packed.",
            4,
        ),
        (
            two_parcels("delivered", "shipped bo", "delivered bo", "shipped ana"),
            "1 of 2 parcels has arrived",
            "1 is on the way to you.",
            5,
        ),
        (
            two_parcels("delivered", "shipped ana", "delivered bo"),
            "1 of 2 parcels has arrived",
            "1 is on the way to you.",
            5,
        ),
        (
            two_parcels("delivered", "shipped ana", "delivered ana", "delivered somebody"),
            "1 of 2 parcels has arrived",
            "1 is still being packed.",
            4,
        ),
        (two_parcels("delivered", *["shipped", "delivered"] * 2), "Delivered", "It has arrived. Enjoy!", 6),
        (
            two_parcels("delivered", "delivered bo", "delivered ana", "shipped bo"),
            "Delivered",
            "It has arrived. Enjoy!",
            6,
        ),
    ],
)
def test_an_order_has_come_only_when_each_of_its_parcels_has(
    known: dict[str, Any], title: str, said: str, done: int
) -> None:
    tracking = track(known)
    assert (tracking.title, tracking.summary, tracking.ended) == (title, said, done == len(STEPS))
    assert [step.state for step in tracking.steps].count("done") == done
    assert all(step.at is None for step in tracking.steps[done:])
    assert not tracking.can_be_cancelled


def test_an_order_of_three_says_where_the_other_parcels_are() -> None:
    three = two_parcels("delivered", "shipped ana", "shipped bo", "delivered bo")
    three["lines"].append({"seller_id": "cy"})
    assert track(three).summary == "1 is on the way to you, 1 is still being packed."
    three["history"] += [taken("delivered ana"), taken("shipped cy")]
    assert track(three).title == "2 of 3 parcels have arrived"

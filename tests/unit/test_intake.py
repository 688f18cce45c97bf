"""The events that the intake accepts, and the errors for the others."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.correlation import trace_id_of
from common.ids import new_cart_id
from common.settings import Settings
from schemas.codec import Decoder, Encoder
from schemas.events import all_events
from serving.event_collector.schemas import IntakeResult
from serving.event_collector.service import YIELD_EVERY, EventIntake, encode_event
from serving.event_collector.validation import (
    MAX_CLOCK_SKEW,
    BadEvent,
    ValidEvent,
    is_about_own_offer,
    validate_event,
)
from serving.event_collector.validators import BROWSING
from serving.kit.event_producer import EventMessage
from tests.event_examples import examples

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIEW = {"event": "product_viewed", "session_id": "visit", "product_id": "lamp"}
ADD = {
    "event": "cart_changed", "cart_id": "c", "session_id": "visit", "product_id": "lamp", "seller_id": "ann",
    "quantity_before": 0, "quantity": 1, "currency": "BRL", "unit_price_minor": 990,
}  # fmt: skip


def taken(sent: Any) -> dict[str, Any]:
    return validate_event(sent, NOW, lambda: "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11").record


def test_what_is_left_out_is_filled_in() -> None:
    assert taken(VIEW) == {
        "event_id": "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11", "occurred_at": NOW, "session_id": "visit",
        "shopper_id": None, "product_id": "lamp", "seller_id": None, "source": "unknown", "search_id": None,
        "recommendation_id": None,
    }  # fmt: skip


def test_a_senders_id_and_time_are_kept() -> None:
    own = "0193b0c4-7a51-7cc2-9d0e-000000000000"
    record = taken({**VIEW, "event_id": own, "occurred_at": "2026-02-28T09:00:00-03:00"})

    assert (record["event_id"], record["occurred_at"]) == (own, datetime(2026, 2, 28, 12, tzinfo=UTC))


def test_an_id_in_upper_case_as_ios_writes_it_is_the_same_event() -> None:
    own = "0193b0c4-7a51-7cc2-9d0e-5f2b7f0aabcd"
    assert taken({**VIEW, "event_id": own.upper()})["event_id"] == own


@pytest.mark.parametrize("given", ["a" * 129, ".", "..", "a\x1fb", ""])
def test_an_id_that_no_page_could_show_is_refused(given: str) -> None:
    with pytest.raises(BadEvent, match="product_id"):
        taken({**VIEW, "product_id": given})


@pytest.mark.parametrize("given", ["a" * 128, "a/b", "...", ".a", "..a", "%2F", "?#&", "a b", "☕"])
def test_any_other_text_may_be_an_id(given: str) -> None:
    assert taken({**VIEW, "product_id": given})["product_id"] == given


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("product_viewed", "not an object"),
        ({"session_id": "visit"}, "nothing is not a browsing event"),
        ({"event": ["product_viewed"]}, "is not a browsing event"),
        ({"event": "order_placed", "order_id": "o"}, "'order_placed' is not a browsing event"),
        ({**VIEW, "product_id": None}, "product_id"),
        ({**VIEW, "product_id": ""}, "product_id"),
        ({**VIEW, "product_id": "x" * 201}, "product_id"),
        ({**VIEW, "product_id": "a\nb"}, "product_id"),
        ({**VIEW, "prodct": "lamp"}, "prodct"),
        ({**VIEW, "source": "telepathy"}, "source"),
        ({**VIEW, "event_id": "1"}, "event_id"),
        ({**VIEW, "occurred_at": "2026-03-01T12:00:00"}, "needs a time zone"),
        ({**VIEW, "occurred_at": "yesterday"}, "occurred_at"),
        ({**VIEW, "occurred_at": 10**30}, "occurred_at"),
        ({**ADD, "quantity": -1}, "quantity"),
        ({**ADD, "quantity": True}, "quantity"),
        ({**ADD, "quantity": "1"}, "quantity"),
        ({**ADD, "quantity": 2**31}, "quantity"),
        ({**ADD, "unit_price_minor": 2**63}, "unit_price_minor"),
    ],
)
def test_what_is_wrong_is_said(sent: Any, said: str) -> None:
    with pytest.raises(BadEvent, match=said):
        taken(sent)


def test_carts_of_other_shops_are_taken_and_those_of_this_shop_are_refused() -> None:
    assert taken({**ADD, "cart_id": "cart-7", "reason": "merged"})["reason"] == "merged"
    with pytest.raises(BadEvent, match="is a cart of this shop") as refused:
        taken({**ADD, "cart_id": new_cart_id()})
    assert (refused.value.status, refused.value.kind) == (403, "own-cart")


def test_the_future_and_the_far_past_are_refused() -> None:
    just = {**VIEW, "occurred_at": (NOW + MAX_CLOCK_SKEW).isoformat()}
    assert taken(just)["occurred_at"] == NOW + MAX_CLOCK_SKEW
    for moment in (NOW + MAX_CLOCK_SKEW + timedelta(seconds=1), NOW - timedelta(days=31)):
        with pytest.raises(BadEvent, match=r"in the future|days ago"):
            taken({**VIEW, "occurred_at": moment.isoformat()})


@pytest.mark.parametrize("name", BROWSING)
def test_a_typical_browsing_event_is_taken_as_it_is(name: str) -> None:
    record = examples(all_events()[name])["typical"]
    sent = {**record, "occurred_at": NOW.isoformat(), "event": name}

    assert validate_event(sent, NOW, str).record == {**record, "occurred_at": NOW}


def message(record: dict[str, Any], traceparent: str | None = None) -> EventMessage:
    encoder = Encoder(all_events()["product_viewed"], 1)
    return encode_event(ValidEvent("product_viewed", record), encoder, trace_id_of(traceparent))


def test_an_event_stays_in_the_trace_of_its_request_and_its_session_correlates_it() -> None:
    headers = dict(message(taken(VIEW), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").headers)

    assert headers["correlation_id"] == "visit"
    assert str(headers["traceparent"]).startswith("00-0af7651916cd43dd8448eb211c80319c-")


@pytest.mark.parametrize("sent", [None, "", "x" * 8_000, "00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-é"])
def test_what_is_no_trace_context_begins_a_new_trace(sent: str | None) -> None:
    headers = dict(message(taken(VIEW), sent).headers)

    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", str(headers["traceparent"]))


def test_an_event_that_kafka_could_not_take_is_refused_alone() -> None:
    record = taken(VIEW)
    with pytest.raises(BadEvent, match="at most 900,000"):
        message({**record, "search_id": "x" * 900_000})
    assert message({**record, "search_id": "x" * 800_000}).key == b"visit"


def test_others_have_their_turn_while_a_long_batch_is_checked() -> None:
    turns = 0

    async def take() -> IntakeResult:
        intake = EventIntake(Settings(), lambda: NOW)
        taking = asyncio.create_task(intake.take(["no event"] * 500))
        nonlocal turns
        while not taking.done():
            turns += 1
            await asyncio.sleep(0)
        return taking.result()

    rejected = asyncio.run(take())["rejected"]

    assert [one["index"] for one in rejected] == list(range(500))
    assert turns > 500 / YIELD_EVERY


def test_what_the_staff_of_a_seller_does_with_its_own_offers_is_left_out() -> None:
    own = [{**VIEW, "seller_id": "ann"}, ADD, {**VIEW, "seller_id": "ann", "source": "recommendation"}]

    async def take() -> IntakeResult:
        return await EventIntake(Settings(), lambda: NOW).take([*own, "no event"], own_seller_ids={"ann"})

    result = asyncio.run(take())

    assert (result["accepted"], result["left_out"]) == (0, 3)
    assert [one["index"] for one in result["rejected"]] == [3]


def test_what_it_does_with_the_offers_of_others_counts() -> None:
    for sent in (VIEW, ADD, {**VIEW, "seller_id": "ann"}):
        assert not is_about_own_offer(validate_event(sent, NOW, str), frozenset({"bob"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


FIELDS = ("session_id", "product_id", "quantity", "occurred_at", "items", "filters", "score", "shopper_id")


def test_what_is_wrong_with_an_entry_of_a_list_is_said_in_full() -> None:
    shown = examples(all_events()["recommendation_shown"])["typical"]
    sent = {**shown, "event": "recommendation_shown", "occurred_at": NOW.isoformat(), "items": ["lamp"]}

    with pytest.raises(BadEvent) as refused:
        taken(sent)
    assert str(refused.value) == "items.0: Input should be a valid dictionary"


@given(name=st.sampled_from(BROWSING), wrong=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_what_is_taken_can_be_encoded_and_read_back(name: str, wrong: dict[str, Any]) -> None:
    event = all_events()[name]
    sent = {**examples(event)["typical"], "occurred_at": NOW.isoformat(), "event": name, **wrong}
    try:
        record = validate_event(sent, NOW, str).record
    except BadEvent:
        return
    message = Encoder(event, 1).encode(record)
    assert Decoder(lambda _: event.schema).decode(message)["session_id"] == record["session_id"]
